/**
 * What travels between a container process and its parent, over one pipe (file descriptor 3 of the child).
 *
 * ```
 * frame:  u32 byteLength of the payload, little endian | u8 kind | payload
 * spec:   u32 jsonLength | json | blob bytes, one after the other     (parent -> child, once)
 * ready:  nothing: the spec is read, the guest's time starts          (child -> parent, once)
 * exit:   json of SandboxExit                                         (child -> parent, once)
 * ```
 *
 * Bytes inside a spec (`{ bytes }` locations) travel as blobs after the document, which names them by length:
 * `{ "bytes": <length> }`. Host paths travel as they are, so a spec that names files costs a few hundred bytes.
 */
import { WctrError } from '../../errors.ts';
import type { SandboxSpec } from '../sandbox.ts';

export const FRAME_SPEC = 1;
export const FRAME_EXIT = 2;
export const FRAME_READY = 3;
export const FRAME_HEADER_BYTES = 5;

/** A frame's length is read from a peer: nothing larger is believed. */
const LARGEST_FRAME_BYTES = 1 << 30;

export interface Frame {
  readonly kind: number;
  readonly payload: Uint8Array;
}

export function encodeFrame(kind: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length, true);
  frame[4] = kind;
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Collects frames out of chunks that arrive cut anywhere. */
export class FrameReader {
  #pending = new Uint8Array(0);

  /** Takes a chunk; returns the frames it completed. Throws 'sandbox-failed' on a frame nobody would send. */
  push(chunk: Uint8Array): Frame[] {
    const bytes = new Uint8Array(this.#pending.length + chunk.length);
    bytes.set(this.#pending);
    bytes.set(chunk, this.#pending.length);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const { kind, length } = decodeFrameHeader(bytes.subarray(at));
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      frames.push({ kind, payload: bytes.subarray(at + FRAME_HEADER_BYTES, end) });
      at = end;
    }
    this.#pending = bytes.subarray(at);
    return frames;
  }
}

export function decodeFrameHeader(bytes: Uint8Array): { kind: number; length: number } {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (length > LARGEST_FRAME_BYTES) throw new WctrError('sandbox-failed', `a frame of ${length} bytes on the pipe`);
  return { kind: bytes[4]!, length };
}

/** Throws 'unsupported' for a mount of an object: it cannot leave the thread it lives in. */
export function encodeSpec(spec: SandboxSpec): Uint8Array {
  const blobs: Uint8Array[] = [];
  // Read through `this`: a Buffer's toJSON has been called by the time `value` is handed in.
  const json = JSON.stringify(spec, function (this: Record<string, unknown>, key, value: unknown) {
    const raw = this[key];
    if (raw instanceof Uint8Array) {
      blobs.push(raw);
      return raw.length;
    }
    if (key === 'fs') {
      throw new WctrError('unsupported', 'an fs object cannot be mounted into another process', {
        hint: "use isolation 'inline', or mount a directory of the host",
      });
    }
    return value;
  });
  const document = new TextEncoder().encode(json);
  const size = blobs.reduce((sum, blob) => sum + blob.length, 4 + document.length);
  const payload = new Uint8Array(size);
  new DataView(payload.buffer).setUint32(0, document.length, true);
  payload.set(document, 4);
  let at = 4 + document.length;
  for (const blob of blobs) {
    payload.set(blob, at);
    at += blob.length;
  }
  return payload;
}

export function decodeSpec(payload: Uint8Array): SandboxSpec {
  const documentLength = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  const document = new TextDecoder().decode(payload.subarray(4, 4 + documentLength));
  let at = 4 + documentLength;
  // JSON.parse visits members in the order JSON.stringify wrote them, so the blobs come out in theirs.
  return JSON.parse(document, (key, value: unknown) => {
    if (key !== 'bytes' || typeof value !== 'number') return value;
    const blob = payload.subarray(at, at + value);
    at += value;
    return blob;
  }) as SandboxSpec;
}

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function decodeJson<T>(payload: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(payload)) as T;
}
