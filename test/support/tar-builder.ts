/** Builds tars byte by byte, honest and hostile: whatever a field is given, that is what the archive has. */

export interface EntryFields {
  name?: string | Uint8Array;
  type?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  /** The size field of the header; by default the length of the data. */
  size?: number | bigint;
  mtime?: number;
  link?: string;
  magic?: 'ustar' | 'gnu' | 'v7';
  prefix?: string;
  major?: number;
  minor?: number;
  data?: Uint8Array | string;
  /** Raw bytes of fields, by offset, put in last but before the checksum. */
  raw?: Record<number, string | Uint8Array>;
  /** A checksum field of one's own. */
  checksum?: string;
  /** The sum over signed bytes, as old Sun tars have it. */
  signedChecksum?: boolean;
}

const encoder = new TextEncoder();

export function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? encoder.encode(value) : value;
}

/** One header, its data, and the padding. */
export function entry(fields: EntryFields): Uint8Array {
  const data = bytesOf(fields.data ?? '');
  const header = new Uint8Array(512);
  header.set(bytesOf(fields.name ?? 'file').subarray(0, 100), 0);
  put(header, 100, 8, fields.mode ?? 0o644);
  put(header, 108, 8, fields.uid ?? 0);
  put(header, 116, 8, fields.gid ?? 0);
  put(header, 124, 12, fields.size ?? data.length);
  put(header, 136, 12, fields.mtime ?? 0);
  header.set(encoder.encode(fields.type ?? '0').subarray(0, 1), 156);
  header.set(encoder.encode(fields.link ?? '').subarray(0, 100), 157);
  const magic = fields.magic ?? 'ustar';
  if (magic !== 'v7') {
    header.set(encoder.encode(magic === 'gnu' ? 'ustar  \0' : 'ustar\x0000'), 257);
    put(header, 329, 8, fields.major ?? 0);
    put(header, 337, 8, fields.minor ?? 0);
    if (magic === 'ustar') header.set(encoder.encode(fields.prefix ?? '').subarray(0, 155), 345);
  }
  for (const [at, value] of Object.entries(fields.raw ?? {})) header.set(bytesOf(value), Number(at));
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + (fields.signedChecksum ? (byte << 24) >> 24 : byte), 0);
  header.set(encoder.encode(fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\0 `), 148);
  return join([header, pad(data)]);
}

/** Octal where it fits, else GNU's base 256. */
function put(header: Uint8Array, at: number, length: number, value: number | bigint): void {
  const big = BigInt(value);
  if (big >= 0n && big < 8n ** BigInt(length - 1)) {
    header.set(encoder.encode(`${big.toString(8).padStart(length - 1, '0')}\0`), at);
    return;
  }
  let rest = BigInt.asUintN(length * 8, big);
  for (let i = length - 1; i >= 0; i--) {
    header[at + i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (big >= 0n) header[at] = header[at]! | 0x80;
}

/** Records of a pax header: "%d key=value\n" each. */
export function paxRecords(records: readonly (readonly [string, string | Uint8Array])[]): Uint8Array {
  return join(
    records.map(([key, value]) => {
      const body = join([encoder.encode(` ${key}=`), bytesOf(value), encoder.encode('\n')]);
      let length = body.length + 1;
      while (`${length}`.length + body.length !== length) length = `${length}`.length + body.length;
      return join([encoder.encode(`${length}`), body]);
    }),
  );
}

/** A pax header ('x' local, 'g' global) with these records. */
export function pax(records: readonly (readonly [string, string | Uint8Array])[], type: 'x' | 'g' = 'x'): Uint8Array {
  return entry({ name: 'PaxHeaders/0', type, data: paxRecords(records) });
}

/** GNU's long name ('L') or long link ('K'). */
export function gnuLong(type: 'L' | 'K', text: string): Uint8Array {
  return entry({ name: '././@LongLink', type, magic: 'gnu', data: `${text}\0` });
}

/** A file of GNU's sparse type 'S': runs as [offset, length], the first four in the header. */
export function gnuSparse(
  name: string,
  realSize: number,
  runs: readonly (readonly [number, number])[],
  data: Uint8Array,
): Uint8Array {
  const header = entry({
    name,
    type: 'S',
    magic: 'gnu',
    size: data.length,
    raw: { 386: pairs(runs.slice(0, 4), 4), 482: runs.length > 4 ? '\x01' : '\0', 483: octal(realSize, 12) },
  });
  const blocks: Uint8Array[] = [];
  for (let i = 4; i < runs.length; i += 21) {
    const block = new Uint8Array(512);
    block.set(pairs(runs.slice(i, i + 21), 21));
    block[504] = i + 21 < runs.length ? 1 : 0;
    blocks.push(block);
  }
  return join([header, ...blocks, pad(data)]);
}

function pairs(runs: readonly (readonly [number, number])[], count: number): Uint8Array {
  const bytes = new Uint8Array(count * 24);
  for (const [i, [offset, length]] of runs.entries()) {
    bytes.set(encoder.encode(octal(offset, 12)), i * 24);
    bytes.set(encoder.encode(octal(length, 12)), i * 24 + 12);
  }
  return bytes;
}

export function octal(value: number, length: number): string {
  return `${value.toString(8).padStart(length - 1, '0')}\0`;
}

export function pad(data: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(data.length / 512) * 512);
  padded.set(data);
  return padded;
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export type TarEntry = EntryFields | Uint8Array;

/** Entries and the two blocks that end an archive. */
export function tar(...entries: TarEntry[]): Uint8Array<ArrayBuffer> {
  return join([...entries.map((part) => (part instanceof Uint8Array ? part : entry(part))), new Uint8Array(1024)]);
}
