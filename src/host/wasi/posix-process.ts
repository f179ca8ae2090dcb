/** Who a program is, and other programs: proc_* and fd_pipe of module `wctr_posix_v1` (spec/wctr-posix.ts). */
import * as k from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import * as p from '../../spec/wctr-posix.ts';
import { STANDARD_STREAMS, type WasiContext } from './context.ts';
import { toErrno } from './errno.ts';
import { fileIdentity } from './file-identity.ts';
import type { StringBlock } from './ports.ts';
import { STREAM_RIGHTS } from './rights.ts';

const E2BIG = 7;
const EILSEQ = 84;
/** The kernel's word for it is the same. */
const CLOSED = p.FD_CLOSED | 0;

export function posixProcess(context: WasiContext) {
  const { guest, calls } = context;

  function words(): Uint32Array {
    const { u32 } = context.kernel.u8.length === 0 ? context.kernel.refresh() : context.kernel;
    return u32;
  }

  function field(offset: number): number {
    return words()[(context.process + offset) >>> 2]!;
  }

  /** A path as text and, absolute, in area A; its bytes there, or a negative errno. */
  function path(
    pointer: number,
    length: number,
    from: string,
  ): { readonly text: string; readonly size: number } | number {
    if (!guest.holds(pointer, length)) return -k.EFAULT;
    if (length === 0) return -k.ENOENT;
    let given: string;
    try {
      given = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
        guest.u8.slice(pointer, pointer + length),
      );
    } catch {
      return -EILSEQ;
    }
    const text = given.startsWith('/') ? given : `${from === '/' ? '' : from}/${given}`;
    const bytes = new TextEncoder().encode(text);
    if (bytes.length >= k.PATH_MAX) return -k.ENAMETOOLONG;
    if (bytes.includes(0)) return -EILSEQ;
    context.kernel.refresh().u8.set(bytes, context.task + k.TASK_PATH_A);
    return { text, size: bytes.length };
  }

  /** Mode of what the path in area A leads to, or a negative errno. */
  function modeOf(size: number): number {
    const answer = calls.fstatat(context.task, k.AT_FDCWD, size, 0);
    return answer < 0 ? answer : words()[(context.task + k.TASK_STAT + k.STAT_MODE) >>> 2]!;
  }

  function strings(pointer: number, length: number): StringBlock | number {
    if (!guest.holds(pointer, length)) return -k.EFAULT;
    const bytes = guest.u8.slice(pointer, pointer + length);
    if (length > 0 && bytes[length - 1] !== 0) return -k.EINVAL;
    const offsets: number[] = [];
    for (let at = 0; at < length; at = bytes.indexOf(0, at) + 1) {
      if (offsets.push(at) > p.SPAWN_STRINGS_EACH) return -E2BIG;
    }
    return { bytes, offsets };
  }

  function descriptors(pointer: number, count: number): Int32Array | number {
    if (count > p.SPAWN_FDS_MAX) return -k.EINVAL;
    if (!guest.holds(pointer, count * 4)) return -k.EFAULT;
    const fds = new Int32Array(guest.u8.slice(pointer, pointer + count * 4).buffer);
    for (const fd of fds) {
      if (fd === CLOSED) continue;
      const entry = context.entry(fd);
      if (entry < 0) return -k.EBADF;
      const isStream = context.fileField(entry, k.FILE_KIND) === k.FILE_HOST;
      if (isStream && context.fileField(entry, k.FILE_HANDLE) >= STANDARD_STREAMS) return -k.EOPNOTSUPP;
    }
    return fds;
  }

  return {
    proc_ids(result: number): number {
      const to = result >>> 0;
      if (!guest.holds(to, p.IDS_BYTES)) return w.ERRNO_FAULT;
      const { view } = guest;
      view.setUint32(to + p.IDS_UID, field(k.PROCESS_UID), true);
      view.setUint32(to + p.IDS_GID, field(k.PROCESS_GID), true);
      view.setUint32(to + p.IDS_PID, field(k.PROCESS_PID), true);
      view.setUint32(to + p.IDS_PPID, field(k.PROCESS_PARENT), true);
      view.setUint32(to + p.IDS_UMASK, field(k.PROCESS_UMASK), true);
      return w.ERRNO_SUCCESS;
    },
    proc_umask(mask: number, result: number): number {
      if (!guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      guest.view.setUint32(result >>> 0, calls.umask(context.task, mask), true);
      return w.ERRNO_SUCCESS;
    },
    proc_spawn(
      program: number,
      programLength: number,
      argsPointer: number,
      argsLength: number,
      envPointer: number,
      envLength: number,
      directory: number,
      directoryLength: number,
      fdsPointer: number,
      fdsCount: number,
      result: number,
    ): number {
      const { processes } = context;
      if (processes === undefined) return w.ERRNO_NOSYS;
      if (!guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      if ((argsLength >>> 0) + (envLength >>> 0) > p.SPAWN_STRINGS_MAX) return toErrno(-E2BIG);
      const args = strings(argsPointer >>> 0, argsLength >>> 0);
      if (typeof args === 'number') return toErrno(args);
      const env = strings(envPointer >>> 0, envLength >>> 0);
      if (typeof env === 'number') return toErrno(env);
      const fds = descriptors(fdsPointer >>> 0, fdsCount >>> 0);
      if (typeof fds === 'number') return toErrno(fds);
      let { cwd } = context;
      if (directoryLength !== 0) {
        const given = path(directory >>> 0, directoryLength >>> 0, cwd);
        if (typeof given === 'number') return toErrno(given);
        const mode = modeOf(given.size);
        if (mode < 0) return toErrno(mode);
        if ((mode & k.S_IFMT) !== k.S_IFDIR) return w.ERRNO_NOTDIR;
        cwd = given.text;
      }
      const file = path(program >>> 0, programLength >>> 0, cwd);
      if (typeof file === 'number') return toErrno(file);
      const mode = modeOf(file.size);
      if (mode < 0) return toErrno(mode);
      if ((mode & k.S_IFMT) !== k.S_IFREG) return w.ERRNO_ACCES;
      const known = fileIdentity(words(), context.task);
      const request = { path: file.text, args, env, cwd, fds };
      const pid = processes.spawn(known === undefined ? request : { ...request, identity: known });
      if (pid < 0) return toErrno(pid);
      guest.view.setUint32(result >>> 0, pid, true);
      return w.ERRNO_SUCCESS;
    },
    proc_wait(pid: number, flags: number, pidResult: number, statusResult: number): number {
      if (context.processes === undefined) return w.ERRNO_NOSYS;
      if (!guest.holds(pidResult >>> 0, 4) || !guest.holds(statusResult >>> 0, 4)) return w.ERRNO_FAULT;
      if (pid < 0 || (flags & ~p.WAIT_NO_HANG) !== 0) return w.ERRNO_INVAL;
      const ended = calls.process_wait(context.task, pid === 0 ? -1 : pid, flags === 0 ? 0 : k.WNOHANG);
      if (ended < 0) return toErrno(ended);
      guest.view.setUint32(pidResult >>> 0, ended, true);
      const status = ended === 0 ? 0 : words()[(context.task + k.TASK_R0) >>> 2]!;
      guest.view.setUint32(statusResult >>> 0, status & 0xff, true);
      return w.ERRNO_SUCCESS;
    },
    proc_kill(pid: number, signal: number): number {
      const { processes } = context;
      if (processes === undefined) return w.ERRNO_NOSYS;
      // No groups of processes: 0 and negative numbers name none.
      if (pid <= 0 || signal < 0 || signal > p.SIGNAL_MAX) return w.ERRNO_INVAL;
      if (calls.process_next(context.task, pid - 1) !== pid || pid >= k.PROCESS_HOST_PIDS) return w.ERRNO_SRCH;
      const own = field(k.PROCESS_UID);
      if (own !== 0 && words()[(context.task + k.TASK_R1) >>> 2]! !== own) return w.ERRNO_PERM;
      return signal === 0 ? w.ERRNO_SUCCESS : toErrno(processes.kill(pid, signal));
    },
    fd_pipe(result: number): number {
      if (context.processes === undefined) return w.ERRNO_NOSYS;
      if (!guest.holds(result >>> 0, 8)) return w.ERRNO_FAULT;
      const made = calls.pipe(context.task, 0);
      if (made < 0) return toErrno(made);
      const at = (context.task + k.TASK_R0) >>> 2;
      const [reader, writer] = [words()[at]!, words()[at + 1]!];
      context.setRights(context.entry(reader), STREAM_RIGHTS & ~w.RIGHT_FD_WRITE, 0);
      context.setRights(context.entry(writer), STREAM_RIGHTS & ~w.RIGHT_FD_READ, 0);
      guest.view.setUint32(result >>> 0, reader, true);
      guest.view.setUint32((result >>> 0) + 4, writer, true);
      return w.ERRNO_SUCCESS;
    },
  };
}
