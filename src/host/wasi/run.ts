/**
 * One WASI process over a kernel: give it arguments, directories and streams, instantiate a module with `imports`, call
 * `start`. The isolations of host/{process,worker,inline} put this into the place of their choice.
 */
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  S_IFCHR,
  S_IFIFO,
  S_IFSOCK,
  TASK_PATH_A,
} from '../../core/abi/kernel.ts';
import { WctrError } from '../../errors.ts';
import * as w from '../../spec/wasi-preview1.ts';
import { type ContextOptions, EMPTY_BLOCK, encode, STANDARD_STREAMS, stringBlock, WasiContext } from './context.ts';
import { deterministicHost, hostClock, hostRandom, hostSleep } from './defaults.ts';
import type { KernelPort } from './kernel-port.ts';
import type {
  ClockPort,
  HostListener,
  HostStream,
  NetworkPort,
  ProcessPort,
  RandomPort,
  Sleep,
  StringBlock,
} from './ports.ts';
import { createPreview1, type Preview1Imports } from './preview1.ts';
import { ProcessEnd } from './proc.ts';
import { DIRECTORY_RIGHTS, SOCKET_RIGHTS, STREAM_RIGHTS } from './rights.ts';

const DEFAULT_RESOLUTION_NS = 1000;

export interface WasiProcessOptions {
  /** args[0] is the program's name. */
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env?: readonly string[];
  /** Absolute; default `/`. Another one is preopened as "." beside "/". */
  readonly cwd?: string;
  /**
   * Directories the guest finds, from descriptor 3 on. Default: "/" (and "." for cwd), unfenced. Directories named here
   * are fences: nothing above each is reached through it.
   */
  readonly preopens?: readonly WasiPreopen[];
  readonly stdin?: WasiStream;
  readonly stdout?: WasiStream;
  readonly stderr?: WasiStream;
  /** Listening sockets; they follow the directories. */
  readonly listeners?: readonly HostListener[];
  /** A kernel process made by the caller, who ends it, too; default: a new one, ended with the run. */
  readonly task?: number;
  /** Sockets the guest can make, and where its names lead; absent: none. */
  readonly network?: NetworkPort;
  /** Other programs the guest can start and end; absent: none. */
  readonly processes?: ProcessPort;
  /** Started by another guest: `task` has its descriptors already, and these are its strings, byte for byte. */
  readonly inherited?: { readonly args: StringBlock; readonly env: StringBlock };
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly clock?: ClockPort;
  readonly random?: RandomPort;
  readonly sleep?: Sleep;
  /** Times are cut to multiples of this; default 1,000. */
  readonly clockResolutionNs?: number;
  /** Fixed clock and randomness. */
  readonly deterministic?: boolean;
}

export interface WasiPreopen {
  /** As the guest sees it. */
  readonly name: string;
  /** Absolute path in the container. */
  readonly path: string;
}

export interface WasiStream {
  readonly stream: HostStream;
  /** Shown to the guest as a character device, which makes libc's isatty true. */
  readonly terminal?: boolean;
}

export type WasiEnd =
  | { readonly kind: 'exit'; readonly exitCode: number }
  /** Ended by a signal it raised; `exitCode` is 128 + Linux' number. */
  | { readonly kind: 'signal'; readonly exitCode: number; readonly signal: string }
  /** A Wasm trap, or whatever else the guest threw: 128 + SIGABRT, as other Wasm runtimes say. */
  | { readonly kind: 'trap'; readonly exitCode: 134; readonly error: unknown };

const EMPTY_STREAM: HostStream = { read: () => 0, write: (source) => source.length };

/**
 * A process slot: its imports are made once and serve one process after the other (`open`, instantiate, `start`), as
 * making 90 closures costs more than a small program's run.
 */
export class WasiProcess {
  readonly imports: Preview1Imports;
  readonly #context: WasiContext;
  #ownsTask = true;

