/**
 * What the call families share: one kernel task, one guest memory, the tables a WASI process has besides the kernel's
 * fd table. A context outlives its process: `reset` makes it fresh for the next one.
 */
import {
  EBADF,
  EFAULT,
  ENAMETOOLONG,
  ENOTCAPABLE,
  FD_BYTES,
  FD_FILE,
  FD_INHERITING,
  FD_RIGHTS,
  FILE_HANDLE,
  FILE_HOST,
  FILE_KIND,
  FILE_REFS,
  PATH_MAX,
  PROCESS_FD_CAPACITY,
  PROCESS_FDS,
  TASK_BYTES,
  TASK_PROCESS,
  WALK_BENEATH,
} from '../../core/abi/kernel.ts';
import { GuestMemory } from './guest-memory.ts';
import { KernelMemory } from './kernel-memory.ts';
import type { KernelPort } from './kernel-port.ts';
import type { ClockPort, HostStream, NetworkPort, ProcessPort, RandomPort, Sleep, StringBlock } from './ports.ts';
import type { ProcessEnd } from './proc.ts';

/** Linux' EILSEQ: a path with a NUL in it. */
const EILSEQ = 84;

/** Handles of standard input, output and error; they lead to the same streams in all programs of a session. */
export const STANDARD_STREAMS = 3;

/** A directory the guest finds at its start, by descriptor number. */
export interface Preopened {
  readonly name: Uint8Array;
}

export interface ContextOptions {
  readonly clock: ClockPort;
  readonly random: RandomPort;
  readonly sleep: Sleep;
  /** Times are cut to multiples of this. */
  readonly clockResolutionNs: number;
}

export class WasiContext {
  readonly port: KernelPort;
  readonly calls: KernelPort['calls'];
  readonly kernel: KernelMemory;
  readonly guest = new GuestMemory();
  clock: ClockPort;
  random: RandomPort;
  sleep: Sleep;
  clockResolutionNs: number;
  /** monotonicMs() when the process started. */
  startedMs = 0;
  /** Set by proc_exit and proc_raise. */
  ended: ProcessEnd | undefined;
  /** The kernel task of this process. */
  task = 0;
  process = 0;
  /** NUL-terminated strings, one after the other, and the offset of each. */
  args: StringBlock = EMPTY_BLOCK;
  environ: StringBlock = EMPTY_BLOCK;
  /** Streams by kernel handle. */
  readonly streams: (HostStream | undefined)[] = [];
  /** Where sockets come from; undefined: the guest can make none. */
  network: NetworkPort | undefined;
  /** How other programs are started; undefined: they cannot be. */
  processes: ProcessPort | undefined;
  /** Where the program was started. */
  cwd = '/';
  readonly preopens = new Map<number, Preopened>();
  #lastPreopen = -1;
  /** Descriptors whose paths resolve in the whole container (`..` included), -1 when closed. All others are fences. */
  rootFd = -1;
  cwdFd = -1;

  constructor(port: KernelPort, options: ContextOptions) {
    this.port = port;
    // A copy: an instance's exports object is a dictionary, and looking a call up in it costs as much as the call.
    this.calls = { ...port.calls };
    this.kernel = new KernelMemory(port.memory);
    this.clock = options.clock;
    this.random = options.random;
    this.sleep = options.sleep;
    this.clockResolutionNs = options.clockResolutionNs;
  }

  reset(task: number, options: ContextOptions): void {
    this.clock = options.clock;
    this.random = options.random;
    this.sleep = options.sleep;
    this.clockResolutionNs = options.clockResolutionNs;
    this.startedMs = options.clock.monotonicMs();
    this.ended = undefined;
    this.task = task;
    this.kernel.reach(task + TASK_BYTES);
    this.process = this.kernel.u32[(task + TASK_PROCESS) >>> 2]!;
    this.preopens.clear();
    this.#lastPreopen = -1;
    this.rootFd = -1;
    this.cwdFd = -1;
  }

