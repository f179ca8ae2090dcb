/** fd_*: everything done with an open descriptor. */
import {
  EBADF,
  EINVAL,
  EISDIR,
  ENOTCAPABLE,
  EPIPE,
  ESPIPE,
  FD_INHERITING,
  FD_RIGHTS,
  FILE_DIRECTORY,
  FILE_HANDLE,
  FILE_HOST,
  FILE_HOSTFS,
  FILE_KIND,
  FILE_PIPE_READ,
  FILE_PIPE_WRITE,
  FILE_STATUS,
  FILE_TYPE,
  TASK_R0,
  TASK_R1,
  TIME_ATIME,
  TIME_ATIME_NOW,
  TIME_MTIME,
  TIME_MTIME_NOW,
} from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import { high, low, STANDARD_STREAMS, type WasiContext } from './context.ts';
import { toErrno } from './errno.ts';
import type { FilestatLayout } from './filestat.ts';
import { fileType } from './filestat.ts';
import { readDirectory } from './readdir.ts';
import { fdflagsFromStatus, statusFromFdflags } from './rights.ts';
import { AT_OFFSET, Buffers, transfer } from './transfer.ts';

export function fd(context: WasiContext, filestat: FilestatLayout, whence: readonly number[]) {
  const { guest, calls } = context;
  const buffers = new Buffers();

  /** The fd's entry when it is open with `needed`, else a negative errno. Streams have no position: ESPIPE first. */
  function positioned(number: number, needed: number): number {
    const entry = context.entry(number);
    if (entry < 0) return -EBADF;
    const kind = context.fileField(entry, FILE_KIND);
    if (kind === FILE_HOST || kind === FILE_PIPE_READ || kind === FILE_PIPE_WRITE) return -ESPIPE;
    return allowed(entry, needed);
  }

  function allowed(entry: number, needed: number): number {
    const held = context.kernel.u32[entry + (FD_RIGHTS >>> 2)]!;
    if ((held & needed) === needed) return entry;
    return context.fileField(entry, FILE_KIND) === FILE_DIRECTORY &&
      (needed & (w.RIGHT_FD_READ | w.RIGHT_FD_WRITE)) !== 0
      ? -EISDIR
      : -ENOTCAPABLE;
  }

  /** Reads or writes at the descriptor's offset (AT_OFFSET) or at a position in two halves. */
  function move(
    number: number,
    entry: number,
    toGuest: boolean,
    vector: number,
    count: number,
    lo: number,
    hi: number,
    result: number,
  ): number {
    if (entry < 0) return toErrno(entry);
    if (!guest.holds(result, 4)) return w.ERRNO_FAULT;
    const bad = buffers.load(context, vector >>> 0, count >>> 0);
    if (bad < 0) return toErrno(bad);
    const moved = transfer(context, number, entry, buffers, lo, hi, toGuest);
    if (moved < 0) {
      if (moved === -EPIPE && isPipe(context, entry)) context.processes?.brokenPipe();
      return toErrno(moved);
    }
    guest.view.setUint32(result, moved, true);
    return w.ERRNO_SUCCESS;
  }

  function judged(number: number, needed: number, act: () => number): number {
    const verdict = context.judge(number, needed);
    return toErrno(verdict < 0 ? verdict : act());
  }

  function open(number: number, needed: number): number {
    const entry = context.entry(number);
    return entry < 0 ? -EBADF : allowed(entry, needed);
  }

  return {
    fd_advise(number: number, offset: bigint, length: bigint, advice: number): number {
      const entry = positioned(number, w.RIGHT_FD_ADVISE);
      if (entry < 0) return toErrno(entry);
      // Everything is in memory: there is nothing to do with good advice.
      if ((advice & 0xff) > w.ADVICE_NOREUSE || high(offset) > 0x7fffffff || high(length) > 0x7fffffff)
        return w.ERRNO_INVAL;
      return w.ERRNO_SUCCESS;
    },
    fd_allocate(number: number, offset: bigint, length: bigint): number {
      const entry = positioned(number, w.RIGHT_FD_ALLOCATE);
      if (entry < 0) return toErrno(entry);
      if (length === 0n || high(offset) > 0x7fffffff || high(length) > 0x7fffffff) return w.ERRNO_INVAL;
      return toErrno(calls.fallocate(context.task, number, low(offset), high(offset), low(length), high(length)));
    },
    fd_close(number: number): number {
      return toErrno(context.closeFd(number));
    },
    fd_datasync: (number: number): number => judged(number, w.RIGHT_FD_DATASYNC, () => syncFile(context, number, 1)),
    fd_sync: (number: number): number => judged(number, w.RIGHT_FD_SYNC, () => syncFile(context, number, 0)),
    fd_fdstat_get(number: number, result: number): number {
      const at = result >>> 0;
      const entry = context.entry(number);
      if (entry < 0) return w.ERRNO_BADF;
      if (!guest.holds(at, w.FDSTAT_BYTES)) return w.ERRNO_FAULT;
      const { u32 } = context.kernel;
      const { view } = guest;
      view.setUint32(at, fileType(context.fileField(entry, FILE_TYPE)), true);
      view.setUint16(at + 2, fdflagsFromStatus(context.fileField(entry, FILE_STATUS)), true);
      view.setUint32(at + 4, 0, true);
      view.setUint32(at + 8, u32[entry + (FD_RIGHTS >>> 2)]!, true);
      view.setUint32(at + 12, 0, true);
      view.setUint32(at + 16, u32[entry + (FD_INHERITING >>> 2)]!, true);
      view.setUint32(at + 20, 0, true);
      return w.ERRNO_SUCCESS;
    },
    fd_fdstat_set_flags: (number: number, flags: number): number =>
      judged(number, w.RIGHT_FD_FDSTAT_SET_FLAGS, () =>
        (flags & 0xffff & ~w.FDFLAGS_ALL) !== 0
          ? -EINVAL
          : calls.fd_set_status(context.task, number, statusFromFdflags(flags)),
      ),
    fd_fdstat_set_rights(number: number, base: bigint, inheriting: bigint): number {
      const entry = context.entry(number);
      if (entry < 0) return w.ERRNO_BADF;
      const { u32 } = context.kernel;
      const wider =
        (low(base) & ~u32[entry + (FD_RIGHTS >>> 2)]!) | (low(inheriting) & ~u32[entry + (FD_INHERITING >>> 2)]!);
      if (wider !== 0 || high(base) !== 0 || high(inheriting) !== 0) return w.ERRNO_NOTCAPABLE;
      context.setRights(entry, low(base), low(inheriting));
      return w.ERRNO_SUCCESS;
    },
    fd_filestat_get(number: number, result: number): number {
      const verdict = context.judge(number, w.RIGHT_FD_FILESTAT_GET);
      if (verdict < 0) return toErrno(verdict);
      if (!guest.holds(result >>> 0, filestat.bytes)) return w.ERRNO_FAULT;
      const answer = calls.fstat(context.task, number);
      if (answer < 0) return toErrno(answer);
      filestat.write(context, result >>> 0);
      return w.ERRNO_SUCCESS;
    },
    fd_filestat_set_size(number: number, size: bigint): number {
      const verdict = context.judge(number, w.RIGHT_FD_FILESTAT_SET_SIZE);
      if (verdict < 0) return toErrno(verdict);
      if (high(size) > 0x7fffffff) return w.ERRNO_INVAL;
      return toErrno(calls.ftruncate(context.task, number, low(size), high(size)));
    },
    fd_filestat_set_times: (number: number, atim: bigint, mtim: bigint, flags: number): number =>
      judged(number, w.RIGHT_FD_FILESTAT_SET_TIMES, () => {
        const which = timesFromFlags(flags);
        if (which < 0) return which;
        return calls.futimens(context.task, number, which, low(atim), high(atim), low(mtim), high(mtim));
      }),
    fd_pread(number: number, iovs: number, count: number, at: bigint, result: number): number {
      const entry = positioned(number, w.RIGHT_FD_READ);
      if (high(at) > 0x7fffffff) return w.ERRNO_INVAL;
      return move(number, entry, true, iovs, count, low(at), high(at), result >>> 0);
    },
    fd_pwrite(number: number, iovs: number, count: number, at: bigint, result: number): number {
      const entry = positioned(number, w.RIGHT_FD_WRITE);
      if (high(at) > 0x7fffffff) return w.ERRNO_INVAL;
      return move(number, entry, false, iovs, count, low(at), high(at), result >>> 0);
    },
    fd_read: (number: number, iovs: number, count: number, result: number): number =>
      move(number, open(number, w.RIGHT_FD_READ), true, iovs, count, AT_OFFSET, 0, result >>> 0),
    fd_write: (number: number, iovs: number, count: number, result: number): number =>
      move(number, open(number, w.RIGHT_FD_WRITE), false, iovs, count, AT_OFFSET, 0, result >>> 0),
    fd_prestat_get(number: number, result: number): number {
      const preopen = context.preopens.get(number >>> 0);
      if (preopen === undefined) return w.ERRNO_BADF;
      if (!guest.holds(result >>> 0, w.PRESTAT_BYTES)) return w.ERRNO_FAULT;
      guest.view.setUint32(result >>> 0, w.PREOPEN_DIR, true);
      guest.view.setUint32((result >>> 0) + 4, preopen.name.length, true);
      return w.ERRNO_SUCCESS;
    },
    fd_prestat_dir_name(number: number, buffer: number, length: number): number {
      const preopen = context.preopens.get(number >>> 0);
      if (preopen === undefined) return w.ERRNO_BADF;
      if (length >>> 0 < preopen.name.length) return w.ERRNO_NAMETOOLONG;
      if (!guest.holds(buffer >>> 0, preopen.name.length)) return w.ERRNO_FAULT;
      guest.u8.set(preopen.name, buffer >>> 0);
      return w.ERRNO_SUCCESS;
    },
    fd_readdir(number: number, buffer: number, length: number, cookie: bigint, result: number): number {
      const verdict = context.judge(number, w.RIGHT_FD_READDIR);
      if (verdict < 0) return toErrno(verdict);
      if (!guest.holds(buffer >>> 0, length >>> 0) || !guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      const used = readDirectory(context, number, buffer >>> 0, length >>> 0, cookie);
      if (used < 0) return toErrno(used);
      guest.view.setUint32(result >>> 0, used, true);
      return w.ERRNO_SUCCESS;
    },
    fd_renumber(from: number, to: number): number {
      if (context.entry(from) < 0 || context.entry(to) < 0) return w.ERRNO_BADF;
      if (from === to) return w.ERRNO_SUCCESS;
      return toErrno(context.renumberFd(from, to));
    },
    fd_seek(number: number, lo: number, hi: number, from: number, result: number): number {
      const base = whence[from & 0xff];
      // Asking where one is needs no more than the right to tell.
      const needed = lo === 0 && hi === 0 && base === w.WHENCE_CUR ? w.RIGHT_FD_TELL : w.RIGHT_FD_SEEK;
      const entry = positioned(number, needed);
      if (entry < 0) return toErrno(entry);
      if (base === undefined) return w.ERRNO_INVAL;
      return seek(number, lo, hi, base, result >>> 0);
    },
    fd_tell(number: number, result: number): number {
      const entry = positioned(number, w.RIGHT_FD_TELL);
      return entry < 0 ? toErrno(entry) : seek(number, 0, 0, w.WHENCE_CUR, result >>> 0);
    },
  };

  function seek(number: number, lo: number, hi: number, base: number, result: number): number {
    if (!guest.holds(result, 8)) return w.ERRNO_FAULT;
    const answer = calls.lseek(context.task, number, lo, hi, base);
    if (answer < 0) return toErrno(answer);
    if (context.kernel.u8.length === 0) context.kernel.refresh();
    guest.view.setUint32(result, context.kernel.u32[(context.task + TASK_R0) >>> 2]!, true);
    guest.view.setUint32(result + 4, context.kernel.u32[(context.task + TASK_R1) >>> 2]!, true);
    return w.ERRNO_SUCCESS;
  }
}

/** Also a standard stream: it is one to the program. */
function isPipe(context: WasiContext, entry: number): boolean {
  const kind = context.fileField(entry, FILE_KIND);
  return kind === FILE_PIPE_WRITE || (kind === FILE_HOST && context.fileField(entry, FILE_HANDLE) < STANDARD_STREAMS);
}

/** A host stream keeps its own buffers; everything else is the kernel's. */
function syncFile(context: WasiContext, number: number, dataOnly: number): number {
  const entry = context.entry(number);
  const kind = context.fileField(entry, FILE_KIND);
  if (kind !== FILE_HOST) {
    const result = context.calls.fsync(context.task, number, dataOnly);
    if (result < 0 || kind === FILE_HOSTFS) return result;
    return context.port.sync?.(context.task) ?? 0;
  }
  context.streams[context.fileField(entry, FILE_HANDLE)]?.sync?.();
  return 0;
}

/** fstflags -> the kernel's TIME_* bits, -EINVAL when both "set" and "now" are asked of one time. */
export function timesFromFlags(flags: number): number {
  const bits = flags & 0xffff;
  if ((bits & ~w.FSTFLAGS_ALL) !== 0) return -EINVAL;
  const atim = bits & (w.FSTFLAG_ATIM | w.FSTFLAG_ATIM_NOW);
  const mtim = bits & (w.FSTFLAG_MTIM | w.FSTFLAG_MTIM_NOW);
  if (atim === (w.FSTFLAG_ATIM | w.FSTFLAG_ATIM_NOW) || mtim === (w.FSTFLAG_MTIM | w.FSTFLAG_MTIM_NOW)) return -EINVAL;
  let which = 0;
  if ((atim & w.FSTFLAG_ATIM) !== 0) which |= TIME_ATIME;
  if ((atim & w.FSTFLAG_ATIM_NOW) !== 0) which |= TIME_ATIME_NOW;
  if ((mtim & w.FSTFLAG_MTIM) !== 0) which |= TIME_MTIME;
  if ((mtim & w.FSTFLAG_MTIM_NOW) !== 0) which |= TIME_MTIME_NOW;
  return which;
}