  constructor(port: KernelPort) {
    this.#context = new WasiContext(port, DEFAULT_OPTIONS);
    this.imports = createPreview1(this.#context);
  }

  /** What the calls share; for those that look after the process (host/checkpoint). */
  get context(): WasiContext {
    return this.#context;
  }

  /** Makes a fresh kernel process. Call before instantiating the module. */
  open(options: WasiProcessOptions): void {
    const context = this.#context;
    const { calls } = context;
    const task = options.task ?? calls.process_create(0, options.user?.uid ?? 0, options.user?.gid ?? 0, 0);
    if (task < 0) throw new WctrError('limit-exceeded', 'the kernel has no room for another process');
    context.reset(task, contextOptions(options));
    context.network = options.network;
    context.processes = options.processes;
    context.cwd = options.cwd ?? '/';
    this.#ownsTask = options.task === undefined;
    const { inherited } = options;
    if (inherited === undefined) {
      context.args = stringBlock(options.args);
      context.environ = options.env === undefined || options.env.length === 0 ? EMPTY_BLOCK : stringBlock(options.env);
      this.#stdio(0, options.stdin, O_RDONLY, w.RIGHT_FD_WRITE);
      this.#stdio(1, options.stdout, O_WRONLY, w.RIGHT_FD_READ);
      this.#stdio(2, options.stderr, O_WRONLY, w.RIGHT_FD_READ);
    } else {
      context.args = inherited.args;
      context.environ = inherited.env;
      [options.stdin, options.stdout, options.stderr].forEach((given, handle) => {
        context.streams[handle] = given?.stream ?? EMPTY_STREAM;
      });
    }
    if (options.preopens === undefined) {
      context.rootFd = this.#preopen('/', '/');
      if (options.cwd !== undefined && options.cwd !== '/') context.cwdFd = this.#preopen('.', options.cwd);
    } else {
      for (const { name, path } of options.preopens) this.#preopen(name, path);
    }
    for (const listener of [...(options.listeners ?? []), ...(options.network?.listeners ?? [])])
      context.openStream(listener, S_IFSOCK, O_RDWR, SOCKET_RIGHTS);
  }

  /** Runs the export (default `_start`) to its end. The kernel process is gone afterwards. */
  start(instance: WebAssembly.Instance, name = '_start'): WasiEnd {
    const { memory, [name]: entry } = instance.exports;
    const end =
      typeof entry === 'function'
        ? this.run(memory as WebAssembly.Memory | undefined, entry as () => unknown)
        : undefined;
    if (end !== undefined) return end;
    this.close(0);
    throw new WctrError('exec-format', `the module has no function export named ${name}`, { data: { export: name } });
  }

  /** For a reactor, whose exports the host calls itself: names the memory that the imports work on. */
  attach(memory: WebAssembly.Memory | undefined): void {
    this.#context.guest.attach(memory);
  }

  /** As `start`, for a caller that has the memory and the entry itself. */
  run(memory: WebAssembly.Memory | undefined, entry: () => unknown): WasiEnd {
    const context = this.#context;
    context.guest.attach(memory);
    let end: WasiEnd;
    try {
      entry();
      end = this.#ended() ?? { kind: 'exit', exitCode: 0 };
    } catch (error) {
      // A guest that caught its own exit and then failed has still exited.
      end = this.#ended() ?? { kind: 'trap', exitCode: 134, error };
    }
    this.close(end.exitCode);
    return end;
  }

  /** Ends the kernel process of a guest that will not be started, or was left otherwise. */
  close(status: number): void {
    const context = this.#context;
    if (this.#ownsTask) context.calls.process_exit(context.task, status);
    context.guest.attach(undefined);
    context.closeStreams();
  }

  #ended(): WasiEnd | undefined {
    const { ended } = this.#context;
    if (!(ended instanceof ProcessEnd)) return undefined;
    if (ended.signal === 0) return { kind: 'exit', exitCode: ended.exitCode };
    return { kind: 'signal', exitCode: ended.exitCode, signal: `SIG${w.SIGNALS[ended.signal]!}` };
  }

  #stdio(handle: number, given: WasiStream | undefined, flags: number, without: number): void {
    const type = given?.terminal === true ? S_IFCHR : S_IFIFO;
    this.#context.openStreamAs(handle, given?.stream ?? EMPTY_STREAM, type, flags, STREAM_RIGHTS & ~without);
  }

  #preopen(name: string, path: string): number {
    const context = this.#context;
    const bytes = encode(path);
    context.kernel.u8.set(bytes, context.task + TASK_PATH_A);
    const opened = context.calls.openat(context.task, AT_FDCWD, bytes.length, O_RDONLY | O_DIRECTORY, 0, 0);
    const fd = opened < 0 ? opened : this.#behindStandard(opened);
    if (fd < 0) {
      throw new WctrError('not-found', `the directory ${path} of the container cannot be opened (errno ${-fd})`, {
        data: { path, errno: -fd },
      });
    }
    context.setRights(context.entry(fd), DIRECTORY_RIGHTS, w.RIGHTS_ALL);
    context.addPreopen(fd, name === path ? bytes : encode(name));
    return fd;
  }

  /** A program may be started without its standard streams; libc looks for directories behind them. */
  #behindStandard(fd: number): number {
    if (fd >= STANDARD_STREAMS) return fd;
    const { calls, task } = this.#context;
    const moved = calls.dup(task, fd, STANDARD_STREAMS);
    calls.close(task, fd);
    return moved;
  }
}

const DEFAULT_OPTIONS: ContextOptions = {
  clock: hostClock,
  random: hostRandom,
  sleep: hostSleep,
  clockResolutionNs: DEFAULT_RESOLUTION_NS,
};

function contextOptions(options: WasiProcessOptions): ContextOptions {
  const { clock, random, sleep, clockResolutionNs } = options;
  if ((clock ?? random ?? sleep ?? clockResolutionNs ?? options.deterministic) === undefined) return DEFAULT_OPTIONS;
  const twins = options.deterministic === true ? deterministicHost() : undefined;
  return {
    clock: clock ?? twins?.clock ?? hostClock,
    random: random ?? twins?.random ?? hostRandom,
    sleep: sleep ?? twins?.sleep ?? hostSleep,
    clockResolutionNs: clockResolutionNs ?? DEFAULT_RESOLUTION_NS,
  };
}

/** A process of its own, when one slot is not kept for the next. */
export function createProcess(port: KernelPort, options: WasiProcessOptions): WasiProcess {
  const process = new WasiProcess(port);
  process.open(options);
  return process;
}

/** Instantiates and runs a compiled module. */
export function runInline(process: WasiProcess, module: WebAssembly.Module, options: WasiProcessOptions): WasiEnd {
  process.open(options);
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(module, process.imports);
  } catch (cause) {
    process.close(0);
    throw new WctrError('exec-format', `the module cannot be instantiated: ${String(cause)}`, { cause });
  }
  return process.start(instance);
}
