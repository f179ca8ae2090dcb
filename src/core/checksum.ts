/** Checks the checksum of a rootfs index (abi/rootfs-index.ts): CRC-32, by the core where there is much of it. */
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

/** Up to here a plain loop is done before the core would be compiled. */
const PLAIN_BYTES = 256 * 1024;
const POLYNOMIAL = 0xedb88320;

export async function rootfsChecksum(core: CoreModules, bytes: Uint8Array): Promise<boolean> {
  const stated = viewOf(bytes).getUint32(CHECKSUM_AT, true);
  const covered = bytes.subarray(COVERED_FROM);
  return stated === (covered.length <= PLAIN_BYTES ? plainCrc32(covered) : await coreCrc32(core, covered));
}

function plainCrc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

async function coreCrc32(core: CoreModules, bytes: Uint8Array): Promise<number> {
  const { memory, exports } = await instantiateCore<ChecksumExports>(core, { shared: false, maximumBytes: 2 ** 24 });
  const scratch = exports.regionAlloc(exports.crc32ScratchSize());
  const piece = exports.regionAlloc(PIECE_BYTES);
  let crc = 0;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const part = bytes.subarray(at, at + PIECE_BYTES);
    new Uint8Array(memory.buffer).set(part, piece);
    crc = exports.crc32Update(crc, piece, part.length, scratch);
  }
  return crc >>> 0;
}
