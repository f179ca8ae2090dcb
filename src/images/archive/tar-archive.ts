/**
 * A tar whose members are read in place: headers are walked once, data is skipped, nothing is unpacked. For image
 * archives (docker save, OCI layouts in a tar), which hold few and large members; layers have their own reader in the
 * core. Reads ustar, GNU long names and links, PAX path, linkpath and size, base-256 sizes, hard and symbolic links
 * between members (old docker archives point repeated layers at the first).
 */
import { WctrError } from '../../errors.ts';
import { quote } from '../quote.ts';
import { type ArchiveFiles, type ByteReader, streamRange } from './files.ts';

const BLOCK = 512;
const MAX_MEMBERS = 100_000;
const MAX_EXTENDED_BYTES = 1024 * 1024;
const MAX_LINK_HOPS = 16;

type Member =
  | { readonly kind: 'file'; readonly offset: number; readonly size: number }
  | { readonly kind: 'link'; readonly target: string };

interface Extended {
  path?: string;
  linkpath?: string;
  size?: number;
}

/** Takes the reader over: closing the files closes it, as a throw does: `invalid-layer` when the bytes are no tar. */
export async function openTar(reader: ByteReader, what: string): Promise<ArchiveFiles> {
  const members = await walk(reader, what).catch(async (error: unknown) => {
    await reader.close();
    throw error;
  });
  const find = (path: string): { offset: number; size: number } | undefined => {
    let name = normalise(path);
    for (let hops = 0; name !== undefined && hops < MAX_LINK_HOPS; hops += 1) {
      const member = members.get(name);
      if (member === undefined) return undefined;
      if (member.kind === 'file') return member;
      name = member.target;
    }
    return undefined;
  };
  return {
    what,
    size: async (path) => find(path)?.size,
    stream: async function* (path, offset = 0) {
      const member = find(path);
      if (member === undefined) throw new WctrError('not-found', `${what} has no file ${quote(path)}`);
      yield* streamRange(reader, member.offset + offset, member.offset + member.size);
    },
    close: () => reader.close(),
  };
}

async function walk(reader: ByteReader, what: string): Promise<Map<string, Member>> {
  const members = new Map<string, Member>();
  let extended: Extended = {};
  let at = 0;
  for (let count = 0; ; count += 1) {
    if (count > MAX_MEMBERS) throw bad(what, `has more than ${MAX_MEMBERS} members`);
    const header = await reader.read(at, BLOCK);
    // one zero block ends it; some writers leave even that out
    if (at <= reader.sizeBytes && (header.length === 0 || isZero(header))) {
      if (count === 0) throw bad(what, 'is empty');
      return members;
    }
    if (header.length < BLOCK || !isChecksumRight(header)) throw bad(what, `is no tar, or damaged at byte ${at}`);
    const type = String.fromCharCode(header[156] ?? 0);
    const isExtension = 'xgLK'.includes(type);
    const size = isExtension ? number(header, 124, 12) : (extended.size ?? number(header, 124, 12));
    const hasData = isExtension || type === '0' || type === '\0' || type === '7';
    const offset = at + BLOCK;
    if (!Number.isSafeInteger(size) || size < 0 || (hasData && offset + size > reader.sizeBytes)) {
      throw bad(what, `ends inside the member at byte ${at}`);
    }
    at = offset + (hasData ? Math.ceil(size / BLOCK) * BLOCK : 0);
    if (isExtension) {
      if (size > MAX_EXTENDED_BYTES) throw bad(what, `has an extended header of ${size} bytes`);
      const data = await reader.read(offset, size);
      if (type === 'x') extended = { ...extended, ...parsePax(data, what) };
      else if (type === 'L') extended.path = text(data, 0, size);
      else if (type === 'K') extended.linkpath = text(data, 0, size);
      continue;
    }
    addMember(members, header, type, offset, size, extended);
    extended = {};
  }
}

function addMember(
  members: Map<string, Member>,
  header: Uint8Array,
  type: string,
  offset: number,
  size: number,
  extended: Extended,
): void {
  const prefix = text(header, 257, 6) === 'ustar' && header[262] === 0 ? text(header, 345, 155) : '';
  const own = text(header, 0, 100);
  const name = normalise(extended.path ?? (prefix === '' ? own : `${prefix}/${own}`));
  if (name === undefined) return;
  if (type === '1' || type === '2') {
    const link = extended.linkpath ?? text(header, 157, 100);
    const parent = name.includes('/') ? name.slice(0, name.lastIndexOf('/') + 1) : '';
    const target = normalise(type === '1' || link.startsWith('/') ? link : parent + link);
    if (target !== undefined) members.set(name, { kind: 'link', target });
  } else if (type === '0' || type === '\0' || type === '7') {
    members.set(name, { kind: 'file', offset, size });
  }
}

/** `./a//b/../c` is `a/c`; undefined for what leads out of the archive. */
function normalise(path: string): string | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.length === 0 ? undefined : parts.join('/');
}

/** `<length> <key>=<value>\n`, the length counting the whole record. */
function parsePax(data: Uint8Array, what: string): Extended {
  const extended: Extended = {};
  const decoder = new TextDecoder();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(decoder.decode(data.subarray(at, space)));
    if (space < 0 || !Number.isInteger(length) || length <= space - at || at + length > data.length) {
      throw bad(what, 'has a broken PAX header');
    }
    const record = decoder.decode(data.subarray(space + 1, at + length - 1));
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    const value = record.slice(equals + 1);
    if (key === 'path') extended.path = value;
    if (key === 'linkpath') extended.linkpath = value;
    if (key === 'size') extended.size = Number(value);
    at += length;
  }
  return extended;
}

function isChecksumRight(header: Uint8Array): boolean {
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 0x20 : (header[i] ?? 0);
  return sum === number(header, 148, 8);
}

function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Octal text, or base-256 when the first byte's high bit is set. NaN when it is neither. */
function number(header: Uint8Array, at: number, length: number): number {
  if (((header[at] ?? 0) & 0x80) !== 0) {
    let value = (header[at] ?? 0) & 0x7f;
    for (let i = 1; i < length; i += 1) value = value * 256 + (header[at + i] ?? 0);
    return value;
  }
  const digits = text(header, at, length).trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

function text(bytes: Uint8Array, at: number, length: number): string {
  const field = bytes.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function bad(what: string, why: string): WctrError {
  return new WctrError('invalid-layer', `${what} ${why}`);
}
