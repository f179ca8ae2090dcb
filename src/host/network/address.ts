/** Internet addresses: 4 or 16 bytes in network order, and their texts. */
import type { SocketAddress } from '../wasi/ports.ts';

export const ANY_V4 = new Uint8Array(4);
export const ANY_V6 = new Uint8Array(16);
export const LOOPBACK_V4 = Uint8Array.of(127, 0, 0, 1);
export const LOOPBACK_V6 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

/** `1.2.3.4` -> 4 bytes, `::1` -> 16 bytes, undefined for anything else. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseV6(text.replace(/%.*$/, '')) : parseV4(text);
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!;
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseV6(text: string): Uint8Array | undefined {
  let source = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(source);
  if (dotted !== null) {
    const tail = parseV4(dotted[2]!);
    if (tail === undefined) return undefined;
    const words = [(tail[0]! << 8) | tail[1]!, (tail[2]! << 8) | tail[3]!];
    source = dotted[1]! + words.map((word) => word.toString(16)).join(':');
  }
  const halves = source.split('::');
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - left!.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = right === undefined ? left! : [...left!, ...new Array<string>(missing).fill('0'), ...right];
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(groups[i]!)) return undefined;
    const word = Number.parseInt(groups[i]!, 16);
    bytes[2 * i] = word >> 8;
    bytes[2 * i + 1] = word & 255;
  }
  return bytes;
}

export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i]! << 8) | bytes[i + 1]!).toString(16));
  const zeros = /\b0(?::0)+\b/g;
  const text = groups.join(':');
  const longest = [...text.matchAll(zeros)].sort((a, b) => b[0].length - a[0].length)[0];
  if (longest === undefined) return text;
  const before = text.slice(0, longest.index).replace(/:$/, '');
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '');
  return `${before}::${after}`;
}

/** `::ffff:1.2.3.4` is 1.2.3.4, wherever rules are applied. */
export function unmapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== 16) return bytes;
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return bytes;
  return bytes[10] === 255 && bytes[11] === 255 ? bytes.slice(12) : bytes;
}

/** What a socket of IPv6 shows for an IPv4 peer. */
export function mapped(bytes: Uint8Array): Uint8Array {
  if (bytes.length === 16) return bytes;
  const result = new Uint8Array(16);
  result.set([255, 255], 10);
  result.set(bytes, 12);
  return result;
}

export function isAny(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

export function isLoopback(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return bytes[0] === 127;
  return bytes[15] === 1 && bytes.subarray(0, 15).every((byte) => byte === 0);
}

export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Of an address or port that came as text from the host. */
export function socketAddress(text: string | undefined, port: number | undefined): SocketAddress {
  return { address: unmapped(parseAddress(text ?? '') ?? ANY_V4), port: port ?? 0 };
}
