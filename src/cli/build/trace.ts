/** What is known of a running build: its steps with their output, from the events it tells. */
import type { BuildVertex, BuildVertexStatus, BuildVertexWarning, SolveStatus } from '../../spec/build-progress.ts';
import { printableLine } from '../format/units.ts';

/** Lines of a failed step that are shown again below everything. */
const KEPT_LINES = 10;
/** A program that writes no newlines would be held back for ever. */
const MAX_LINE_CHARS = 4096;

export interface TracedStep {
  readonly digest: string;
  /** One line, safe to print. */
  name: string;
  startedMs: number | undefined;
  completedMs: number | undefined;
  cached: boolean;
  error: string | undefined;
  readonly statuses: Map<string, BuildVertexStatus>;
  /** Statuses that changed since they were printed. */
  readonly changed: Set<string>;
  /** Whole lines not printed yet, with the seconds since the start: `0.123 output`. */
  readonly lines: string[];
  /** The last lines. */
  readonly tail: string[];
  readonly warnings: BuildVertexWarning[];
  /** The beginning of a line that has not ended. */
  partial: string;
  readonly decoder: TextDecoder;
  /** Something of it was not printed yet since then. */
  waitingSinceMs: number | undefined;
}

/** How BuildKit's clients know that a step was stopped and did not fail. */
const CANCELED = /context canceled$/;

export function isCanceled({ error }: { error?: string | undefined }): boolean {
  return error !== undefined && CANCELED.test(error);
}

export class BuildTrace {
  /** In the order they began. */
  readonly started: TracedStep[] = [];
  readonly warnings: BuildVertexWarning[] = [];
  readonly #steps = new Map<string, TracedStep>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get total(): number {
    return this.#steps.size;
  }

  get completed(): number {
    return this.started.filter(({ completedMs }) => completedMs !== undefined).length;
  }

  /** Steps of which there is news, in the order they began. */
  update({ vertexes = [], statuses = [], logs = [], warnings = [] }: SolveStatus): void {
    for (const vertex of vertexes) this.#vertex(vertex);
    for (const status of statuses) {
      const step = this.#steps.get(status.vertex);
      if (step === undefined) continue;
      step.statuses.set(status.id, status);
      step.changed.add(status.id);
      this.#touch(step);
    }
    for (const warning of warnings) {
      this.warnings.push(warning);
      this.#steps.get(warning.vertex)?.warnings.push(warning);
    }
    for (const { vertex, data, timestamp } of logs) {
      const step = this.#steps.get(vertex);
      if (step !== undefined) this.#log(step, data, Date.parse(timestamp));
    }
  }

  #vertex(vertex: BuildVertex): void {
    const step = this.#stepOf(vertex);
    step.name = printableLine(vertex.name);
    const isFirst = step.startedMs === undefined;
    if (vertex.started !== undefined) step.startedMs = Date.parse(vertex.started);
    if (vertex.completed !== undefined) step.completedMs = Date.parse(vertex.completed);
    // A step that failed before it began is told as well.
    else if (vertex.error !== undefined) step.completedMs ??= this.#now();
    if (step.startedMs === undefined && step.completedMs !== undefined) step.startedMs = step.completedMs;
    step.cached = vertex.cached ?? false;
    step.error = vertex.error;
    if (step.startedMs === undefined) return;
    if (isFirst) this.started.push(step);
    if (step.completedMs !== undefined) endLine(step, step.completedMs);
    this.#touch(step);
  }

  #stepOf({ digest, name }: BuildVertex): TracedStep {
    let step = this.#steps.get(digest);
    if (step === undefined) {
      step = {
        digest,
        name,
        startedMs: undefined,
        completedMs: undefined,
        cached: false,
        error: undefined,
        statuses: new Map(),
        changed: new Set(),
        lines: [],
        tail: [],
        warnings: [],
        partial: '',
        decoder: new TextDecoder(),
        waitingSinceMs: undefined,
      };
      this.#steps.set(digest, step);
    }
    return step;
  }

  #log(step: TracedStep, data: Uint8Array, timeMs: number): void {
    const parts = (step.partial + step.decoder.decode(data, { stream: true })).split('\n');
    step.partial = parts.pop() ?? '';
    for (const part of parts) pushLine(step, part, timeMs);
    while (step.partial.length > MAX_LINE_CHARS) {
      pushLine(step, step.partial.slice(0, MAX_LINE_CHARS), timeMs);
      step.partial = step.partial.slice(MAX_LINE_CHARS);
    }
    this.#touch(step);
  }

  #touch(step: TracedStep): void {
    step.waitingSinceMs ??= this.#now();
  }
}

function endLine(step: TracedStep, timeMs: number): void {
  if (step.partial !== '') pushLine(step, step.partial, timeMs);
  step.partial = '';
}

function pushLine(step: TracedStep, text: string, timeMs: number): void {
  const seconds = Math.max(0, timeMs - (step.startedMs ?? timeMs)) / 1000;
  const digits = seconds < 10 ? 3 : seconds < 100 ? 2 : 1;
  // The output of a program is shown, never obeyed; a CR before the end of a line moves nothing.
  const line = `${seconds.toFixed(digits)} ${printableLine(text.replace(/\r+$/, '')).replaceAll('\\t', '\t')}`;
  step.lines.push(line);
  step.tail.push(line);
  if (step.tail.length > KEPT_LINES) step.tail.shift();
}

/** `------`, the step and its last lines: below everything else, where a reader looks first. */
export function failedSteps(trace: BuildTrace): string {
  let text = '';
  for (const step of trace.started) {
    if (step.error === undefined || isCanceled(step)) continue;
    text += `------\n > ${step.name}:\n${step.tail.map((line) => `${line}\n`).join('')}------\n`;
  }
  return text;
}
