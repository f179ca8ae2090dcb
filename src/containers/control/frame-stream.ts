/** Frames of host/frames.ts over a ByteChannel, with a bound on what a peer may announce. */
import { WctrError } from '../../errors.ts';
import { encodeFrame, FRAME_HEADER_BYTES, type Frame } from '../../host/frames.ts';
import type { ByteChannel } from '../../host/ports.ts';

/** Data frames carry at most this much. */
export const MAX_DATA_BYTES = 64 * 1024;

export class FrameStream {
  readonly channel: ByteChannel;
  readonly #mostBytes: number;
  #chunks: Uint8Array[] = [];
  #available = 0;

  /** @param mostBytes a longer frame is a peer's mistake and ends the conversation. */
  constructor(channel: ByteChannel, mostBytes: number) {
    this.channel = channel;
    this.#mostBytes = mostBytes;
  }

  /** Undefined when the peer is gone. Throws 'invalid-argument' for a frame nobody would send. */
  async read(): Promise<Frame | undefined> {
    if (!(await this.#fill(FRAME_HEADER_BYTES))) return undefined;
    const header = this.#take(FRAME_HEADER_BYTES);
    const length = new DataView(header.buffer, header.byteOffset).getUint32(0, true);
    if (length > this.#mostBytes) {
      throw new WctrError('invalid-argument', `a frame of ${length} bytes on a control socket`);
    }
    if (!(await this.#fill(length))) return undefined;
    return { kind: header[4]!, payload: this.#take(length) };
  }

  write(kind: number, payload: Uint8Array): Promise<boolean> {
    return this.channel.write(encodeFrame(kind, payload));
  }

  /** In frames of a bounded size, each waiting for room. */
  async writeData(kind: number, bytes: Uint8Array): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += MAX_DATA_BYTES) {
      if (!(await this.write(kind, bytes.subarray(at, at + MAX_DATA_BYTES)))) return false;
    }
    return true;
  }

  async #fill(wanted: number): Promise<boolean> {
    while (this.#available < wanted) {
      const chunk = await this.channel.read();
      if (chunk === undefined) return false;
      this.#chunks.push(chunk);
      this.#available += chunk.length;
    }
    return true;
  }

  #take(length: number): Uint8Array {
    const first = this.#chunks[0];
    this.#available -= length;
    if (first !== undefined && first.length > length) {
      this.#chunks[0] = first.subarray(length);
      return first.subarray(0, length);
    }
    const taken = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, length - at);
      taken.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    return taken;
  }
}
