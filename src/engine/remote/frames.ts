/**
 * Docker's multiplexed streams: standard output and error of a container without a terminal, on one connection.
 * https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach
 *
 * ```
 * frame:  u8 stream (0 stdin, 1 stdout, 2 stderr) | 3 bytes 0 | u32 byteLength, big endian | payload
 * ```
 */
import { WctrError } from '../../errors.ts';

export const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream';
export const RAW = 'application/vnd.docker.raw-stream';

const HEADER_BYTES = 8;
export const STDOUT = 1;
export const STDERR = 2;

export function encodeFrame(stream: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame[0] = stream;
  new DataView(frame.buffer).setUint32(4, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export interface StreamPart {
  readonly stream: number;
  readonly bytes: Uint8Array;
}

/** Takes a multiplexed stream apart as it arrives: a frame larger than a chunk comes in several parts. */
export class FrameDecoder {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  #payloadLeft = 0;

  push(chunk: Uint8Array): StreamPart[] {
    const parts: StreamPart[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#payloadLeft === 0) {
        const taken = Math.min(HEADER_BYTES - this.#headerLength, chunk.length - at);
        this.#header.set(chunk.subarray(at, at + taken), this.#headerLength);
        this.#headerLength += taken;
        at += taken;
        if (this.#headerLength < HEADER_BYTES) break;
        this.#headerLength = 0;
        this.#payloadLeft = new DataView(this.#header.buffer).getUint32(4);
        if (this.#header[0]! > 3) throw new WctrError('internal', 'the stream of the container is not multiplexed');
        continue;
      }
      const taken = Math.min(this.#payloadLeft, chunk.length - at);
      parts.push({ stream: this.#header[0]!, bytes: chunk.subarray(at, at + taken) });
      this.#payloadLeft -= taken;
      at += taken;
    }
    return parts;
  }
}
