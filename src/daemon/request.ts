/** What requests say: flags and filters of the query, bodies checked against their schema. */
import * as v from 'valibot';
import { WctrError } from '../errors.ts';
import type { CredentialSource } from '../images/registry/credentials.ts';
import { dockerCredentials, parseDockerConfig } from '../images/registry/docker-config.ts';
import type { Filters } from '../spec/engine-api.ts';
import { chunksOf } from './reply.ts';

/** A create request with thousands of labels is far below this. */
const MAX_JSON_BYTES = 4 << 20;

/** Go's client writes `1`, scripts write `true`. */
export function flag(url: URL, name: string, fallback = false): boolean {
  const value = url.searchParams.get(name);
  if (value === null || value === '') return fallback;
  return !/^(0|no|false|none)$/i.test(value.trim());
}

export function text(url: URL, name: string): string | undefined {
  return url.searchParams.get(name) || undefined;
}

/** Throws `invalid-argument` for what is no whole number. */
export function integer(url: URL, name: string): number | undefined {
  const value = text(url, name);
  if (value === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(value)) {
    throw new WctrError('invalid-argument', `invalid value "${value}" for "${name}": expected a whole number`);
  }
  return Number(value);
}

/** `{"label":{"a=b":true}}` since 1.22, `{"label":["a=b"]}` before; both are sent. */
export function filters(url: URL): Filters {
  const value = text(url, 'filters');
  if (value === undefined) return {};
  const document = parse(value, 'filters');
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw badFilters();
  const found: Record<string, string[]> = {};
  for (const [name, values] of Object.entries(document)) {
    const list = Array.isArray(values)
      ? values
      : typeof values === 'object' && values !== null
        ? Object.keys(values)
        : undefined;
    if (list === undefined || !list.every((item) => typeof item === 'string')) throw badFilters();
    // The client decides the keys.
    Object.defineProperty(found, name, { value: list, enumerable: true, configurable: true, writable: true });
  }
  return found;
}

function badFilters(): WctrError {
  return new WctrError('invalid-argument', 'invalid filters: expected an object of lists');
}

/** The body, checked. An empty one is what `whenEmpty` says, where that may be. */
export async function body<S extends v.GenericSchema>(
  request: Request,
  schema: S,
  whenEmpty?: unknown,
): Promise<v.InferOutput<S>> {
  const content = await jsonText(request);
  if (content.trim() === '' && whenEmpty === undefined) {
    throw new WctrError('invalid-argument', 'invalid JSON: got EOF while reading request body');
  }
  const result = v.safeParse(schema, content.trim() === '' ? whenEmpty : parse(content, 'JSON'));
  if (result.success) return result.output;
  const issue = result.issues[0];
  const path = v.getDotPath(issue) ?? '';
  throw new WctrError('invalid-argument', `invalid request body: ${path === '' ? '' : `${path}: `}${issue.message}`);
}

async function jsonText(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let content = '';
  let length = 0;
  for await (const chunk of chunksOf(request.body)) {
    length += chunk.length;
    if (length > MAX_JSON_BYTES) {
      throw new WctrError('limit-exceeded', `request body is larger than ${MAX_JSON_BYTES} bytes`);
    }
    content += decoder.decode(chunk, { stream: true });
  }
  return content + decoder.decode();
}

function parse(content: string, what: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new WctrError('invalid-argument', `invalid ${what}: ${(cause as Error).message}`, { cause });
  }
}

/** X-Registry-Config: base64url of JSON, the `auths` of a docker config.json. Undefined where there is none. */
export function registryConfig(request: Request): CredentialSource | undefined {
  const header = request.headers.get('x-registry-config');
  if (header === null || header === '') return undefined;
  const auths = parse(decoded(header, 'X-Registry-Config') || '{}', 'X-Registry-Config header');
  return dockerCredentials(
    parseDockerConfig(JSON.stringify({ auths: auths ?? {} }), 'X-Registry-Config header'),
    undefined,
  );
}

/** A parameter that is a JSON object of texts; null is a name without a value. */
export function stringMap(url: URL, name: string): Record<string, string | null> {
  const value = text(url, name);
  const document = value === undefined ? null : parse(value, name);
  const result = v.safeParse(v.nullable(v.record(v.string(), v.nullable(v.string()))), document);
  if (!result.success) throw new WctrError('invalid-argument', `invalid ${name}: expected an object of texts`);
  return result.output ?? {};
}

function decoded(header: string, name: string): string {
  try {
    const standard = header.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
    return new TextDecoder().decode(Uint8Array.from(atob(standard), (char) => char.charCodeAt(0)));
  } catch (cause) {
    throw new WctrError('invalid-argument', `invalid ${name} header: not base64url`, { cause });
  }
}

/** X-Registry-Auth: base64url of JSON; `e30=` is an empty object. Undefined: anonymous. */
export function registryAuth(request: Request): v.InferOutput<typeof AUTH> | undefined {
  const header = request.headers.get('x-registry-auth');
  if (header === null || header === '') return undefined;
  const content = decoded(header, 'X-Registry-Auth');
  const result = v.safeParse(AUTH, parse(content === '' ? '{}' : content, 'X-Registry-Auth header'));
  if (!result.success) throw new WctrError('invalid-argument', 'invalid X-Registry-Auth header');
  const { username, password, identitytoken, registrytoken } = result.output;
  return username || password || identitytoken || registrytoken ? result.output : undefined;
}

const AUTH = v.object({
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  auth: v.optional(v.string()),
  serveraddress: v.optional(v.string()),
  identitytoken: v.optional(v.string()),
  registrytoken: v.optional(v.string()),
});
