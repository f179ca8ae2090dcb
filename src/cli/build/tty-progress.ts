/** `--progress=tty`: a block of lines that is drawn again in place, as tall and wide as the terminal has room for. */
import type { SolveStatus } from '../../spec/build-progress.ts';
import { printableLine } from '../format/units.ts';
import { paint, type Terminal } from '../terminal.ts';
import { cutToWidth, widthOf } from './display-width.ts';
import { amountOf } from './plain-progress.ts';
import type { BuildProgress } from './progress.ts';
import { BuildTrace, failedSteps, isCanceled, type TracedStep } from './trace.ts';

const REDRAW_MS = 100;
/** Lines of output below a step that runs. */
const TAIL_LINES = 6;
const PREFIX = ' => ';

interface Row {
  readonly text: string;
  readonly style?: 'red' | 'yellow' | 'cyan' | 'dim';
}

export class TtyProgress implements BuildProgress {
  readonly trace = new BuildTrace();
  readonly #terminal: Terminal;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startedMs = Date.now();
  readonly #stopWatching: () => void;
  /** Widths of the lines drawn last. */
  #drawn: readonly number[] = [];
  #drawnAt = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
    // Times go on while nothing is told.
    this.#timer = setInterval(() => this.#draw(false), REDRAW_MS);
    this.#stopWatching = terminal.onResize(() => this.#draw(false));
  }

  show(status: SolveStatus): void {
    this.trace.update(status);
    for (const step of this.trace.started) {
      // Lines are shown from the tail here.
      step.lines.length = 0;
      step.changed.clear();
    }
    if (Date.now() - this.#drawnAt >= REDRAW_MS) this.#draw(false);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#stopWatching();
    this.#draw(true);
    this.#terminal.err(failedSteps(this.trace));
  }

  #draw(isLast: boolean): void {
    this.#drawnAt = Date.now();
    const { columns, rows } = this.#terminal;
    // Every line ends with a newline: one row alone would scroll.
    if (!isLast && rows < 2) return;
    const width = Math.max(1, columns - 1);
    const header = this.#header(isLast, width);
    // The last line stays free for the cursor. In the end everything stays, however tall.
    const room = Math.max(0, rows - 2);
    const lines = [header, ...(isLast ? this.#rows(width, Number.POSITIVE_INFINITY) : this.#rows(width, room))];
    const text = lines.map(
      ({ text, style }) => `${style === undefined ? text : paint(this.#terminal, style, text)}\u001b[K\n`,
    );
    this.#terminal.err(`${this.#upToStart(columns)}${text.join('')}\u001b[J`);
    this.#drawn = lines.map((line) => widthOf(line.text));
  }

  /** Terminals break lines anew when they become narrower: what was a line may be several by now. */
  #upToStart(columns: number): string {
    if (this.#drawn.length === 0) return '';
    const height = this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return `\r\u001b[${height}A`;
  }

  #header(isLast: boolean, width: number): Row {
    const { completed, total } = this.trace;
    const seconds = ((Date.now() - this.#startedMs) / 1000).toFixed(1);
    const state = isLast && completed === total ? ' FINISHED' : '';
    return { text: cutToWidth(`[+] Building ${seconds}s (${completed}/${total})${state}`, width) };
  }

  /** The newest, but none that still runs is left out for one that is done. */
  #rows(width: number, room: number): Row[] {
    const steps = this.trace.started;
    const running = steps.filter(({ completedMs }) => completedMs === undefined);
    const blocks = new Map(steps.map((step) => [step, [stepRow(step, width), ...statusRows(step, width)]]));
    const size = (some: readonly TracedStep[]) => some.reduce((sum, step) => sum + (blocks.get(step)?.length ?? 0), 0);
    const kept = new Set(running.slice(-Math.max(1, room)));
    let left = room - size([...kept]);
    for (const step of [...steps].reverse()) {
      const height = blocks.get(step)?.length ?? 0;
      if (kept.has(step) || height > left) continue;
      kept.add(step);
      left -= height;
    }
    const tailEach = running.length === 0 ? 0 : Math.max(0, Math.min(TAIL_LINES, Math.floor(left / running.length)));
    const rows: Row[] = [];
    for (const step of steps) {
      if (!kept.has(step)) continue;
      rows.push(...(blocks.get(step) ?? []));
      if (step.completedMs === undefined && tailEach > 0 && Number.isFinite(room))
        rows.push(...tailRows(step, width, tailEach));
    }
    return Number.isFinite(room) ? rows.slice(0, room) : rows;
  }
}

function stepRow(step: TracedStep, width: number): Row {
  const isStopped = isCanceled(step);
  const mark = isStopped ? 'CANCELED ' : step.error !== undefined ? 'ERROR ' : step.cached ? 'CACHED ' : '';
  const until = step.completedMs ?? Date.now();
  const text = timed(`${PREFIX}${mark}${step.name}`, until - (step.startedMs ?? until), width);
  if (isStopped) return { text, style: 'yellow' };
  if (step.error !== undefined) return { text, style: 'red' };
  return step.completedMs === undefined ? { text } : { text, style: 'cyan' };
}

function statusRows(step: TracedStep, width: number): Row[] {
  const rows = [...step.statuses.values()].map((status): Row => {
    const until = status.completed ?? status.timestamp;
    const amount = amountOf(status);
    const name = `${PREFIX}=> ${printableLine(status.id)}`;
    const whole = amount === '' ? name : `${cutToWidth(name, Math.max(20, width - 10 - amount.length))} ${amount}`;
    const text = timed(whole, status.started === undefined ? 0 : Date.parse(until) - Date.parse(status.started), width);
    return status.completed === undefined ? { text } : { text, style: 'cyan' };
  });
  return [...rows, ...step.warnings.map(({ short }) => warningRow(short, width))];
}

function warningRow(short: string, width: number): Row {
  return { text: cutToWidth(`${PREFIX}WARN: ${printableLine(short)}`, width), style: 'yellow' };
}

function tailRows(step: TracedStep, width: number, count: number): Row[] {
  return step.tail.slice(-count).map((line) => ({
    text: cutToWidth(`${PREFIX}=> # ${line.replace(/^\S+ /, '').replaceAll('\t', '    ')}`, width),
    style: 'dim',
  }));
}

/** The time at the right edge, unless the terminal is too narrow for both. */
function timed(text: string, ms: number, width: number): string {
  const time = `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
  const room = width - time.length - 1;
  if (room < 12) return cutToWidth(text, width);
  const cut = cutToWidth(text, room);
  return `${cut}${' '.repeat(Math.max(1, width - widthOf(cut) - time.length))}${time}`;
}
