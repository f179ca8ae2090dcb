/**
 * Image configs (image-spec config.md) from outside. What passes here is safe to hand on: no NUL, no absurd sizes, only
 * syntax a process can be started with. Nothing in a config ever reaches an option of the host.
 */
import type { HealthcheckConfig, HistoryEntry, Platform, ProcessConfig } from '../spec/image-spec.ts';
import { type Digest, MEDIA_TYPE } from '../spec/image-spec.ts';
import { isDigest } from './digest.ts';
import { JsonDocument, type JsonObject } from './json-document.ts';
import { quote } from './quote.ts';

export interface ImageConfig {
  readonly platform: Platform;
  /** RFC 3339, as the document has it. */
  readonly created?: string;
  readonly author?: string;
  readonly process: ProcessConfig;
  /** Of each layer's plain tar, lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
}

const MAX_ITEMS = 4096;
const MAX_TEXT_CHARS = 128 * 1024;
/** What Linux takes as one process' arguments and environment (a quarter of 8 MiB of stack, ARG_MAX). */
const MAX_PROCESS_CHARS = 2 * 1024 * 1024;
const PORT = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(?:tcp|udp|sctp))?$/;
const SIGNAL = /^[A-Za-z0-9+-]{1,16}$/;

export function isImageConfigMediaType(mediaType: string): boolean {
  return mediaType === MEDIA_TYPE.ociConfig || mediaType === MEDIA_TYPE.dockerConfig;
}

/** Throws `invalid-manifest` or `limit-exceeded`. `what` is how messages call it. */
export function parseImageConfig(bytes: Uint8Array, what: string): ImageConfig {
  const document = new JsonDocument(what, bytes);
  const { root } = document;
  const platform = document.platform(root, 'platform');
  const created = document.text(root.created, 'created', 64);
  const author = document.text(root.author, 'author', 4096);
  return {
    platform: platform ?? { os: '', architecture: '' },
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    process: root.config === undefined || root.config === null ? {} : parseProcess(document, root.config),
    diffIds: parseDiffIds(document),
    history: parseHistory(document),
  };
}

function parseDiffIds(document: JsonDocument): readonly Digest[] {
  if (document.root.rootfs === undefined || document.root.rootfs === null) return [];
  const rootfs = document.object(document.root.rootfs, 'rootfs');
  if (rootfs.type !== undefined && rootfs.type !== 'layers') throw document.fail('rootfs.type is not "layers"');
  return (document.array(rootfs.diff_ids, 'rootfs.diff_ids', 1024) ?? []).map((diffId, i) => {
    if (!isDigest(diffId)) throw document.fail(`rootfs.diff_ids[${i}] is not a digest`);
    return diffId;
  });
}

function parseHistory(document: JsonDocument): readonly HistoryEntry[] {
  return (document.array(document.root.history, 'history', MAX_ITEMS) ?? []).map((item, i) => {
    const entry = document.object(item, `history[${i}]`);
    const text = (name: string) => document.text(entry[name], `history[${i}].${name}`, MAX_TEXT_CHARS);
    return {
      ...optional('created', text('created')),
      ...optional('created_by', text('created_by')),
      ...optional('author', text('author')),
      ...optional('comment', text('comment')),
      ...(entry.empty_layer === true ? { empty_layer: true } : {}),
    };
  });
}

function parseProcess(document: JsonDocument, value: unknown): ProcessConfig {
  const fields = document.object(value, 'config');
  const texts = (name: string) => document.texts(fields[name], `config.${name}`, MAX_ITEMS, MAX_TEXT_CHARS);
  const entrypoint = texts('Entrypoint');
  const cmd = texts('Cmd');
  const env = texts('Env');
  env?.forEach((entry, i) => {
    if (entry.indexOf('=') <= 0) throw document.fail(`config.Env[${i}] ${quote(entry, 60)} is not NAME=value`);
  });
  const chars = [...(entrypoint ?? []), ...(cmd ?? []), ...(env ?? [])].reduce((sum, text) => sum + text.length, 0);
  if (chars > MAX_PROCESS_CHARS) throw document.fail(`config has ${chars} characters of arguments and environment`);
  return {
    ...optional('User', parseUser(document, fields)),
    ...optional('ExposedPorts', parsePorts(document, fields)),
    ...optional('Env', env),
    ...optional('Entrypoint', entrypoint),
    ...optional('Cmd', cmd),
    ...optional('Volumes', parseVolumes(document, fields)),
    ...optional('WorkingDir', parseWorkingDir(document, fields)),
    ...optional('Labels', document.textMap(fields.Labels, 'config.Labels', MAX_ITEMS, MAX_TEXT_CHARS)),
    ...optional('StopSignal', parseStopSignal(document, fields)),
    ...optional('StopTimeout', document.integer(fields.StopTimeout, 'config.StopTimeout', 2 ** 31 - 1)),
    ...optional('Healthcheck', parseHealthcheck(document, fields)),
    ...optional('Shell', texts('Shell')),
    ...optional('OnBuild', texts('OnBuild')),
  };
}

