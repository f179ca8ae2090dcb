/** `RUN --mount=type=cache,target=/x,…`: a line of comma separated values with keys. */
import { refuse } from './errors.ts';
import type { SourceText, Word } from './source.ts';

export type MountType = 'bind' | 'cache' | 'tmpfs' | 'secret' | 'ssh';
export type CacheSharing = 'shared' | 'private' | 'locked';

export interface Mount {
  readonly type: MountType;
  /** Stage, image or build context; the build context where it is empty. */
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  /** Of a tmpfs; 0 is no limit. */
  readonly sizeBytes: number;
  readonly id: string;
  readonly sharing: CacheSharing | undefined;
  readonly required: boolean;
  /** Name of the variable that gets a secret; undefined for a file. */
  readonly env: string | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

type Draft = { -readonly [Key in keyof Mount]: Mount[Key] };

const TYPES: readonly MountType[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const SHARING: readonly CacheSharing[] = ['shared', 'private', 'locked'];
const KEYS = [
  ...['type', 'from', 'source', 'target', 'readonly', 'id', 'sharing', 'required', 'size', 'mode', 'uid', 'gid'],
  ...['src', 'dst', 'destination', 'ro', 'rw', 'readwrite', 'env'],
];

class MountError extends Error {
  readonly nearest: { name: string; known: readonly string[] } | undefined;
  constructor(message: string, nearest?: { name: string; known: readonly string[] }) {
    super(message);
    this.nearest = nearest;
  }
}

/** `from` decides which stages are needed, before any variable has a value. */
export function checkMountFrom(written: Word, source: SourceText): void {
  const { from } = fromOf(written, source);
  const dollar = from.indexOf('$');
  if (dollar < 0 || dollar === from.length - 1) return;
  throw refuse(source, written.span, "'from' doesn't support variable expansion, define alias stage instead", {
    hint: `write FROM \${IMAGE} AS name above, and from=name here`,
  });
}

/** What a mount is taken from, variables not looked at; empty for the build context. */
export function fromOf(written: Word, source: SourceText): { from: string } {
  let from = '';
  for (const field of fieldsOf(written, source)) {
    const [key, value] = cut(field);
    if (key.toLowerCase() === 'from' && value !== undefined) from = value;
  }
  return { from };
}

/** Throws `invalid-dockerfile`. `expand` substitutes variables in each value. */
export function parseMount(written: Word, expand: (value: string) => string, source: SourceText): Mount {
  const mount: Draft = {
    ...{ type: 'bind', from: '', source: '', target: '', readOnly: false, sizeBytes: 0, id: '' },
    ...{ sharing: undefined, required: false, env: undefined, mode: undefined, uid: undefined, gid: undefined },
  };
  const state = { isAccessGiven: false };
  try {
    for (const field of fieldsOf(written, source)) {
      const [key, value] = cut(field);
      if (value === undefined) setSwitch(mount, key.toLowerCase(), field, state);
      else setValue(mount, key.toLowerCase(), expand(value), field, state);
    }
    if (!state.isAccessGiven) mount.readOnly = mount.type !== 'cache' && mount.type !== 'tmpfs';
    checkMount(mount);
  } catch (error) {
    if (!(error instanceof MountError)) throw error;
    const { nearest } = error;
    throw refuse(source, written.span, error.message, nearest === undefined ? {} : { nearest });
  }
  return mount;
}

function setSwitch(mount: Draft, key: string, field: string, state: { isAccessGiven: boolean }): void {
  if (key === 'required') setRequired(mount, true);
  else if (key === 'readonly' || key === 'ro' || key === 'readwrite' || key === 'rw') {
    mount.readOnly = key.startsWith('reado') || key === 'ro';
    state.isAccessGiven = true;
  } else {
    throw new MountError(
      `invalid field '${field}' must be a key=value pair`,
      KEYS.includes(key) ? undefined : { name: key, known: KEYS },
    );
  }
}

function setValue(mount: Draft, key: string, value: string, field: string, state: { isAccessGiven: boolean }): void {
  switch (key) {
    case 'type':
      mount.type = oneOf(value, TYPES, 'unsupported mount type');
      return;
    case 'from':
      mount.from = value;
      return;
    case 'source':
    case 'src':
      mount.source = value;
      return;
    case 'target':
    case 'dst':
    case 'destination':
      mount.target = value;
      return;
    case 'readonly':
    case 'ro':
    case 'readwrite':
    case 'rw':
      mount.readOnly = parseBool(key, value) === (key === 'readonly' || key === 'ro');
      state.isAccessGiven = true;
      return;
    case 'required':
      setRequired(mount, value);
      return;
    case 'size':
      if (mount.type !== 'tmpfs') throw new MountError(`unexpected key 'size' for mount type '${mount.type}'`);
      mount.sizeBytes = parseSize(value);
      return;
    case 'id':
      mount.id = value;
      return;
    case 'sharing':
      mount.sharing = oneOf(value, SHARING, 'unsupported sharing value');
      return;
    case 'mode':
      mount.mode = parseUint(value, 8, `invalid value ${value} for mode`);
      return;
    case 'uid':
    case 'gid':
      mount[key] = parseUint(value, 10, `invalid value ${value} for ${key}`);
      return;
    case 'env':
      mount.env = value;
      return;
    default:
      throw new MountError(`unexpected key '${key}' in '${field}'`, { name: key, known: KEYS });
  }
}

function setRequired(mount: Draft, value: string | true): void {
  if (mount.type !== 'secret' && mount.type !== 'ssh') {
    throw new MountError(`unexpected key 'required' for mount type '${mount.type}'`);
  }
  mount.required = value === true || parseBool('required', value);
}

function checkMount(mount: Draft): void {
  const { type, from, source, target, id, sharing } = mount;
  if (type === 'bind' || type === 'tmpfs') {
    for (const key of ['mode', 'uid', 'gid'] as const) {
      if (mount[key] !== undefined) throw new MountError(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === 'secret') {
    if (from !== '') throw new MountError('secret mount should not have a from');
    if (sharing !== undefined) throw new MountError('secret mount should not define sharing');
    if (source === '' && target === '' && id === '') {
      throw new MountError('invalid secret mount. one of source, target required');
    }
    if (source !== '' && id !== '') throw new MountError("both source and id can't be set");
  }
  if (sharing !== undefined && type !== 'cache') throw new MountError(`invalid cache sharing set for ${type} mount`);
}

function oneOf<T extends string>(value: string, known: readonly T[], what: string): T {
  const found = known.find((name) => name === value.toLowerCase());
  if (found === undefined) throw new MountError(`${what} "${value}"`, { name: value, known });
  return found;
}

/** The words Go's ParseBool takes. */
function parseBool(key: string, value: string): boolean {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(value)) return false;
  throw new MountError(`invalid value for ${key}: ${value}`);
}

function parseUint(value: string, base: 8 | 10, message: string): number {
  const number = (base === 8 ? /^[0-7]+$/ : /^\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(number <= 0xffff_ffff)) throw new MountError(message);
  return number;
}

/** `64m`, `1.5 GiB`: powers of 1024, as docker reads sizes. */
function parseSize(value: string): number {
  const match = /^(\d+(?:\.\d*)?|\.\d+) ?([kmgtp]?)(?:i?b)?$/i.exec(value);
  const power = 'kmgtp'.indexOf((match?.[2] ?? '').toLowerCase() || '?') + 1;
  const bytes = match === null ? Number.NaN : Math.trunc(Number(match[1]) * 1024 ** power);
  if (!Number.isSafeInteger(bytes)) throw new MountError(`invalid value for size: ${value}`);
  return bytes;
}

function cut(field: string): [key: string, value: string | undefined] {
  const equals = field.indexOf('=');
  return equals < 0 ? [field, undefined] : [field.slice(0, equals), field.slice(equals + 1)];
}

/** One line of CSV; a quoted field may hold commas, and quotes as two of them. */
function fieldsOf({ text, span }: Word, source: SourceText): string[] {
  const fields: string[] = [];
  let at = 0;
  if (text === '') throw refuse(source, span, 'failed to parse csv mounts: nothing is there', { hint: MOUNT_HINT });
  for (;;) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const field = text.slice(at, comma < 0 ? undefined : comma);
      if (field.includes('"')) {
        throw refuse(source, span, 'failed to parse csv mounts: a quote inside a field', { hint: MOUNT_HINT });
      }
      fields.push(field);
      if (comma < 0) return fields;
      at = comma + 1;
      continue;
    }
    const match = /^"((?:[^"]|"")*)"(,|$)/.exec(text.slice(at));
    if (match === null) {
      throw refuse(source, span, 'failed to parse csv mounts: a quote is not closed', { hint: MOUNT_HINT });
    }
    fields.push((match[1] as string).replaceAll('""', '"'));
    at += match[0].length;
    if (match[2] === '') return fields;
  }
}

const MOUNT_HINT = 'write --mount=type=bind,source=…,target=…';
