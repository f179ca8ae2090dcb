/**
 * Isolation `process`, the default: the guest runs on the main thread of an operating-system process of its own, with
 * the caller's stdio where that was asked for, so no byte is relayed and a signal ends it at once. The parent holds the
 * backstops: the clock, the resident memory, and a reaper for the case that the parent itself dies.
 */
import { WctrError } from '../../errors.ts';
import { EXIT_TIMED_OUT, signalExit } from '../runner/exit.ts';
import { signalNumber } from '../runner/signals.ts';
import type { Sandbox, SandboxExit, SandboxHandle, SandboxSpec, SandboxStats, Signal } from '../sandbox.ts';
import type { ChildEnd, ChildStdio } from './container-process.ts';
import { ContainerProcess } from './container-process.ts';
import { Reaper } from './reaper.ts';
import { cpuMs, residentBytes } from './usage.ts';
import { readableOf, writableOf } from './web-streams.ts';

export interface ProcessSandboxOptions {
  /** A process started ahead by `prespawn()`; the first start whose stdio fits takes it. */
  readonly early?: ContainerProcess;
  /** Processes kept ready for the next starts, with `warmStdio`. */
  readonly warm?: number;
  readonly warmStdio?: ChildStdio;
}

export interface ProcessSandbox extends Sandbox {
  /** Ends the processes kept ready. Running containers stay. */
  close(): void;
}

const PIPES: ChildStdio = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' };
/** What a container process needs besides its guest: the runtime, compiled code, the kernel. */
const RUNTIME_ALLOWANCE_BYTES = 512 * 1024 * 1024;
const DEFAULT_MEMORY_BYTES = 4 * 1024 * 1024 * 1024;
const WATCHDOG_PERIOD_MS = 100;
/** The runtime's boot does not count against a guest's time, unless it never comes to an end. */
const BOOT_ALLOWANCE_MS = 30_000;

export { prespawn } from './prespawn.ts';

export function createProcessSandbox(options: ProcessSandboxOptions = {}): ProcessSandbox {
  const reaper = new Reaper();
  const idle: ContainerProcess[] = options.early === undefined ? [] : [options.early];
  let closed = false;

  function refill(): void {
    const wanted = closed ? 0 : (options.warm ?? 0);
    while (idle.length < wanted) idle.push(new ContainerProcess(options.warmStdio ?? PIPES));
  }

  function take(stdio: ChildStdio): ContainerProcess {
    const at = idle.findIndex((process) => process.isIdle && fits(process.stdio, stdio));
    const taken = at < 0 ? new ContainerProcess(stdio) : idle.splice(at, 1)[0]!;
    return taken;
  }

  refill();
  return {
    isolation: 'process',
    async start(spec) {
      const process = take(spec.stdio);
      try {
        await process.run(spec);
      } catch (error) {
        process.kill('SIGKILL');
        throw error;
      }
      if (process.pid !== undefined) reaper.watch(process.pid);
      process.onGone(() => {
        if (process.pid !== undefined) reaper.forget(process.pid);
      });
      // After the guest was told to start: booting another process competes with it.
      if (options.warm) setTimeout(refill, 0).unref?.();
      return new ProcessHandle(process, spec);
    },
    close() {
      closed = true;
      for (const process of idle.splice(0)) process.kill('SIGKILL');
    },
  };
}

/** An inherited stdin serves a guest without input too: the child does not hand it on. */
function fits(have: ChildStdio, want: ChildStdio): boolean {
  const stdin = have.stdin === want.stdin || (have.stdin === 'inherit' && want.stdin === 'null');
  return stdin && have.stdout === want.stdout && have.stderr === want.stderr;
}

class ProcessHandle implements SandboxHandle {
  readonly pid: number | undefined;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array> | undefined;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly #process: ContainerProcess;
  readonly #exit: Promise<SandboxExit>;
  readonly #timers: ReturnType<typeof setTimeout>[] = [];
  #ending: SandboxExit | undefined;
  #cpuMs = 0;
  #done = false;

  constructor(process: ContainerProcess, spec: SandboxSpec) {
    this.#process = process;
    this.pid = process.pid;
    this.stdin = process.stdin === null ? undefined : writableOf(process.stdin);
    this.stdout = process.stdout === null ? undefined : readableOf(process.stdout);
    this.stderr = process.stderr === null ? undefined : readableOf(process.stderr);
    this.#watch(spec);
    this.#exit = process.ended.then((end) => {
      this.#done = true;
      for (const timer of this.#timers) clearTimeout(timer);
      return this.#judge(end);
    });
  }

  wait(): Promise<SandboxExit> {
    return this.#exit;
  }

  async signal(name: Signal): Promise<void> {
    if (this.#process.isGone) throw new WctrError('conflict', 'the container is not running');
    this.#ending ??= signalExit(name);
    // The child has no handlers, so TERM and INT end it as they are. USR1 would start Node's debugger instead.
    this.#process.kill(name === 'SIGUSR1' || name === 'SIGUSR2' ? 'SIGKILL' : name);
  }

  async stats(): Promise<SandboxStats> {
    const pid = this.#process.isGone ? undefined : this.pid;
    this.#cpuMs = (pid === undefined ? undefined : cpuMs(pid)) ?? this.#cpuMs;
    return {
      memoryBytes: (pid === undefined ? undefined : residentBytes(pid)) ?? 0,
      storageBytes: 0,
      cpuMs: this.#cpuMs,
    };
  }

  #watch(spec: SandboxSpec): void {
    const { timeoutMs, memoryBytes } = spec.resources;
    if (timeoutMs !== undefined) {
      const reason = `timed out after ${timeoutMs} ms`;
      const stop = () => this.#end({ exitCode: EXIT_TIMED_OUT, oomKilled: false, reason });
      this.#timers.push(setTimeout(stop, timeoutMs + BOOT_ALLOWANCE_MS));
      void this.#process.ready.then(() => {
        if (!this.#done) this.#timers.push(setTimeout(stop, timeoutMs));
      });
    }
    const { pid } = this;
    if (pid === undefined || residentBytes(pid) === undefined) return;
    const most = (memoryBytes ?? DEFAULT_MEMORY_BYTES) + RUNTIME_ALLOWANCE_BYTES;
    const watchdog = setInterval(() => {
      if ((residentBytes(pid) ?? 0) <= most) return;
      const reason = `out of memory: the container process held more than ${Math.round(most / 1048576)} MiB`;
      this.#end({ exitCode: 137, oomKilled: true, reason });
    }, WATCHDOG_PERIOD_MS);
    watchdog.unref?.();
    this.#timers.push(watchdog);
  }

  #end(exit: SandboxExit): void {
    this.#ending ??= exit;
    this.#process.kill('SIGKILL');
  }

  #judge({ report, code, signal }: ChildEnd): SandboxExit {
    if (report !== undefined) return report;
    if (this.#ending !== undefined) return this.#ending;
    if (signal === 'SIGABRT' || signal === 'SIGTRAP' || signal === 'SIGSEGV' || signal === 'SIGILL') {
      const exitCode = 128 + signalNumber(signal);
      return {
        exitCode,
        oomKilled: false,
        reason: `the container process crashed: ${signal}`,
        errorCode: 'sandbox-failed',
      };
    }
    if (signal !== null) return { ...signalExit(signal), exitCode: 128 + signalNumber(signal) };
    return {
      exitCode: 125,
      oomKilled: false,
      reason: `the container process ended by itself with code ${code}`,
      errorCode: 'sandbox-failed',
    };
  }
}
