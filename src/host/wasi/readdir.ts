/**
 * fd_readdir: the kernel's directory records as WASI dirents. The guest's buffer is filled to its last byte while there
 * are entries left, cutting the last one: a result smaller than the buffer is how a guest sees the end.
 */
import {
  DIRENT_INO,
  DIRENT_NAME,
  DIRENT_NAME_LENGTH,
  DIRENT_NEXT,
  DIRENT_TYPE,
  TASK_IO,
  TASK_IO_BYTES,
} from '../../core/abi/kernel.ts';
import { DIRENT_BYTES } from '../../spec/wasi-preview1.ts';
import { high, low, type WasiContext } from './context.ts';
import { fileTypeOfRecord } from './filestat.ts';

const scratch = new Uint8Array(DIRENT_BYTES);
const scratchView = new DataView(scratch.buffer);

export function readDirectory(
  context: WasiContext,
  fd: number,
  buffer: number,
  length: number,
  cookie: bigint,
): number {
  const { guest, kernel, task, calls } = context;
  let lo = low(cookie);
  let hi = high(cookie);
  let used = 0;
  for (;;) {
    const bytes = calls.readdir(task, fd, lo, hi, TASK_IO_BYTES);
    if (bytes < 0) return used > 0 ? used : bytes;
    if (bytes === 0) return used;
    if (kernel.u8.length === 0) kernel.refresh();
    const { u32, u8 } = kernel;
    const start = task + TASK_IO;
    for (let at = start; at < start + bytes; ) {
      const record = at >>> 2;
      const nameLength = u32[record + (DIRENT_NAME_LENGTH >>> 2)]!;
      lo = u32[record + (DIRENT_NEXT >>> 2)]!;
      hi = u32[record + (DIRENT_NEXT >>> 2) + 1]!;
      scratchView.setUint32(0, lo, true);
      scratchView.setUint32(4, hi, true);
      scratchView.setUint32(8, u32[record + (DIRENT_INO >>> 2)]!, true);
      scratchView.setUint32(12, u32[record + (DIRENT_INO >>> 2) + 1]!, true);
      scratchView.setUint32(16, nameLength, true);
      scratchView.setUint32(20, fileTypeOfRecord(u32[record + (DIRENT_TYPE >>> 2)]!), true);
      const head = Math.min(DIRENT_BYTES, length - used);
      guest.u8.set(head === DIRENT_BYTES ? scratch : scratch.subarray(0, head), buffer + used);
      used += head;
      const name = Math.min(nameLength, length - used);
      guest.u8.set(u8.subarray(at + DIRENT_NAME, at + DIRENT_NAME + name), buffer + used);
      used += name;
      if (used === length) return used;
      at += (DIRENT_NAME + nameLength + 7) & ~7;
    }
  }
}
