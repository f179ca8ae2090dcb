/** Builds under way, by the ref their client chose, and what is told of each. */
import { WctrError } from '../../errors.ts';
import type { SolveStatus } from '../../spec/build-progress.ts';
import type { Of } from './proto/codec.ts';
import type { SOLVE_REQUEST } from './proto/control.ts';
import type { RETURN_REQUEST } from './proto/gateway.ts';
import { type StatusResponse, statusResponse } from './solve-status.ts';

/** Calls about a build may overtake the one that begins it. */
const WAIT_MS = 3_000;
/** A client that asks for the status late gets it of this many builds. */
const KEPT_SOLVES = 64;
/** What a build says is kept for who asks later; beyond this the oldest is not. */
const MAX_KEPT_BYTES = 32 << 20;
/** Of all builds that are over; beyond this the oldest are forgotten. */
const MAX_OVER_BYTES = 64 << 20;
/** What an event without a log counts. */
const EVENT_BYTES = 512;

export type SolveRequest = Of<typeof SOLVE_REQUEST>;
export type Returned = Of<typeof RETURN_REQUEST>;
/** `dockerfile.v0`'s options: `target`, `build-arg:NAME`. */
export type Attributes = ReadonlyMap<string, string>;

export class Solve {
  readonly request: SolveRequest;
  readonly signal: AbortSignal;
  /** What the client's own part of the build ended with; where it has one. */
  readonly returned: Promise<Returned>;
  settle: (value: Returned) => void = () => {};
  /** By the id of the result that stands for them. */
  readonly results = new Map<string, Attributes>();
  #events: StatusResponse[] = [];
  /** How many events went before the first one kept. */
  #dropped = 0;
  #keptBytes = 0;
  #isOver = false;
  #wake: (() => void)[] = [];

  constructor(request: SolveRequest, signal: AbortSignal) {
    this.request = request;
    this.signal = signal;
    this.returned = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Memory that what it said takes, about. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  tell(status: SolveStatus): void {
    if (this.#isOver) return;
    const event = statusResponse(status);
    this.#events.push(event);
    this.#keptBytes += bytesOf(event);
    while (this.#keptBytes > MAX_KEPT_BYTES) {
      const oldest = this.#events.shift();
      if (oldest === undefined) break;
      this.#dropped += 1;
      this.#keptBytes -= bytesOf(oldest);
    }
    this.#wakeAll();
  }

  over(): void {
    this.#isOver = true;
    this.#wakeAll();
  }

  /** From the beginning to the end. */
  async *statuses(signal: AbortSignal): AsyncGenerator<StatusResponse> {
    let next = 0;
    while (!signal.aborted) {
      next = Math.max(next, this.#dropped);
      const event = this.#events[next - this.#dropped];
      if (event !== undefined) {
        next += 1;
        yield event;
      } else if (this.#isOver) return;
      else await this.#change(signal);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        signal.removeEventListener('abort', settle);
        resolve();
      };
      this.#wake.push(settle);
      signal.addEventListener('abort', settle);
    });
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

function bytesOf({ logs = [] }: StatusResponse): number {
  return logs.reduce((sum, { msg }) => sum + (msg?.length ?? 0), EVENT_BYTES);
}

export class Solves {
  readonly #solves = new Map<string, Solve>();
  readonly #waiting = new Set<() => void>();

  begin(request: SolveRequest, signal: AbortSignal): Solve {
    const { Ref } = request;
    if (!/^[\w.:-]{1,128}$/.test(Ref)) throw new WctrError('invalid-argument', 'a build needs a ref');
    if (this.#solves.has(Ref)) throw new WctrError('conflict', `a build with the ref ${Ref} exists already`);
    const solve = new Solve(request, signal);
    this.#solves.set(Ref, solve);
    const over = [...this.#solves].filter(([, { isOver }]) => isOver);
    let bytes = over.reduce((sum, [, { keptBytes }]) => sum + keptBytes, 0);
    for (const [ref, { keptBytes }] of over) {
      if (this.#solves.size <= KEPT_SOLVES && bytes <= MAX_OVER_BYTES) break;
      this.#solves.delete(ref);
      bytes -= keptBytes;
    }
    for (const wake of this.#waiting) wake();
    return solve;
  }

  /** Throws `not-found` where none of that ref begins. */
  async get(ref: string, signal: AbortSignal): Promise<Solve> {
    const until = Date.now() + WAIT_MS;
    for (;;) {
      const solve = this.#solves.get(ref);
      if (solve !== undefined) return solve;
      const left = until - Date.now();
      if (left <= 0 || signal.aborted) throw new WctrError('not-found', `no such build: ${ref.slice(0, 128)}`);
      await new Promise<void>((resolve) => {
        const settle = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', settle);
          this.#waiting.delete(settle);
          resolve();
        };
        const timer = setTimeout(settle, left);
        signal.addEventListener('abort', settle);
        this.#waiting.add(settle);
      });
    }
  }
}
