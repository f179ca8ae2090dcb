/** Checks the checksum of a rootfs index (abi/rootfs-index.ts) with the core's CRC-32. */
import { type CoreModules, instantiateCore } from './core-modules.ts';
import { viewOf } from './layer-index.ts';

interface ChecksumExports {
  regionAlloc(bytes: number): number;
  crc32ScratchSize(): number;
  crc32Update(crc: number, data: number, length: number, scratch: number): number;
}

const PIECE_BYTES = 1 << 20;
/** The checksum is at 12 and covers everything behind it. */
const CHECKSUM_AT = 12;
const COVERED_FROM = 16;

export async function rootfsChecksum(core: CoreModules, bytes: Uint8Array): Promise<boolean> {
  const { memory, exports } = await instantiateCore<ChecksumExports>(core, { shared: false, maximumBytes: 2 ** 24 });
  const scratch = exports.regionAlloc(exports.crc32ScratchSize());
  const piece = exports.regionAlloc(PIECE_BYTES);
  let crc = 0;
  for (let at = COVERED_FROM; at < bytes.length; at += PIECE_BYTES) {
    const part = bytes.subarray(at, at + PIECE_BYTES);
    new Uint8Array(memory.buffer).set(part, piece);
    crc = exports.crc32Update(crc, piece, part.length, scratch);
  }
  return crc >>> 0 === viewOf(bytes).getUint32(CHECKSUM_AT, true);
}
