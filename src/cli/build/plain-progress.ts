/** `--progress=plain`: BuildKit's lines, one step at a time. */
import type { SolveStatus } from '../../spec/build-progress.ts';
import { printableLine } from '../format/units.ts';
import type { Terminal } from '../terminal.ts';
import type { BuildProgress } from './progress.ts';
import { BuildTrace, failedSteps, isCanceled, type TracedStep } from './trace.ts';

/** So long the others wait for the step that is shown, while it goes on. */
const MAX_WAIT_MS = 5000;
/** An amount is told again when it grew by a twentieth, or after this. */
const AMOUNT_STEP = 0.05;
const AMOUNT_MS = 5000;

export class PlainProgress implements BuildProgress {
  readonly trace: BuildTrace;
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #numbers = new Map<TracedStep, number>();
  readonly #amounts = new Map<string, { current: number; timeMs: number }>();
  #current: TracedStep | undefined;
  #isFirst = true;

  constructor(terminal: Terminal, now: () => number = Date.now) {
    this.#terminal = terminal;
    this.#now = now;
    this.trace = new BuildTrace(now);
  }

  show(status: SolveStatus): void {
    this.trace.update(status);
    this.#print();
  }

  end(): void {
    // What was still held back.
    for (const step of this.trace.started) if (step.waitingSinceMs !== undefined) this.#printStep(step);
    this.#terminal.err(failedSteps(this.trace));
  }

  #print(): void {
    const waiting = this.trace.started.filter(({ waitingSinceMs }) => waitingSinceMs !== undefined);
    if (this.#current !== undefined && waiting.includes(this.#current)) this.#printStep(this.#current);
    const done = waiting.filter((step) => step.completedMs !== undefined && step.waitingSinceMs !== undefined);
    for (const step of done.sort((a, b) => (a.completedMs ?? 0) - (b.completedMs ?? 0))) this.#printStep(step);
    const open = waiting.filter((step) => step.completedMs === undefined && step.waitingSinceMs !== undefined);
    const [next] = open;
    if (next === undefined) return;
    const isOver = this.#current === undefined || this.#now() - (next.waitingSinceMs ?? 0) > MAX_WAIT_MS;
    if (isOver) this.#printStep(next);
  }

  #printStep(step: TracedStep): void {
    let number = this.#numbers.get(step);
    if (number === undefined) {
      number = this.#numbers.size + 1;
      this.#numbers.set(step, number);
    }
    let text = '';
    if (step !== this.#current) {
      if (this.#current !== undefined) text += `#${this.#numbers.get(this.#current)} ...\n`;
      if (!this.#isFirst) text += '\n';
      this.#isFirst = false;
      text += `#${number} ${step.name}\n`;
    }
    for (const line of this.#news(step)) text += `#${number} ${line}\n`;
    this.#current = step;
    step.waitingSinceMs = undefined;
    if (step.completedMs !== undefined) {
      this.#current = undefined;
      text += `#${number} ${ending(step)}\n`;
    }
    this.#terminal.err(text);
  }

  *#news(step: TracedStep): Generator<string> {
    for (const id of step.changed) {
      const line = this.#amount(step, id);
      if (line !== undefined) yield line;
    }
    step.changed.clear();
    for (const { short } of step.warnings.splice(0)) yield `WARN: ${printableLine(short)}`;
    yield* step.lines.splice(0);
  }

  #amount(step: TracedStep, id: string): string | undefined {
    const status = step.statuses.get(id);
    if (status === undefined) return undefined;
    const key = `${step.digest} ${id}`;
    const timeMs = Date.parse(status.timestamp);
    const last = this.#amounts.get(key);
    if (last !== undefined && status.completed === undefined) {
      const grown = (status.total ?? 0) > 0 ? (status.current - last.current) / (status.total ?? 1) : 0;
      if (grown < AMOUNT_STEP && timeMs - last.timeMs < AMOUNT_MS) return undefined;
    }
    this.#amounts.set(key, { current: status.current, timeMs });
    const since =
      status.started === undefined ? 0 : Date.parse(status.completed ?? status.timestamp) - Date.parse(status.started);
    const seconds = since > 10 ? ` ${(since / 1000).toFixed(1)}s` : '';
    const amount = amountOf(status);
    const done = status.completed === undefined ? '' : ' done';
    return `${printableLine(status.id)}${amount === '' ? '' : ` ${amount}`}${seconds}${done}`;
  }
}

function ending(step: TracedStep): string {
  if (isCanceled(step)) return 'CANCELED';
  if (step.error !== undefined) return `ERROR: ${printableLine(step.error)}`;
  if (step.cached) return 'CACHED';
  return `DONE ${(((step.completedMs ?? 0) - (step.startedMs ?? 0)) / 1000).toFixed(1)}s`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `1.05MB / 3.41MB`, `32B`; nothing for none. */
export function amountOf({ current, total = 0 }: { current: number; total?: number }): string {
  if (total > 0) return `${sized(current)} / ${sized(total)}`;
  return current > 0 ? sized(current) : '';
}

function sized(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(2)}${UNITS[unit]}`;
}
