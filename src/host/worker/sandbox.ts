/**
 * Isolation `worker`: the guest runs in a Worker of the caller's process. It cannot block the caller and `terminate`
 * ends it; a fault of the engine would still take the whole process (see SECURITY.md). Works where processes do not
 * exist.
 */
import { WctrError } from '../../errors.ts';
import { EXIT_TIMED_OUT, signalExit } from '../runner/exit.ts';
import type { Sandbox, SandboxExit, SandboxHandle, SandboxSpec, Signal } from '../sandbox.ts';
import type { OutputName, StartMessage, StreamSetup, WorkerMessage, WorkerPort } from './messages.ts';
import { createRing, Ring } from './ring.ts';
import { Input, Output, RING_BYTES } from './streams.ts';

export type SandboxWorker = WorkerPort<StartMessage, WorkerMessage>;

export interface WorkerSandboxHost {
  openWorker(): SandboxWorker;
  kernelModule(): Promise<WebAssembly.Module>;
  coreModule(): Promise<WebAssembly.Module>;
  /** False: streams go as messages, and input has to be complete before the start. */
  readonly sharedMemory: boolean;
  /** The worker can use the runtime's own standard streams. */
  readonly inheritsStdio: boolean;
  /** The engine may not stop a computing worker: have the guest ask (costs fuel checks). */
  readonly stopsByFuel?: boolean;
}

export interface WorkerSandboxOptions {
  /** Workers kept ready for the next starts. */
  readonly warm?: number;
}

export interface WorkerSandbox extends Sandbox {
  close(): Promise<void>;
}

/** For a guest that ends at its next fuel check, before its worker is given up. */
const GRACE_MS = 50;

export function createWorkerSandbox(host: WorkerSandboxHost, options: WorkerSandboxOptions = {}): WorkerSandbox {
  const idle: SandboxWorker[] = [];
  let closed = false;
  const refill = () => {
    while (!closed && idle.length < (options.warm ?? 0)) idle.push(host.openWorker());
  };
  refill();
  return {
    isolation: 'worker',
    async start(spec) {
      refuseWhatCannotTravel(spec, host);
      const [kernel, core] = await Promise.all([host.kernelModule(), host.coreModule()]);
      const handle = new WorkerHandle(spec, host, idle.shift() ?? host.openWorker(), kernel, core);
      setTimeout(refill, 0);
      return handle;
    },
    async close() {
      closed = true;
      await Promise.all(idle.splice(0).map((port) => port.terminate()));
    },
  };
}

function refuseWhatCannotTravel(spec: SandboxSpec, host: WorkerSandboxHost): void {
  if (spec.mounts.some((mount) => mount.type === 'fs')) {
    throw new WctrError('unsupported', 'an fs object cannot be mounted into another thread', {
      hint: "use isolation 'inline', or mount a directory of the host",
    });
  }
  if (!host.inheritsStdio && Object.values(spec.stdio).includes('inherit')) {
    throw new WctrError('unsupported', 'this host has no standard streams to hand to a guest', {
      hint: "use stdio 'pipe'",
    });
  }
}

class WorkerHandle implements SandboxHandle {
  readonly pid = undefined;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array> | undefined;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly #exit: Promise<SandboxExit>;
  readonly #port: SandboxWorker;
  readonly #host: WorkerSandboxHost;
  readonly #outputs = new Map<OutputName, Output>();
  readonly #stop: SharedArrayBuffer | undefined;
  #resolve!: (exit: SandboxExit) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ending: SandboxExit | undefined;
  #ended = false;

  constructor(
    spec: SandboxSpec,
    host: WorkerSandboxHost,
    port: SandboxWorker,
    kernel: WebAssembly.Module,
    core: WebAssembly.Module,
  ) {
    this.#host = host;
    this.#port = port;
    this.#stop = host.stopsByFuel && host.sharedMemory ? new SharedArrayBuffer(4) : undefined;
    this.#exit = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const outputs = { stdout: this.#output('stdout', spec), stderr: this.#output('stderr', spec) };
    this.stdout = this.#outputs.get('stdout')?.readable;
    this.stderr = this.#outputs.get('stderr')?.readable;
    const input = new Input(spec.stdio.stdin, host.sharedMemory);
    this.stdin = input.writable;
    port.onMessage((message) => this.#receive(message, input));
    port.onEnd((error) => this.#crashed(error));
    void input.ready.then((stdin) => {
      if (this.#ended) return;
      const stop = this.#stop === undefined ? {} : { stop: this.#stop };
      port.post({ type: 'start', spec, kernel, core, stdin, ...outputs, ...stop });
      const { timeoutMs } = spec.resources;
      if (timeoutMs === undefined) return;
      const reason = `timed out after ${timeoutMs} ms`;
      this.#timer = setTimeout(() => this.#kill({ exitCode: EXIT_TIMED_OUT, oomKilled: false, reason }), timeoutMs);
    });
  }

  wait(): Promise<SandboxExit> {
    return this.#exit;
  }

  async signal(name: Signal): Promise<void> {
    if (this.#ended) throw new WctrError('conflict', 'the container is not running');
    this.#kill(signalExit(name));
  }

  async stats() {
    return { memoryBytes: 0, storageBytes: 0, cpuMs: 0 };
  }

  #output(name: OutputName, spec: SandboxSpec): StreamSetup {
    if (spec.stdio[name] === 'inherit') return { kind: 'inherit' };
    const ring = this.#host.sharedMemory ? createRing(RING_BYTES) : undefined;
    this.#outputs.set(name, new Output(ring === undefined ? undefined : new Ring(ring)));
    return ring === undefined ? { kind: 'message' } : { kind: 'ring', buffer: ring };
  }

  #receive(message: WorkerMessage, input: Input): void {
    if (message.type === 'readable') this.#outputs.get(message.stream)?.wake();
    else if (message.type === 'output') this.#outputs.get(message.stream)?.push(message.bytes);
    else if (message.type === 'writable') input.wake();
    else if (message.type === 'exit') this.#finish(this.#ending ?? message.exit);
  }

  #kill(exit: SandboxExit): void {
    if (this.#ended) return;
    this.#ending ??= exit;
    if (this.#stop !== undefined) {
      Atomics.store(new Int32Array(this.#stop), 0, 1);
      setTimeout(() => this.#finish(exit), GRACE_MS);
    } else {
      this.#finish(exit);
    }
  }

  #crashed(error: unknown): void {
    const text = (error as { message?: string } | null)?.message ?? 'the worker ended by itself';
    this.#finish(this.#ending ?? { exitCode: 125, oomKilled: false, reason: text, errorCode: 'sandbox-failed' });
  }

  #finish(exit: SandboxExit): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    void this.#port.terminate().then(() => {
      for (const output of this.#outputs.values()) output.end();
      this.#resolve(exit);
    });
  }
}
