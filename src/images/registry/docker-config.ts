/**
 * docker's config.json, as far as logins go: `auths`, `credHelpers`, `credsStore`.
 * https://github.com/docker/cli/blob/v27.0.0/docs/reference/commandline/login.md
 */
import { WctrError } from '../../errors.ts';
import type { CredentialHelpers, FileSystem } from '../../host/ports.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { DOCKER_HUB } from './registries.ts';

/** The key docker has kept for docker.io since the first registry protocol. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const DOCKER_HUB_HOSTS = new Set([DOCKER_HUB, 'index.docker.io', 'registry-1.docker.io']);
/** A credential helper says with this username that its secret is an identity token. */
const TOKEN_USERNAME = '<token>';

export interface DockerConfig {
  /** Where it was read from, for messages. */
  readonly path: string;
  readonly auths: Readonly<Record<string, AuthEntry>>;
  readonly credHelpers: Readonly<Record<string, string>>;
  readonly credsStore: string | undefined;
}

interface AuthEntry {
  readonly auth?: unknown;
  readonly username?: unknown;
  readonly password?: unknown;
  readonly identitytoken?: unknown;
  readonly registrytoken?: unknown;
}

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`; undefined when there is no home either. */
export function dockerConfigPath(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.DOCKER_CONFIG) return `${env.DOCKER_CONFIG.replace(/[/\\]+$/, '')}/config.json`;
  const home = env.HOME ?? env.USERPROFILE;
  return home ? `${home}/.docker/config.json` : undefined;
}

/** No file is an empty config. @throws invalid-argument when the file cannot be read or understood */
export async function readDockerConfig(fs: Pick<FileSystem, 'readFile'>, path: string): Promise<DockerConfig> {
  let bytes: Uint8Array;
  try {
    bytes = await fs.readFile(path);
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return parseDockerConfig('{}', path);
    throw new WctrError('invalid-argument', `cannot read ${path}: ${String(code ?? cause)}`, { cause, data: { path } });
  }
  return parseDockerConfig(new TextDecoder().decode(bytes), path);
}

/** @throws invalid-argument naming `path` and the key that is wrong */
export function parseDockerConfig(text: string, path: string): DockerConfig {
  let document: unknown;
  try {
    document = text.trim() === '' ? {} : JSON.parse(text);
  } catch (cause) {
    throw new WctrError('invalid-argument', `${path} is not valid JSON`, { cause, data: { path } });
  }
  if (!isRecord(document)) throw invalid(path, 'it must hold a JSON object');
  const auths = document.auths ?? {};
  if (!isRecord(auths) || !Object.values(auths).every(isRecord))
    throw invalid(path, '"auths" must map hosts to objects');
  const credHelpers = document.credHelpers ?? {};
  if (!isRecord(credHelpers) || !Object.values(credHelpers).every((name) => typeof name === 'string')) {
    throw invalid(path, '"credHelpers" must map hosts to helper names');
  }
  const credsStore = document.credsStore ?? '';
  if (typeof credsStore !== 'string') throw invalid(path, '"credsStore" must be a helper name');
  return {
    path,
    auths: auths as Record<string, AuthEntry>,
    credHelpers: credHelpers as Record<string, string>,
    credsStore: credsStore === '' ? undefined : credsStore,
  };
}

/** Helpers first, then what the file itself holds, as docker looks. */
export function dockerCredentials(config: DockerConfig, helpers: CredentialHelpers | undefined): CredentialSource {
  return async (host) => {
    const key = DOCKER_HUB_HOSTS.has(host) ? DOCKER_HUB_KEY : host;
    const helper = helperOf(config, host);
    if (helper !== undefined && helpers !== undefined) {
      const found = await helpers.get(helper, key);
      if (found !== undefined) return fromHelper(found);
    }
    return fromFile(config, host, key);
  };
}

/** The helper that keeps a registry's login; undefined where the file itself does. */
export function helperOf({ credHelpers, credsStore }: DockerConfig, host: string): string | undefined {
  const key = DOCKER_HUB_HOSTS.has(host) ? DOCKER_HUB_KEY : host;
  return ownValue(credHelpers, key) ?? ownValue(credHelpers, host) ?? credsStore;
}

/** Under what names the file has a login for a registry. */
export function keysOf({ auths }: DockerConfig, host: string): readonly string[] {
  return Object.keys(auths).filter((name) => sameRegistry(hostOfKey(name), host));
}

function fromHelper({ username, secret }: { username: string; secret: string }): Credentials {
  return username === TOKEN_USERNAME ? { identityToken: secret } : { username, password: secret };
}

function fromFile(config: DockerConfig, host: string, key: string): Credentials | undefined {
  const entry =
    ownValue(config.auths, key) ??
    Object.entries(config.auths).find(([name]) => sameRegistry(hostOfKey(name), host))?.[1];
  if (entry === undefined) return undefined;
  if (isText(entry.registrytoken)) return { registryToken: entry.registrytoken };
  if (isText(entry.identitytoken)) return { identityToken: entry.identitytoken };
  if (isText(entry.auth)) return decodeAuth(entry.auth, config.path, host);
  if (isText(entry.username) && isText(entry.password)) return { username: entry.username, password: entry.password };
  return undefined;
}

function decodeAuth(auth: string, path: string, host: string): Credentials {
  let text = '';
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(atob(auth), (char) => char.charCodeAt(0)));
  } catch {
    // Reported below: without a colon.
  }
  const colon = text.indexOf(':');
  if (colon <= 0) throw invalid(path, `"auth" of "${host}" must be base64 of "user:password"`);
  // Docker pads passwords with NUL on some platforms.
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/^\0+|\0+$/g, '') };
}

/** Keys were URLs once: `https://host/v2/` stands for `host`. */
function hostOfKey(key: string): string {
  return key.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
}

/** True for two names of one registry's host. */
export function sameRegistry(a: string, b: string): boolean {
  return a === b || (DOCKER_HUB_HOSTS.has(a) && DOCKER_HUB_HOSTS.has(b));
}

function invalid(path: string, what: string): WctrError {
  return new WctrError('invalid-argument', `${path}: ${what}`, { data: { path } });
}

/** The file decides the keys: "__proto__" must not find anything. */
function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
