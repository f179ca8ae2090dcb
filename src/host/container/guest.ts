/** One process of a container as the main thread has it: its thread, its streams, its end. */
import { WctrError } from '../../errors.ts';
import { cannotKeep } from '../checkpoint/instance-state.ts';
import { EXIT_TIMED_OUT, signalExit } from '../runner/exit.ts';
import { defaultAction, signalName, signalNumber } from '../runner/signals.ts';
import type { SandboxExit } from '../sandbox.ts';
import type { WorkerPort } from '../worker/messages.ts';
import type { GuestProcess, ProcessSpec } from './container.ts';
import {
  FREEZE_AND_END,
  FREEZE_AND_GO_ON,
  FREEZE_NOTHING,
  FREEZE_SIGNAL,
  type GuestAsk,
  type GuestError,
  type GuestMessage,
  type GuestStart,
  STATE_ANSWER,
  STATE_ANSWERED,
  STATE_ASYNCIFY,
  STATE_BYTES,
  STATE_CATCHES,
  STATE_FREEZE,
  STATE_JOURNAL,
  STATE_PAGES,
} from './messages.ts';
import type { Session } from './session.ts';
import type { PooledThread } from './thread-pool.ts';

export type GuestThread = WorkerPort<GuestStart, GuestMessage>;

/** What a guest needs of its container. */
export interface GuestOwner {
  /** Ends its kernel process with the status, and its thread's work for it. `busy`: that may be anywhere in it. */
  reap(guest: Guest, status: number, busy: boolean): Promise<void>;
  cpuMs(thread: string): number;
  /** Leaves a signal for a guest that handles its own. False: there is no such signal in a kernel. */
  signal(guest: Guest, signal: number): boolean;
  /** What a guest's thread asks and waits for: a number, below zero a negative errno. */
  answer(guest: Guest, question: GuestAsk): Promise<number>;
  /** It runs. */
  started(guest: Guest, message: Extract<GuestMessage, { type: 'started' }>): void;
}

export interface GuestOptions {
  readonly pid: number;
  /** The kernel process. */
  readonly task: number;
  readonly spec: ProcessSpec;
  readonly thread: PooledThread;
  readonly session: Session;
  /** The guest that starts it; absent: the host does, and the session is its own. */
  readonly parent?: Guest;
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
  readonly thread: PooledThread;
  readonly task: number;
  readonly session: Session;
  /** What its file is known by among the container's modules. */
  shelf: string | undefined;
  readonly #parent: Guest | undefined;
  readonly #owner: GuestOwner;
  readonly #state = new SharedArrayBuffer(STATE_BYTES);
  readonly #exit: Promise<SandboxExit>;
  #resolve!: (exit: SandboxExit) => void;
  #started: { resolve(): void; reject(error: unknown): void } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #ending = false;
  #threadName: string | undefined;
  #freezing: { resolve(path: string): void; reject(error: unknown): void } | undefined;
  #checkpoint = '';
  #cpuMs = 0;

  constructor({ pid, task, spec, thread, session, parent }: GuestOptions, owner: GuestOwner) {
    this.pid = pid;
    this.task = task;
    this.spec = spec;
    this.thread = thread;
    this.session = session;
    this.#parent = parent;
    this.#owner = owner;
    this.#exit = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    session.members.add(this);
    thread.onMessage((message) => this.#receive(message));
    thread.onEnd((error) => this.#crashed(error));
  }

  get parentPid(): number {
    return this.#parent === undefined || this.#parent.isEnding ? 0 : this.#parent.pid;
  }

  get stdin(): WritableStream<Uint8Array> | undefined {
    return this.session.stdin;
  }

  get stdout(): ReadableStream<Uint8Array> {
    return this.session.stdout;
  }

  get stderr(): ReadableStream<Uint8Array> | undefined {
    return this.session.stderr;
  }

  /** It has ended, or is about to. */
  get isEnding(): boolean {
    return this.#ending;
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
    const rings = await this.session.rings();
    if (!this.#ending) {
      this.thread.post({ type: 'guest', ...message, task: this.task, ...rings, state: this.#state }, transfer);
    }
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
    if (this.catches && signal !== SIGKILL && this.#owner.signal(this, signal)) {
      this.session.poke();
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

  /** Does it handle signals itself? */
  get catches(): boolean {
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
    this.session.poke();
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
    if (!this.spec.terminal) return;
    for (const member of this.session.members) {
      if (member.isEnding || !member.catches) continue;
      if (this.#owner.signal(member, signalNumber('SIGWINCH'))) this.session.poke();
    }
  }

  cpuMs(): number {
    if (this.#threadName !== undefined && !this.#ending) {
      this.#cpuMs = this.#owner.cpuMs(this.#threadName) - this.thread.usedCpuMs;
    }
    return this.#cpuMs;
  }

  memoryBytes(): number {
    return this.#ending ? 0 : this.heldBytes;
  }

  /** What its memory was when it was last seen, also when it has ended. */
  get heldBytes(): number {
    return Atomics.load(new Int32Array(this.#state), STATE_PAGES) * PAGE_BYTES;
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
    await this.#owner.reap(this, exit.exitCode & 0xff, busy);
    this.session.members.delete(this);
    if (this.#parent === undefined) this.session.close();
    this.#started?.reject(new WctrError('cancelled', 'the process was ended before it had started'));
    this.#freezing?.reject(new WctrError('conflict', 'the process ended before it could be frozen'));
    this.#resolve(exit);
  }

  #receive(message: GuestMessage): void {
    if (message.type === 'readable') this.session.readable(message.stream);
    else if (message.type === 'writable') this.session.writable();
    else if (message.type === 'spawn' || message.type === 'kill') void this.#answer(message);
    else if (message.type === 'started') {
      this.#threadName = message.thread;
      this.#owner.started(this, message);
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

  async #answer(question: GuestAsk): Promise<void> {
    const answer = await this.#owner.answer(this, question);
    // One that ends by its own question is not to run on meanwhile.
    if (this.#ending) return;
    const state = new Int32Array(this.#state);
    Atomics.store(state, STATE_ANSWER, answer);
    Atomics.store(state, STATE_ANSWERED, 1);
    Atomics.notify(state, STATE_ANSWERED);
  }

  #crashed(error: unknown): void {
    const text = (error as { message?: string } | null)?.message ?? 'the thread ended by itself';
    void this.end({ exitCode: 125, oomKilled: false, reason: text, errorCode: 'sandbox-failed' }, true);
  }
}

function errorOf({ code, message, hint }: GuestError): WctrError {
  return new WctrError(code, message, hint === undefined ? {} : { hint });
}
