/** One process of a container as the main thread has it: its thread, its streams, its end. */
import { WctrError } from '../../errors.ts';
import { cannotKeep } from '../checkpoint/instance-state.ts';
import { EXIT_TIMED_OUT, signalExit } from '../runner/exit.ts';
import { defaultAction, signalName, signalNumber } from '../runner/signals.ts';
import type { SandboxExit } from '../sandbox.ts';
import { LineDiscipline, toTerminal } from '../terminal/line-discipline.ts';
import { TerminalLines } from '../terminal/terminal-lines.ts';
import type { OutputName, StreamSetup, WorkerPort } from '../worker/messages.ts';
import { createRing, Ring } from '../worker/ring.ts';
import { Input, Output, RING_BYTES } from '../worker/streams.ts';
import type { GuestProcess, ProcessSpec } from './container.ts';
import {
  FREEZE_AND_END,
  FREEZE_AND_GO_ON,
  FREEZE_NOTHING,
  FREEZE_SIGNAL,
  type GuestError,
  type GuestMessage,
  type GuestStart,
  STATE_ASYNCIFY,
  STATE_BYTES,
  STATE_CATCHES,
  STATE_FREEZE,
  STATE_JOURNAL,
  STATE_PAGES,
} from './messages.ts';

export type GuestThread = WorkerPort<GuestStart, GuestMessage>;

/** What a guest needs of its container. */
export interface GuestOwner {
  /** Something a guest may be waiting for changed. */
  wake(): void;
  /** Ends the thread and its kernel process. `busy`: it may be anywhere in its work. */
  reap(guest: Guest, busy: boolean): Promise<void>;
  cpuMs(thread: string): number;
  /** Leaves a signal for a guest that handles its own. False: there is no such signal in a kernel. */
  signal(guest: Guest, signal: number): boolean;
}

const SIGKILL = 9;

const FREEZE_WITHIN_MS = 10_000;
const FREEZE_HINT =
  'build it with wasm-opt --asyncify; or stop it, if it exports wizer.initialize, and freeze it initialised';

const PAGE_BYTES = 65536;

export class Guest implements GuestProcess {
  readonly pid: number;
  readonly spec: ProcessSpec;
  readonly startedAt = new Date().toISOString();
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly thread: GuestThread;
  /** The kernel process. */
  readonly task: number;
  readonly #owner: GuestOwner;
  readonly #input: Input | undefined;
  readonly #terminal: SharedArrayBuffer | undefined;
  readonly #outputs = new Map<OutputName, Output>();
  readonly #rings = { stdout: createRing(RING_BYTES), stderr: createRing(RING_BYTES) };
  readonly #state = new SharedArrayBuffer(STATE_BYTES);
  readonly #exit: Promise<SandboxExit>;
  #inputRing: Ring | undefined;
  #resolve!: (exit: SandboxExit) => void;
  #started: { resolve(): void; reject(error: unknown): void } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ending = false;
  #threadName: string | undefined;
  #freezing: { resolve(path: string): void; reject(error: unknown): void } | undefined;
  #checkpoint = '';
  #cpuMs = 0;