  /** Index (in u32 units of the kernel's memory) of the fd's table entry, or -1 when it is not open. */
  entry(fd: number): number {
    if (this.kernel.u8.length === 0) this.kernel.refresh();
    let { u32 } = this.kernel;
    const process = this.process >>> 2;
    if (fd >>> 0 >= u32[process + (PROCESS_FD_CAPACITY >>> 2)]!) return -1;
    const entry = (u32[process + (PROCESS_FDS >>> 2)]! + fd * FD_BYTES) >>> 2;
    // Another process of a shared kernel may have made the memory grow past this view.
    if (entry >= u32.length) ({ u32 } = this.kernel.refresh());
    return u32[entry + (FD_FILE >>> 2)] === 0 ? -1 : entry;
  }

  /** 0 when the fd is open and has all of `needed`, else a negative errno. */
  judge(fd: number, needed: number): number {
    const entry = this.entry(fd);
    if (entry < 0) return -EBADF;
    return (this.kernel.u32[entry + (FD_RIGHTS >>> 2)]! & needed) === needed ? 0 : -ENOTCAPABLE;
  }

  /** A field of the open file behind a table entry (FILE_*). */
  fileField(entry: number, field: number): number {
    const { u32 } = this.kernel;
    const at = (u32[entry + (FD_FILE >>> 2)]! + field) >>> 2;
    return at < u32.length ? u32[at]! : this.kernel.refresh().u32[at]!;
  }

  /**
   * Writes rights in place. The kernel only stores them, and only this process' thread changes its table, so no kernel
   * call is spent on it.
   */
  setRights(entry: number, base: number, inheriting: number): void {
    const { u32 } = this.kernel;
    u32[entry + (FD_RIGHTS >>> 2)] = base;
    u32[entry + (FD_RIGHTS >>> 2) + 1] = 0;
    u32[entry + (FD_INHERITING >>> 2)] = inheriting;
    u32[entry + (FD_INHERITING >>> 2) + 1] = 0;
  }

  /**
   * Gives the guest a descriptor of a host stream, the least free number. Handles of closed streams are used again.
   * Returns the fd or a negative errno.
   */
  openStream(stream: HostStream, type: number, flags: number, rights: number): number {
    let handle = STANDARD_STREAMS;
    while (handle < this.streams.length && this.streams[handle] !== undefined) handle++;
    return this.openStreamAs(handle, stream, type, flags, rights);
  }

  /** The same by a handle that is free. */
  openStreamAs(handle: number, stream: HostStream, type: number, flags: number, rights: number): number {
    const fd = this.calls.fd_open_host(this.task, handle, type, flags);
    if (fd < 0) return fd;
    this.streams[handle] = stream;
    this.setRights(this.entry(fd), rights, 0);
    return fd;
  }

  /** Closes a descriptor, and the host's stream behind it with the last one. */
  closeFd(fd: number): number {
    const stream = this.#lastOf(fd);
    const result = this.calls.close(this.task, fd);
    if (result < 0) return result;
    this.#forget(fd);
    if (stream >= 0) this.#closeStream(stream);
    return 0;
  }

  /** Moves a descriptor over another, which is closed. Both are open and differ. */
  renumberFd(from: number, to: number): number {
    const stream = this.#lastOf(to);
    const result = this.calls.renumber(this.task, from, to);
    if (result < 0) return result;
    this.#forget(from);
    this.#forget(to);
    if (stream >= 0) this.#closeStream(stream);
    return 0;
  }

