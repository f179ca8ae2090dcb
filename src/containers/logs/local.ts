/**
 * The driver `local`: binary, exact, and a third shorter than json-file.
 *
 * ```
 * entry:  u32 length of the text, little endian | u8 stream (1 stdout, 2 stderr) | u64 nanoseconds since the epoch |
 *         text | u32 length again, so that a file can be read from its end
 * ```
 */
import type { LogFormat } from './format.ts';

const HEADER_BYTES = 13;
const TRAILER_BYTES = 4;

export const localFormat: LogFormat = {
  encode({ stream, time, bytes }) {
    const entry = new Uint8Array(HEADER_BYTES + bytes.length + TRAILER_BYTES);
    const view = new DataView(entry.buffer);
    view.setUint32(0, bytes.length, true);
    entry[4] = stream === 'stdout' ? 1 : 2;
    view.setBigUint64(5, time, true);
    entry.set(bytes, HEADER_BYTES);
    view.setUint32(HEADER_BYTES + bytes.length, bytes.length, true);
    return entry;
  },
  decode(bytes, at) {
    if (at + HEADER_BYTES > bytes.length) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const length = view.getUint32(at, true);
    const next = at + HEADER_BYTES + length + TRAILER_BYTES;
    if (next > bytes.length) return undefined;
    const text = bytes.slice(at + HEADER_BYTES, at + HEADER_BYTES + length);
    const stream = bytes[at + 4] === 2 ? 'stderr' : 'stdout';
    return { entry: { stream, time: view.getBigUint64(at + 5, true), bytes: text }, next };
  },
  previous(bytes, end) {
    if (end < TRAILER_BYTES) return -1;
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end - TRAILER_BYTES, true);
    return Math.max(-1, end - TRAILER_BYTES - length - HEADER_BYTES);
  },
};
