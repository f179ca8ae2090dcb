/**
 * Messages in the body of a gRPC call:
 *
 *     [compressed u8][length u32 big-endian][message]
 */
import { WctrError } from '../../../errors.ts';

const HEADER_BYTES = 5;
/** As BuildKit has it. */
export const MAX_MESSAGE_BYTES = 16 << 20;

export function frameOf(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** Throws `limit-exceeded`, `unsupported` for a compressed one, `invalid-argument` for half a one at the end. */
export async function* messagesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  /** What came and was not used: `at` bytes of the first one were. */
  let parts: Uint8Array[] = [];
  let at = 0;
  let held = 0;
  const take = (length: number): Uint8Array => {
    const first = parts[0]!;
    held -= length;
    if (first.length - at >= length) {
      const taken = first.subarray(at, at + length);
      at += length;
      if (at === first.length) {
        parts.shift();
        at = 0;
      }
      return taken;
    }
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const part = parts[0]!.subarray(at, at + length - filled);
      taken.set(part, filled);
      filled += part.length;
      at += part.length;
      if (at === parts[0]!.length) {
        parts.shift();
        at = 0;
      }
    }
    return taken;
  };
  let wanted: number | undefined;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    parts.push(chunk);
    held += chunk.length;
    for (;;) {
      if (wanted === undefined) {
        if (held < HEADER_BYTES) break;
        const header = take(HEADER_BYTES);
        wanted = new DataView(header.buffer, header.byteOffset).getUint32(1);
        if (header[0] !== 0) throw new WctrError('unsupported', 'compressed messages are not read');
        if (wanted > MAX_MESSAGE_BYTES) {
          throw new WctrError('limit-exceeded', `a message of ${wanted} bytes is longer than ${MAX_MESSAGE_BYTES}`);
        }
      }
      if (held < wanted) break;
      yield wanted === 0 ? new Uint8Array() : take(wanted);
      wanted = undefined;
    }
  }
  const isWhole = wanted === undefined && held === 0;
  parts = [];
  if (!isWhole) throw new WctrError('invalid-argument', 'the last message is cut off');
}
