/**
 * Who may ask. A page in a browser reaches every socket its user reaches: by a name that resolves to loopback, or by
 * posting across sites (CVE-2025-9074). Programs send no Origin, no Sec-Fetch-Site, and a Host they were told.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface AccessRule {
  /** Whether this name, without a port, is us. Absent: not a network address, the name says nothing. */
  readonly isOurName?: (host: string) => boolean;
}

/** Why the request is refused; undefined when it is not. */
export function deniedBecause(rule: AccessRule, headers: IncomingHttpHeaders): string | undefined {
  if (headers.origin !== undefined) return 'requests of web pages are refused: Origin header';
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'none') return 'requests of web pages are refused: Sec-Fetch-Site header';
  if (rule.isOurName === undefined) return undefined;
  const [, host = ''] = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/@\s]+)(?::\d{1,5})?$/.exec(headers.host ?? '') ?? [];
  const name = host.replace(/^\[|\]$/g, '').toLowerCase();
  return name !== '' && rule.isOurName(name) ? undefined : 'this is not the host that was asked for: Host header';
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** Names of a listener without TLS, on `host`. */
export function plainNames(host: string): AccessRule {
  return { isOurName: (name) => LOOPBACK.test(name) || name === host.toLowerCase() };
}
