/** Host attributes as the kernel reads them: the 80-byte struct of core/abi/kernel.ts. */
import * as abi from '../../core/abi/kernel.ts';
import type { SyncStat } from '../ports.ts';

const BLOCK_BYTES = 512n;
const PREFERRED_IO_BYTES = 64 * 1024;

/** What hostfs_setattr asks for, decoded. Times in ns since the epoch. */
export interface AttributeChange {
  readonly mode?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly size?: number;
  readonly atimeNs?: bigint;
  readonly mtimeNs?: bigint;
}

/** Writes at `pointer`. The host's device numbers stay out: rdev is 0. `owner`: in place of the host's. */
export function writeAttributes(
  memory: DataView,
  pointer: number,
  stat: SyncStat,
  owner: { readonly uid: bigint | number; readonly gid: bigint | number } = stat,
): void {
  memory.setBigUint64(pointer + abi.ATTR_INO, stat.ino, true);
  memory.setUint32(pointer + abi.ATTR_MODE, Number(stat.mode), true);
  memory.setUint32(pointer + abi.ATTR_NLINK, Number(stat.nlink), true);
  memory.setUint32(pointer + abi.ATTR_UID, Number(owner.uid), true);
  memory.setUint32(pointer + abi.ATTR_GID, Number(owner.gid), true);
  memory.setUint32(pointer + abi.ATTR_RDEV, 0, true);
  memory.setUint32(pointer + abi.ATTR_RDEV + 4, 0, true);
  memory.setBigUint64(pointer + abi.ATTR_SIZE, stat.size, true);
  memory.setBigInt64(pointer + abi.ATTR_ATIME, stat.atimeNs, true);
  memory.setBigInt64(pointer + abi.ATTR_MTIME, stat.mtimeNs, true);
  memory.setBigInt64(pointer + abi.ATTR_CTIME, stat.ctimeNs, true);
  memory.setBigUint64(pointer + abi.ATTR_BLOCKS, (stat.size + BLOCK_BYTES - 1n) / BLOCK_BYTES, true);
  memory.setUint32(pointer + abi.ATTR_BLKSIZE, PREFERRED_IO_BYTES, true);
}

/** Reads the fields `valid` (SET_*) names. */
export function readChange(memory: DataView, pointer: number, valid: number): AttributeChange {
  return {
    ...(valid & abi.SET_MODE ? { mode: memory.getUint32(pointer + abi.ATTR_MODE, true) & 0o7777 } : {}),
    ...(valid & abi.SET_OWNER
      ? {
          owner: {
            uid: memory.getUint32(pointer + abi.ATTR_UID, true),
            gid: memory.getUint32(pointer + abi.ATTR_GID, true),
          },
        }
      : {}),
    ...(valid & abi.SET_SIZE ? { size: Number(memory.getBigUint64(pointer + abi.ATTR_SIZE, true)) } : {}),
    ...(valid & abi.SET_ATIME ? { atimeNs: memory.getBigInt64(pointer + abi.ATTR_ATIME, true) } : {}),
    ...(valid & abi.SET_MTIME ? { mtimeNs: memory.getBigInt64(pointer + abi.ATTR_MTIME, true) } : {}),
  };
}
