/**
 * Pages. Those of allowed origins may pull and push (CORS), asked about by a preflight that carries no login. All others
 * may not change anything, and a registry without logins answers to its own names only: by a name of its own that resolves
 * to loopback, any page would be of this origin (DNS rebinding).
 */
import { emptyReply, type RegistryRequest, type Reply } from '../http.ts';
import { Refusal } from '../refusal.ts';

export interface OriginRules {
  /** `https://page.example`; `*` is all. */
  readonly origins: readonly string[];
  /** Names without port this registry answers to; undefined: all. */
  readonly names?: readonly string[];
}

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS =
  'Accept, Authorization, Content-Range, Content-Type, Docker-Content-Digest, If-None-Match, If-Range, Range';
const SHOWN_HEADERS =
  'Content-Length, Content-Range, Docker-Content-Digest, Docker-Upload-UUID, ETag, Link, Location, OCI-Filters-Applied, OCI-Subject, OCI-Tag, Range, Retry-After, Warning, WWW-Authenticate';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** The answer to a preflight, or undefined to go on. Throws DENIED. */
export function checkOrigin(rules: OriginRules, request: RegistryRequest): Reply | undefined {
  checkName(rules, request);
  const origin = request.header('origin');
  if (origin === undefined) return undefined;
  const isAllowed = isAllowedOrigin(rules, origin);
  if (request.method === 'OPTIONS' && request.header('access-control-request-method') !== undefined) {
    if (!isAllowed) throw new Refusal('denied', 'this origin is not allowed', { headers: { vary: 'origin' } });
    const isPrivate = request.header('access-control-request-private-network') === 'true';
    return emptyReply(204, {
      ...corsHeaders(rules, request),
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': REQUEST_HEADERS,
      'access-control-max-age': '7200',
      ...(isPrivate ? { 'access-control-allow-private-network': 'true' } : {}),
    });
  }
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (isAllowed || isRead || isSameOrigin(origin, request.header('host'))) return undefined;
  throw new Refusal('denied', 'pages of this origin may not change anything', { headers: { vary: 'origin' } });
}

function checkName({ names }: OriginRules, request: RegistryRequest): void {
  if (names === undefined) return;
  const [, name = ''] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/.exec(request.header('host') ?? '') ?? [];
  const host = name.replace(/^\[|\]$/g, '').toLowerCase();
  if (LOOPBACK.test(host) || names.includes(host)) return;
  throw new Refusal('denied', 'this registry has another name: see --name');
}

/** What every answer carries for a page of an allowed origin. */
export function corsHeaders(rules: OriginRules, request: RegistryRequest): Record<string, string> {
  const origin = request.header('origin');
  if (origin === undefined || !isAllowedOrigin(rules, origin)) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': SHOWN_HEADERS,
    vary: 'origin',
  };
}

function isAllowedOrigin({ origins }: OriginRules, origin: string): boolean {
  return origins.includes(origin) || origins.includes('*');
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && origin.replace(/^https?:\/\//, '') === host;
}
