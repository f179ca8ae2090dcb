/**
 * Reads a tar as it arrives: a member at a time, its data lent until the next is asked for. ustar, GNU long names and
 * links, PAX records of a member (path, linkpath, size, uid, gid, mtime) and of all that follow, base-256 numbers.
 * Nothing of the archive is kept but the member at hand. Throws `invalid-argument` for what is no tar, or ends early.
 */
import { WctrError } from '../../errors.ts';
import { type ByteString, fromBytes } from './names.ts';
import { roundUp, TAR_BLOCK } from './tar-header.ts';

export interface TarEntry {
  readonly name: ByteString;
  /** As in the header; '\0' and '7' are given as '0', and as '5' where the name ends in a slash. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly link: ByteString;
  readonly data: AsyncIterable<Uint8Array>;
}

const MAX_EXTENDED_BYTES = 1024 * 1024;
const HEADER_ONLY = '123456';
const KNOWN = '0123456';

type Records = Map<string, ByteString>;

export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new Input(chunks);
  let everywhere: Records = new Map();
  let extended: Records = new Map();
  try {
    for (let count = 0; ; count += 1) {
      const header = await input.exactly(TAR_BLOCK, count === 0 || extended.size === 0);
      // One zero block ends it; some writers leave even that out.
      if (header === undefined || header.every((byte) => byte === 0)) {
        if (extended.size > 0) throw bad('ends after an extended header');
        await input.drain();
        return;
      }
      if (!isChecksumRight(header)) throw bad(count === 0 ? 'is no tar' : 'has a damaged header');
      const type = String.fromCharCode(header[156]!);
      const stated = number(header, 124, 12);
      if ('xgLK'.includes(type)) {
        if (!(stated >= 0 && stated <= MAX_EXTENDED_BYTES)) throw bad(`has an extended header of ${stated} bytes`);
        const data = (await input.exactly(roundUp(stated), false))!.subarray(0, stated);
        if (type === 'x') extended = new Map([...extended, ...paxRecords(data)]);
        else if (type === 'g') everywhere = new Map([...everywhere, ...paxRecords(data)]);
        else extended.set(type === 'L' ? 'path' : 'linkpath', text(data, 0, stated));
        continue;
      }
      const entry = describe(header, type, new Map([...everywhere, ...extended]));
      extended = new Map();
      const data = input.data(entry.size);
      yield { ...entry, data };
      await input.skip();
    }
  } finally {
    await input.close();
  }
}

function describe(header: Uint8Array, raw: string, extended: Records): Omit<TarEntry, 'data'> {
  const prefix = text(header, 257, 5) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
  const own = text(header, 0, 100);
  const name = extended.get('path') ?? (prefix === '' ? own : `${prefix}/${own}`);
  const isPlain = raw === '\0' || raw === '7' || raw === '0';
  const type = isPlain ? (name.endsWith('/') ? '5' : '0') : raw;
  if (!KNOWN.includes(type)) throw bad(`has a member of a type that is not supported: ${JSON.stringify(type)}`);
  if ([...extended.keys()].some((key) => key.startsWith('GNU.sparse.'))) {
    throw bad('has a sparse file', 'make it without --sparse');
  }
  const size = HEADER_ONLY.includes(type) ? 0 : numberOf(extended.get('size'), number(header, 124, 12));
  const uid = numberOf(extended.get('uid'), number(header, 108, 8));
  const gid = numberOf(extended.get('gid'), number(header, 116, 8));
  if (![size, uid, gid].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    throw bad('has a member with numbers that are none');
  }
  if (name === '' || name.includes('\0')) throw bad('has a member without a name');
  return {
    name,
    type,
    mode: number(header, 100, 8) & 0o7777,
    uid: uid >>> 0,
    gid: gid >>> 0,
    size,
    mtimeNs: mtimeOf(extended.get('mtime'), number(header, 136, 12)),
    link: extended.get('linkpath') ?? text(header, 157, 100),
  };
}

function numberOf(record: ByteString | undefined, field: number): number {
  if (record === undefined) return field;
  return /^\d{1,16}$/.test(record) ? Number(record) : Number.NaN;
}

const MAX_SECONDS = 2n ** 33n;

/** Decimal seconds with a fraction, or the header's whole ones; out of range: the epoch. */
function mtimeOf(record: ByteString | undefined, field: number): bigint {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(record ?? '') ?? [];
  const seconds = record === undefined ? BigInt(Number.isSafeInteger(field) ? field : 0) : BigInt(whole);
  if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS) return 0n;
  const ns = seconds * 1_000_000_000n + BigInt(`0${fraction}`.slice(1, 10).padEnd(9, '0'));
  return sign === '-' ? -ns : ns;
}

