/** The lines of a classic builder as the steps they tell of: one vertex for each instruction. */
import type { BuildVertex, SolveStatus } from '../../spec/build-progress.ts';

export interface ClassicLine {
  readonly stream?: string;
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly aux?: { readonly ID?: string };
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
  /** Of our own daemon. */
  readonly wctr?: {
    readonly code?: string;
    readonly message?: string;
    readonly hint?: string;
    readonly frame?: string;
    readonly exitCode?: number;
  };
}

export class ClassicSteps {
  readonly references: string[] = [];
  imageId: string | undefined;
  readonly #tell: (status: SolveStatus) => void;
  #vertex: BuildVertex | undefined;

  constructor(tell: (status: SolveStatus) => void) {
    this.#tell = tell;
  }

  take({ stream, status, id, progressDetail, aux }: ClassicLine): void {
    if (aux?.ID !== undefined) this.imageId = aux.ID;
    if (stream !== undefined) this.#stream(stream);
    if (status !== undefined && id !== undefined && this.#vertex !== undefined) {
      const timestamp = now();
      const { started = timestamp, digest } = this.#vertex;
      const { current = 0, total = 0 } = progressDetail ?? {};
      const isDone = /^(Pull complete|Already exists|Download complete)$/.test(status);
      const amount = { id, vertex: digest, current, total, timestamp, started };
      this.#tell({ statuses: [isDone ? { ...amount, completed: timestamp } : amount] });
    }
  }

  /** The step that was at work has failed. */
  fail(error: string): void {
    this.#end({ error });
  }

  #stream(text: string): void {
    const [, number, total, instruction] = /^Step (\d+)\/(\d+) : ([\s\S]*)\n$/.exec(text) ?? [];
    if (number !== undefined) {
      this.#end({});
      const digest = `sha256:${number.padStart(64, '0')}`;
      this.#vertex = { digest, name: `[${number}/${total}] ${instruction}`, started: now() };
      this.#tell({ vertexes: [this.#vertex] });
    } else if (text === ' ---> Using cache\n' && this.#vertex !== undefined) {
      this.#vertex = { ...this.#vertex, cached: true };
    } else if (/^ ---> (?:[0-9a-f]{12})?\n$/.test(text)) {
      this.#end({});
    } else if (/^ ---> (Running in|Removed intermediate container) [0-9a-f]{12}\n$/.test(text)) {
      // Nobody can ask for that container.
    } else {
      const [, kind, name = ''] = /^Successfully (built|tagged) (\S+)\n$/.exec(text) ?? [];
      if (kind === 'tagged') this.references.push(name);
      else if (kind === 'built') this.imageId ??= name;
      else if (this.#vertex !== undefined) this.#log(this.#vertex, text);
    }
  }

  #log({ digest: vertex }: BuildVertex, text: string): void {
    this.#tell({ logs: [{ vertex, stream: 1, data: new TextEncoder().encode(text), timestamp: now() }] });
  }

  #end(how: { error?: string }): void {
    if (this.#vertex === undefined) return;
    this.#tell({ vertexes: [{ ...this.#vertex, ...how, completed: now() }] });
    this.#vertex = undefined;
  }
}

function now(): string {
  return new Date().toISOString();
}