  constructor(pid: number, task: number, spec: ProcessSpec, thread: GuestThread, owner: GuestOwner) {
    this.pid = pid;
    this.task = task;
    this.spec = spec;
    this.thread = thread;
    this.#owner = owner;
    this.#exit = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    const wake = () => owner.wake();
    if (spec.terminal) {
      const output = this.#output('stdout', toTerminal);
      this.#terminal = createRing(RING_BYTES);
      const typed = terminalStream(this.#terminal, output, this, wake);
      this.stdin = spec.stdin ? typed : undefined;
      this.stdout = output.readable;
    } else {
      this.#input = new Input(spec.stdin ? 'pipe' : 'null', true, wake);
      this.stdin = this.#input.writable;
      this.stdout = this.#output('stdout').readable;
      this.stderr = this.#output('stderr').readable;
    }
    thread.onMessage((message) => this.#receive(message));
    thread.onEnd((error) => this.#crashed(error));
  }

  /** Resolves when the program is loaded and runs; rejects with what kept it from that, the process being gone then. */
  async start(
    message: Omit<GuestStart, 'type' | 'stdin' | 'stdout' | 'stderr' | 'state' | 'task'>,
    transfer: readonly unknown[],
  ): Promise<void> {
    const started = new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    this.#checkpoint = message.checkpoint ?? '';
    const stdin = this.#terminal ?? bufferOf(await this.#input?.ready);
    if (stdin !== undefined) this.#inputRing = new Ring(stdin);
    this.thread.post(
      {
        type: 'guest',
        ...message,
        task: this.task,
        ...(stdin === undefined ? {} : { stdin }),
        stdout: this.#rings.stdout,
        ...(this.spec.terminal ? {} : { stderr: this.#rings.stderr }),
        state: this.#state,
      },
      transfer,
    );
    await started;
    const { timeoutMs } = message.spec.resources;
    if (timeoutMs === undefined || this.#ending) return;
    const reason = `timed out after ${timeoutMs} ms`;
    this.#timer = setTimeout(
      () => void this.end({ exitCode: EXIT_TIMED_OUT, oomKilled: false, reason }, true),
      timeoutMs,
    );
  }

  wait(): Promise<SandboxExit> {
    return this.#exit;
  }

  signal(name: string): void {
    const signal = signalNumber(name);
    if (signal === 0) throw new WctrError('invalid-argument', `no such signal: ${name}`);
    if (this.#ending) throw new WctrError('conflict', 'the process is not running');
    if (this.#catches() && signal !== SIGKILL && this.#owner.signal(this, signal)) {
      this.#inputRing?.poke();
      return;
    }
    const action = defaultAction(signal);
    if (action === 'stop') {
      throw new WctrError('unsupported', `${signalName(signal)} cannot stop one process of a container`, {
        hint: 'pause the container',
      });
    }
    if (action === 'end') void this.end(signalExit(signalName(signal)), true);
  }

  /** The descriptor of the journal that its thread left open. */
  takeJournal(): number | undefined {
    const descriptor = Atomics.exchange(new Int32Array(this.#state), STATE_JOURNAL, 0) - 1;
    return descriptor < 0 ? undefined : descriptor;
  }

  #catches(): boolean {
    return Atomics.load(new Int32Array(this.#state), STATE_CATCHES) === 1;
  }

  async freeze(leaveRunning: boolean): Promise<string> {
    const state = new Int32Array(this.#state);
    if (this.#checkpoint === '') throw new WctrError('unsupported', 'this container cannot keep checkpoints');
    if (this.#ending) throw new WctrError('conflict', 'the process is not running');
    if (this.#freezing !== undefined) throw new WctrError('conflict', 'a checkpoint of it is being made already');
    if (Atomics.load(state, STATE_ASYNCIFY) === 0) {
      throw cannotKeep('it runs, and was not built so that its frames can be kept', { hint: FREEZE_HINT });
    }
    const frozen = new Promise<string>((resolve, reject) => {
      this.#freezing = { resolve, reject };
    });
    const wanted = leaveRunning ? FREEZE_AND_GO_ON : FREEZE_AND_END;
    Atomics.store(state, STATE_FREEZE, wanted);
    this.#owner.signal(this, FREEZE_SIGNAL);
    this.#inputRing?.poke();
    const timer = setTimeout(() => {
      if (Atomics.compareExchange(state, STATE_FREEZE, wanted, FREEZE_NOTHING) !== wanted) return;
      this.#freezing?.reject(
        new WctrError('timeout', `the program called nothing of its host for ${FREEZE_WITHIN_MS / 1000} s`, {
          hint: 'it can be frozen in a call only: try again',
        }),
      );
    }, FREEZE_WITHIN_MS);
    try {
      return await frozen;
    } finally {
      clearTimeout(timer);
      this.#freezing = undefined;
    }
  }

  /** A guest has no call to ask for the size: what it was at its start is in its environment. It is told of another. */
  resize(): void {
    if (!this.spec.terminal || this.#ending || !this.#catches()) return;
    if (this.#owner.signal(this, signalNumber('SIGWINCH'))) this.#inputRing?.poke();
  }

  cpuMs(): number {
    if (this.#threadName !== undefined && !this.#ending) this.#cpuMs = this.#owner.cpuMs(this.#threadName);
    return this.#cpuMs;
  }

  memoryBytes(): number {
    return this.#ending ? 0 : Atomics.load(new Int32Array(this.#state), STATE_PAGES) * PAGE_BYTES;
  }

  /** Ends it, unless that is under way. `busy`: its thread may be in the middle of something. */
  async end(exit: SandboxExit, busy: boolean): Promise<void> {
    if (this.#ending) {
      await this.#exit;
      return;
    }
    this.cpuMs();
    this.#ending = true;
    clearTimeout(this.#timer);
    await this.#owner.reap(this, busy);
    this.#input?.discard();
    for (const output of this.#outputs.values()) output.end();
    this.#started?.reject(new WctrError('cancelled', 'the process was ended before it had started'));
    this.#freezing?.reject(new WctrError('conflict', 'the process ended before it could be frozen'));
    this.#resolve(exit);
  }

  #output(name: OutputName, shown?: (bytes: Uint8Array) => Uint8Array): Output {
    const output = new Output(new Ring(this.#rings[name]), () => this.#owner.wake(), shown);
    this.#outputs.set(name, output);
    return output;
  }

  #receive(message: GuestMessage): void {
    if (message.type === 'readable') this.#outputs.get(message.stream)?.wake();
    else if (message.type === 'writable') this.#input?.wake();
    else if (message.type === 'started') {
      this.#threadName = message.thread;
      this.#started?.resolve();
      this.#started = undefined;
    } else if (message.type === 'frozen') {
      if (message.error === undefined) this.#freezing?.resolve(this.#checkpoint);
      else this.#freezing?.reject(errorOf(message.error));
    } else if (message.type === 'exit') void this.end(message.exit, false);
    else {
      const { code, message: text } = message.error;
      const error = errorOf(message.error);
      const started = this.#started;
      this.#started = undefined;
      void this.end({ exitCode: 125, oomKilled: false, reason: text, errorCode: code }, false).then(() =>
        started?.reject(error),
      );
    }
  }

  #crashed(error: unknown): void {
    const text = (error as { message?: string } | null)?.message ?? 'the thread ended by itself';
    void this.end({ exitCode: 125, oomKilled: false, reason: text, errorCode: 'sandbox-failed' }, true);
  }
}

function errorOf({ code, message, hint }: GuestError): WctrError {
  return new WctrError(code, message, hint === undefined ? {} : { hint });
}

/** What is typed: through a line discipline to the guest, what it shows into the guest's output. */
function terminalStream(
  buffer: SharedArrayBuffer,
  output: Output,
  guest: GuestProcess,
  wake: () => void,
): WritableStream<Uint8Array> {
  const lines = new TerminalLines(new Ring(buffer));
  const discipline = new LineDiscipline({
    echo: (bytes) => output.push(bytes),
    line(bytes) {
      lines.give(bytes);
      wake();
    },
    signal: (name) => guest.signal(name),
  });
  const close = () => {
    lines.close();
    wake();
  };
  return new WritableStream({
    write: (chunk) => discipline.input(chunk),
    close,
    abort: close,
  });
}

function bufferOf(setup: StreamSetup | undefined): SharedArrayBuffer | undefined {
  return setup?.kind === 'ring' ? setup.buffer : undefined;
}