/** `<length> <key>=<value>\n`, the length counting the whole record. */
function paxRecords(data: Uint8Array): Records {
  const records: Records = new Map();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = space < 0 ? Number.NaN : Number(fromBytes(data.subarray(at, Math.min(space, at + 12))));
    if (!Number.isInteger(length) || length <= space - at + 1 || at + length > data.length) {
      throw bad('has a broken PAX header');
    }
    const record = fromBytes(data.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    if (equals <= 0 || data[at + length - 1] !== 0x0a) throw bad('has a broken PAX header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return records;
}

function isChecksumRight(header: Uint8Array): boolean {
  let sum = 0;
  let signed = 0;
  for (let i = 0; i < TAR_BLOCK; i += 1) {
    const byte = i >= 148 && i < 156 ? 0x20 : header[i]!;
    sum += byte;
    signed += (byte << 24) >> 24;
  }
  const stated = number(header, 148, 8);
  return sum === stated || signed === stated;
}

/** Octal text, or base-256 when the first byte's high bit is set. NaN when it is neither. */
function number(header: Uint8Array, at: number, length: number): number {
  const first = header[at]!;
  if ((first & 0x80) === 0) {
    const digits = text(header, at, length).trim();
    return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  }
  const isNegative = (first & 0x40) !== 0;
  let value = isNegative ? -1 * (0x80 - (first & 0x7f)) : first & 0x7f;
  for (let i = 1; i < length; i += 1) value = value * 256 + header[at + i]!;
  return value;
}

function text(bytes: Uint8Array, at: number, length: number): ByteString {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return fromBytes(end < 0 ? field : field.subarray(0, end));
}

function bad(why: string, hint?: string): WctrError {
  return new WctrError('invalid-argument', `the archive ${why}`, hint === undefined ? {} : { hint });
}

/** Chunks of any size, taken in pieces of the right one. */
class Input {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk = new Uint8Array();
  /** Data and padding of the member at hand that nobody took yet. */
  #rest = 0;
  #padding = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** `length` bytes; undefined at the end where that `mayEnd`. */
  async exactly(length: number, mayEnd: boolean): Promise<Uint8Array | undefined> {
    if (this.#chunk.length >= length) return this.#take(length);
    const whole = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      if (!(await this.#fill())) {
        if (done === 0 && mayEnd) return undefined;
        throw bad('ends too early');
      }
      const part = this.#take(Math.min(length - done, this.#chunk.length));
      whole.set(part, done);
      done += part.length;
    }
    return whole;
  }

  data(size: number): AsyncGenerator<Uint8Array> {
    this.#rest = size;
    this.#padding = roundUp(size) - size;
    return this.#pieces();
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    while (this.#rest > 0) {
      if (!(await this.#fill())) throw bad('ends too early');
      const part = this.#take(Math.min(this.#rest, this.#chunk.length));
      this.#rest -= part.length;
      yield part;
    }
  }

  async skip(): Promise<void> {
    for (let rest = this.#rest + this.#padding; rest > 0; ) {
      if (!(await this.#fill())) throw bad('ends too early');
      rest -= this.#take(Math.min(rest, this.#chunk.length)).length;
    }
    this.#rest = 0;
    this.#padding = 0;
  }

  /** What comes after the end is read, so that whoever sends it is not cut off. */
  async drain(): Promise<void> {
    while (await this.#fill()) this.#chunk = new Uint8Array();
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #take(length: number): Uint8Array {
    const part = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return part;
  }

  async #fill(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      this.#chunk = value as Uint8Array<ArrayBuffer>;
    }
    return true;
  }
}
