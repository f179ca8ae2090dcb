/**
 * Paths inside a container. A name is bytes to the kernel and need not be UTF-8, so here it is a byte string: one
 * character per byte, compared and sorted bytewise as it stands.
 */

export type ByteString = string;

const encoder = new TextEncoder();
const LOSSY = new TextDecoder();

export function fromText(text: string): ByteString {
  return fromBytes(encoder.encode(text));
}

export function fromBytes(bytes: Uint8Array): ByteString {
  let name = '';
  for (const byte of bytes) name += String.fromCharCode(byte);
  return name;
}

export function toBytes(name: ByteString): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) bytes[i] = name.charCodeAt(i);
  return bytes;
}

/** For people and JSON: what is not UTF-8 gets U+FFFD. */
export function toText(name: ByteString): string {
  return LOSSY.decode(toBytes(name));
}

/** Go's path.Clean of an absolute path, with the trailing `/` or `/.` kept, as docker keeps it. */
export function cleanAbsolute(path: string): string {
  const parts = cleanParts(path) ?? [];
  const clean = `/${parts.join('/')}`;
  if (/\/\.$|^\.$/.test(path)) return clean === '/' ? '/.' : `${clean}/.`;
  return path.endsWith('/') && clean !== '/' ? `${clean}/` : clean;
}

/** `a//./b/../c` is [a, c]; undefined for what climbs above its beginning and is not absolute. */
export function cleanParts(path: string): string[] | undefined {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined && !path.startsWith('/')) return undefined;
  }
  return parts;
}

/** Go's path.Base. */
export function baseName(path: string): string {
  if (path === '') return '.';
  const bare = path.replace(/\/+$/, '');
  return bare === '' ? '/' : bare.slice(bare.lastIndexOf('/') + 1);
}
