/**
 * Messages of the domain name system, as much as a resolver for containers takes (RFC 1035 section 4):
 *
 * ```
 * u16 id | u16 flags | u16 questions | u16 answers | u16 authorities | u16 additional
 * question  labels: u8 length | bytes ..., 0 | u16 type | u16 class
 * answer    u16 pointer to the name | u16 type | u16 class | u32 seconds to live | u16 byte length | data
 * ```
 */

export const TYPE_A = 1;
export const TYPE_PTR = 12;
export const TYPE_AAAA = 28;

export const RCODE_OK = 0;
export const RCODE_SERVFAIL = 2;
export const RCODE_NXDOMAIN = 3;
export const RCODE_NOTIMP = 4;

const CLASS_IN = 1;
const HEADER_BYTES = 12;
const TTL_SECONDS = 30;
/** What a datagram may hold that was not negotiated (RFC 1035 section 4.2.1). */
const MAX_BYTES = 512;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const RECURSION_AVAILABLE = 0x0080;
const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;

export interface Question {
  readonly id: number;
  readonly flags: number;
  readonly name: string;
  readonly type: number;
  readonly isInternet: boolean;
  /** The question's own bytes. */
  readonly bytes: Uint8Array;
}

/** The one question of a query; undefined for what is none, or asks several things at once. */
export function readQuestion(message: Uint8Array): Question | undefined {
  if (message.length < HEADER_BYTES + 5) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const flags = view.getUint16(2);
  if ((flags & (RESPONSE | OPCODE)) !== 0 || view.getUint16(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63 || at + 1 + length > message.length) return undefined;
    if (length === 0) break;
    labels.push(String.fromCharCode(...message.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  if (at + 5 > message.length || at - HEADER_BYTES > 254) return undefined;
  return {
    id: view.getUint16(0),
    flags,
    name: labels.join('.'),
    type: view.getUint16(at + 1),
    isInternet: view.getUint16(at + 3) === CLASS_IN,
    bytes: message.slice(HEADER_BYTES, at + 5),
  };
}

export function writeAnswer(
  { id, flags, type, bytes }: Question,
  rcode: number,
  data: readonly Uint8Array[],
): Uint8Array {
  const kept: Uint8Array[] = [];
  let length = HEADER_BYTES + bytes.length;
  for (const one of data) {
    if (length + 12 + one.length > MAX_BYTES) break;
    kept.push(one);
    length += 12 + one.length;
  }
  const message = new Uint8Array(length);
  const view = new DataView(message.buffer);
  const truncated = kept.length < data.length ? TRUNCATED : 0;
  view.setUint16(0, id);
  view.setUint16(2, RESPONSE | RECURSION_AVAILABLE | (flags & RECURSION_DESIRED) | truncated | rcode);
  view.setUint16(4, 1);
  view.setUint16(6, kept.length);
  message.set(bytes, HEADER_BYTES);
  let at = HEADER_BYTES + bytes.length;
  for (const one of kept) {
    view.setUint16(at, POINTER_TO_QUESTION);
    view.setUint16(at + 2, type);
    view.setUint16(at + 4, CLASS_IN);
    view.setUint32(at + 6, TTL_SECONDS);
    view.setUint16(at + 10, one.length);
    message.set(one, at + 12);
    at += 12 + one.length;
  }
  return message;
}

/** `a.b` as labels, with the root behind. */
export function encodeName(name: string): Uint8Array {
  const labels = name.split('.').map((label) => new TextEncoder().encode(label.slice(0, 63)));
  return Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]);
}

/** `2.0.17.172.in-addr.arpa` -> 172.17.0.2; undefined for other names. */
export function reversedAddress(name: string): Uint8Array | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/i.exec(name)?.slice(1).map(Number);
  return parts?.every((part) => part < 256) ? Uint8Array.from(parts.reverse()) : undefined;
}
