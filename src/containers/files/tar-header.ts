/**
 * Headers of a tar, the same bytes for the same member: ustar, with a PAX record only for what ustar cannot hold (as Go's
 * archive/tar in its PAX format, which docker's clients and registries are used to).
 */
import { type ByteString, toBytes } from './names.ts';

export interface TarHeader {
  readonly name: ByteString;
  /** '0' file, '1' hard link, '2' symlink, '3' character device, '4' block device, '5' directory, '6' fifo. */
  readonly type: string;
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly link?: ByteString;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: readonly (readonly [ByteString, Uint8Array])[];
}

export const TAR_BLOCK = 512;
/** What ends an archive. */
export const TAR_END = new Uint8Array(2 * TAR_BLOCK);

const MAX_OCTAL_12 = 8 ** 11;
const MAX_OCTAL_8 = 8 ** 7;

/** The header and what has to come before it. */
export function encodeHeader(header: TarHeader): Uint8Array<ArrayBuffer> {
  const records: [string, ByteString][] = [];
  if (!fits(header.name)) records.push(['path', header.name]);
  if (header.link !== undefined && !fits(header.link)) records.push(['linkpath', header.link]);
  if (header.size >= MAX_OCTAL_12) records.push(['size', `${header.size}`]);
  if (header.uid >= MAX_OCTAL_8) records.push(['uid', `${header.uid}`]);
  if (header.gid >= MAX_OCTAL_8) records.push(['gid', `${header.gid}`]);
  if (header.mtime < 0 || header.mtime >= MAX_OCTAL_12) records.push(['mtime', `${header.mtime}`]);
  for (const [name, value] of header.xattrs ?? []) {
    let text = '';
    for (const byte of value) text += String.fromCharCode(byte);
    records.push([`SCHILY.xattr.${name}`, text]);
  }
  const block = encodeBlock(header);
  if (records.length === 0) return block;
  const body = toBytes(
    records
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(paxRecord)
      .join(''),
  );
  const head = encodeBlock({
    name: `PaxHeaders.0/${asciiOf(baseOf(header.name))}`.slice(0, 100),
    type: 'x',
    mode: 0,
    uid: 0,
    gid: 0,
    size: body.length,
    mtime: 0,
  });
  const whole = new Uint8Array(head.length + roundUp(body.length) + block.length);
  whole.set(head, 0);
  whole.set(body, head.length);
  whole.set(block, whole.length - block.length);
  return whole;
}

/** Zeros that fill the last block of `size` bytes of data. */
export function tarPadding(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(roundUp(size) - size);
}

export function roundUp(size: number): number {
  return Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: names are bytes
const ASCII = /^[\x00-\x7f]*$/;

function fits(name: ByteString): boolean {
  return name.length <= 100 && ASCII.test(name);
}

function baseOf(name: ByteString): ByteString {
  const bare = name.replace(/\/+$/, '');
  return bare.slice(bare.lastIndexOf('/') + 1);
}

function asciiOf(name: ByteString): ByteString {
  return name.replace(/[^\x20-\x7e]/g, '_');
}

/** One record counts its own length, digits included. */
function paxRecord([key, value]: readonly [string, ByteString]): ByteString {
  const rest = key.length + value.length + 3;
  let length = rest + `${rest}`.length;
  length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
}

function encodeBlock(header: TarHeader): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(TAR_BLOCK);
  put(block, 0, header.name, 100);
  octal(block, 100, 7, header.mode & 0o7777);
  octal(block, 108, 7, header.uid);
  octal(block, 116, 7, header.gid);
  octal(block, 124, 11, header.size);
  octal(block, 136, 11, header.mtime);
  put(block, 156, header.type, 1);
  put(block, 157, header.link ?? '', 100);
  put(block, 257, 'ustar', 5);
  put(block, 263, '00', 2);
  octal(block, 329, 7, header.major ?? 0);
  octal(block, 337, 7, header.minor ?? 0);
  put(block, 148, '        ', 8);
  let sum = 0;
  for (let i = 0; i < TAR_BLOCK; i += 1) sum += block[i] as number;
  octal(block, 148, 6, sum);
  block[154] = 0;
  return block;
}

function put(block: Uint8Array, at: number, text: ByteString, limit: number): void {
  const length = Math.min(text.length, limit);
  for (let i = 0; i < length; i += 1) block[at + i] = text.charCodeAt(i);
}

/** All zeros for what does not fit. */
function octal(block: Uint8Array, at: number, digits: number, value: number): void {
  let rest = value >= 0 && value < 8 ** digits ? Math.trunc(value) : 0;
  for (let i = digits - 1; i >= 0; i -= 1) {
    block[at + i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}
