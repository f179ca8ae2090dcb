/**
 * Frames on a byte stream between two processes.
 *
 * ```
 * frame:  u32 byteLength of the payload, little endian | u8 kind | payload
 * ```
 */
import { WctrError } from '../errors.ts';

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

export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

export function decodeJson<T>(payload: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(payload)) as T;
}