  /** The handle of the host stream that this descriptor alone keeps open, or -1. */
  #lastOf(fd: number): number {
    const entry = this.entry(fd);
    if (entry < 0 || this.fileField(entry, FILE_KIND) !== FILE_HOST || this.fileField(entry, FILE_REFS) !== 1)
      return -1;
    return this.fileField(entry, FILE_HANDLE);
  }

  #closeStream(handle: number): void {
    this.streams[handle]?.close?.();
    this.streams[handle] = undefined;
  }

  /** At the end of a process. The list keeps its length: the next process needs one as long. */
  closeStreams(): void {
    for (let handle = 0; handle < this.streams.length; handle++) {
      if (this.streams[handle] !== undefined) this.#closeStream(handle);
    }
  }

  /** The number no longer is what the guest was given at its start. */
  #forget(fd: number): void {
    if (fd > this.#lastPreopen) return;
    this.preopens.delete(fd);
    if (fd === this.rootFd) this.rootFd = -1;
    if (fd === this.cwdFd) this.cwdFd = -1;
  }

  addPreopen(fd: number, name: Uint8Array): void {
    this.preopens.set(fd, { name });
    this.#lastPreopen = Math.max(this.#lastPreopen, fd);
  }

  /** How paths given with this directory fd are walked. */
  walk(fd: number): number {
    return fd === this.rootFd || fd === this.cwdFd ? 0 : WALK_BENEATH;
  }

  /**
   * Copies a guest path into the task's path area. Returns its length or a negative errno. An absolute path is never
   * right here: WASI paths are relative to their descriptor.
   */
  path(pointer: number, length: number, area: number): number {
    const { guest, kernel } = this;
    if (!guest.holds(pointer, length)) return -EFAULT;
    if (length >= PATH_MAX) return -ENAMETOOLONG;
    if (length > 0 && guest.u8[pointer] === 0x2f) return -ENOTCAPABLE;
    return copyString(guest, kernel, pointer, length, this.task + area);
  }

  /** The same for bytes that are not a path (a symlink's target): a leading slash is the caller's business. */
  text(pointer: number, length: number, area: number): number {
    if (!this.guest.holds(pointer, length)) return -EFAULT;
    if (length >= PATH_MAX) return -ENAMETOOLONG;
    return copyString(this.guest, this.kernel, pointer, length, this.task + area);
  }
}

function copyString(guest: GuestMemory, kernel: KernelMemory, from: number, length: number, to: number): number {
  if (kernel.u8.length === 0) kernel.refresh();
  const { view } = guest;
  const { u32, u8 } = kernel;
  const whole = length & ~3;
  let word = to >>> 2;
  for (let i = 0; i < whole; i += 4) {
    const bytes = view.getInt32(from + i, true);
    // A zero byte borrows into its top bit.
    if (((bytes - 0x01010101) & ~bytes & 0x80808080) !== 0) return -EILSEQ;
    u32[word++] = bytes;
  }
  const source = guest.u8;
  for (let i = whole; i < length; i++) {
    const byte = source[from + i]!;
    if (byte === 0) return -EILSEQ;
    u8[to + i] = byte;
  }
  return length;
}

export const EMPTY_BLOCK: StringBlock = { bytes: new Uint8Array(0), offsets: [] };

const encoder = new TextEncoder();

/** Encodes strings the way args_get and environ_get lay them out. A NUL would end a string early: it is dropped. */
export function stringBlock(strings: readonly string[]): StringBlock {
  if (strings.length === 0) return EMPTY_BLOCK;
  const pieces: Uint8Array[] = [];
  const offsets: number[] = [];
  let size = 0;
  for (const string of strings) {
    const piece = encode(string.includes('\0') ? string.replaceAll('\0', '') : string);
    pieces.push(piece);
    offsets.push(size);
    size += piece.length + 1;
  }
  const bytes = new Uint8Array(size);
  for (let i = 0; i < pieces.length; i++) bytes.set(pieces[i]!, offsets[i]!);
  return { bytes, offsets };
}

/** UTF-8. Short ASCII without the encoder, whose call is dearer than the work. */
export function encode(text: string): Uint8Array {
  if (text.length > 64) return encoder.encode(text);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/** Low and high halves of a guest's 64-bit argument, as u32. */
export function low(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}

export function high(value: bigint): number {
  return Number(BigInt.asUintN(32, value >> 32n));
}
