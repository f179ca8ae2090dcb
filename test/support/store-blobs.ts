/** Blobs by number, the same in every process: 1 byte to about 200 kB. */
import { createHash } from 'node:crypto';

export function blobNumber(i: number): Uint8Array {
  const block = createHash('sha512').update(`blob ${i}`).digest();
  const bytes = new Uint8Array(1 + ((i * 7919) % 200_000) + (i === 0 ? 300_000 : 0));
  for (let at = 0; at < bytes.length; at += 64) {
    bytes.set(block.subarray(0, Math.min(64, bytes.length - at)), at);
    block.writeUInt32LE(at, 0);
  }
  return bytes;
}