function parseUser(document: JsonDocument, fields: JsonObject): string | undefined {
  const user = document.text(fields.User, 'config.User', 256);
  if (user !== undefined && /[\p{Cc}\s/]/u.test(user)) throw document.fail(`config.User ${quote(user)} is not a user`);
  return user;
}

function parseWorkingDir(document: JsonDocument, fields: JsonObject): string | undefined {
  const dir = document.text(fields.WorkingDir, 'config.WorkingDir', 4096);
  return dir === '' ? undefined : dir;
}

function parseStopSignal(document: JsonDocument, fields: JsonObject): string | undefined {
  const signal = document.text(fields.StopSignal, 'config.StopSignal', 64);
  if (signal === undefined || signal === '') return undefined;
  if (!SIGNAL.test(signal)) throw document.fail(`config.StopSignal ${quote(signal)} is not a signal`);
  return signal;
}

type EmptyMap = Readonly<Record<string, Readonly<Record<string, never>>>>;

function parsePorts(document: JsonDocument, fields: JsonObject): EmptyMap | undefined {
  return keySet(document, fields.ExposedPorts, 'config.ExposedPorts', (key) => {
    const [, low, high] = PORT.exec(key) ?? [];
    return (
      low !== undefined && Number(low) <= 65535 && Number(high ?? low) <= 65535 && Number(high ?? low) >= Number(low)
    );
  });
}

/** A volume is a path inside the container; anything that looks like a bind of the host is refused. */
function parseVolumes(document: JsonDocument, fields: JsonObject): EmptyMap | undefined {
  return keySet(
    document,
    fields.Volumes,
    'config.Volumes',
    (key) => key.startsWith('/') && key.length <= 4096 && !/[\0:]/.test(key) && !key.split('/').includes('..'),
  );
}

function keySet(
  document: JsonDocument,
  value: unknown,
  path: string,
  isValid: (key: string) => boolean,
): EmptyMap | undefined {
  if (value === undefined || value === null) return undefined;
  const keys = Object.keys(document.object(value, path));
  if (keys.length > 1024) throw document.fail(`${path} has ${keys.length} items, more than 1024`);
  const wrong = keys.find((key) => !isValid(key));
  if (wrong !== undefined) throw document.fail(`${path} key ${quote(wrong, 80)} is not valid`);
  return Object.fromEntries(keys.map((key) => [key, {}]));
}

function parseHealthcheck(document: JsonDocument, fields: JsonObject): HealthcheckConfig | undefined {
  if (fields.Healthcheck === undefined || fields.Healthcheck === null) return undefined;
  const check = document.object(fields.Healthcheck, 'config.Healthcheck');
  const duration = (name: string) => document.integer(check[name], `config.Healthcheck.${name}`);
  return {
    ...optional('Test', document.texts(check.Test, 'config.Healthcheck.Test', MAX_ITEMS, MAX_TEXT_CHARS)),
    ...optional('Interval', duration('Interval')),
    ...optional('Timeout', duration('Timeout')),
    ...optional('StartPeriod', duration('StartPeriod')),
    ...optional('StartInterval', duration('StartInterval')),
    ...optional('Retries', document.integer(check.Retries, 'config.Healthcheck.Retries', 2 ** 31 - 1)),
  };
}

/** `{ [name]: value }`, or nothing for undefined. */
function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [key in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [key in Name]: Value });
}
