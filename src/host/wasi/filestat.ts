/** Fills the guest's filestat, of either snapshot, from the kernel's stat. */
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  STAT_ATIME,
  STAT_CTIME,
  STAT_DEV,
  STAT_INO,
  STAT_MODE,
  STAT_MTIME,
  STAT_NLINK,
  STAT_SIZE,
  TASK_STAT,
} from '../../core/abi/kernel.ts';
import {
  FILESTAT_BYTES,
  FILESTAT0_BYTES,
  FILETYPE_BLOCK_DEVICE,
  FILETYPE_CHARACTER_DEVICE,
  FILETYPE_DIRECTORY,
  FILETYPE_REGULAR_FILE,
  FILETYPE_SOCKET_STREAM,
  FILETYPE_SYMBOLIC_LINK,
  FILETYPE_UNKNOWN,
} from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';

/** filetype by S_IFMT >> 12. WASI knows no pipes: they are `unknown`. */
const TYPES = new Uint8Array(16).fill(FILETYPE_UNKNOWN);
TYPES[S_IFSOCK >> 12] = FILETYPE_SOCKET_STREAM;
TYPES[S_IFLNK >> 12] = FILETYPE_SYMBOLIC_LINK;
TYPES[S_IFREG >> 12] = FILETYPE_REGULAR_FILE;
TYPES[S_IFBLK >> 12] = FILETYPE_BLOCK_DEVICE;
TYPES[S_IFDIR >> 12] = FILETYPE_DIRECTORY;
TYPES[S_IFCHR >> 12] = FILETYPE_CHARACTER_DEVICE;

export function fileType(mode: number): number {
  return TYPES[(mode & S_IFMT) >>> 12]!;
}

/** By the last four bits of a mode's type, as directory records carry it. */
export function fileTypeOfRecord(type: number): number {
  return TYPES[type & 15]!;
}

export interface FilestatLayout {
  readonly bytes: number;
  write(context: WasiContext, to: number): void;
}

export const FILESTAT: FilestatLayout = {
  bytes: FILESTAT_BYTES,
  write(context, to) {
    const { view } = context.guest;
    const from = writeHead(context, to);
    view.setUint32(to + 20, 0, true);
    view.setUint32(to + 24, context.kernel.u32[from + (STAT_NLINK >>> 2)]!, true);
    view.setUint32(to + 28, 0, true);
    writeTail(context, from, to + 32);
  },
};

export const FILESTAT0: FilestatLayout = {
  bytes: FILESTAT0_BYTES,
  write(context, to) {
    const from = writeHead(context, to);
    context.guest.view.setUint32(to + 20, context.kernel.u32[from + (STAT_NLINK >>> 2)]!, true);
    writeTail(context, from, to + 24);
  },
};

function writeHead({ kernel, guest, task }: WasiContext, to: number): number {
  if (kernel.u8.length === 0) kernel.refresh();
  const { u32 } = kernel;
  const { view } = guest;
  const from = (task + TASK_STAT) >>> 2;
  view.setUint32(to, u32[from + (STAT_DEV >>> 2)]!, true);
  view.setUint32(to + 4, u32[from + (STAT_DEV >>> 2) + 1]!, true);
  view.setUint32(to + 8, u32[from + (STAT_INO >>> 2)]!, true);
  view.setUint32(to + 12, u32[from + (STAT_INO >>> 2) + 1]!, true);
  view.setUint32(to + 16, TYPES[(u32[from + (STAT_MODE >>> 2)]! & S_IFMT) >>> 12]!, true);
  return from;
}

function writeTail({ kernel, guest }: WasiContext, from: number, to: number): void {
  const { u32 } = kernel;
  const { view } = guest;
  view.setUint32(to, u32[from + (STAT_SIZE >>> 2)]!, true);
  view.setUint32(to + 4, u32[from + (STAT_SIZE >>> 2) + 1]!, true);
  view.setUint32(to + 8, u32[from + (STAT_ATIME >>> 2)]!, true);
  view.setUint32(to + 12, u32[from + (STAT_ATIME >>> 2) + 1]!, true);
  view.setUint32(to + 16, u32[from + (STAT_MTIME >>> 2)]!, true);
  view.setUint32(to + 20, u32[from + (STAT_MTIME >>> 2) + 1]!, true);
  view.setUint32(to + 24, u32[from + (STAT_CTIME >>> 2)]!, true);
  view.setUint32(to + 28, u32[from + (STAT_CTIME >>> 2) + 1]!, true);
}
