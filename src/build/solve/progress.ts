/** A build's steps as BuildKit tells of them: each a vertex, sent again whenever something of it changes. */
import type { CreateHasher } from '../../images/digest.ts';
import { digestOf } from '../../images/digest.ts';
import type { BuildVertex, BuildVertexStatus, BuildVertexWarning, SolveStatus } from '../../spec/build-progress.ts';

export interface ProgressOptions {
  readonly createHasher: CreateHasher;
  readonly onStatus?: ((status: SolveStatus) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** What a step may write before the rest of it is left out, as BuildKit has it. */
const MAX_LOG_BYTES = 2 << 20;

export class BuildProgress {
  readonly #options: ProgressOptions;
  readonly #open = new Set<VertexProgress>();

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** The name of a step, made of what tells it from the others of its build. */
  digest(...parts: readonly (string | number)[]): string {
    return digestOf(this.#options.createHasher, new TextEncoder().encode(JSON.stringify(parts)));
  }

  /** Begins a step. */
  start(digest: string, name: string, inputs: readonly string[] = []): VertexProgress {
    const vertex = new VertexProgress(digest, name, inputs, {
      send: (status) => this.#options.onStatus?.(status),
      now: () => timestamp((this.#options.now ?? Date.now)()),
      ended: (one) => this.#open.delete(one),
    });
    this.#open.add(vertex);
    return vertex;
  }

  /** Of a build that failed: what was under way ends with it. */
  cancel(): void {
    for (const vertex of [...this.#open]) vertex.end({ error: `${vertex.name}: context canceled` });
  }
}

interface Wires {
  send(status: SolveStatus): void;
  now(): string;
  ended(vertex: VertexProgress): void;
}

export class VertexProgress {
  readonly digest: string;
  readonly name: string;
  readonly #wires: Wires;
  readonly #vertex: BuildVertex;
  readonly #statuses = new Map<string, BuildVertexStatus>();
  #logged = 0;

  constructor(digest: string, name: string, inputs: readonly string[], wires: Wires) {
    this.digest = digest;
    this.name = name;
    this.#wires = wires;
    this.#vertex = { digest, name, ...(inputs.length === 0 ? {} : { inputs }), started: wires.now() };
    wires.send({ vertexes: [this.#vertex] });
  }

  /** Once; what comes later is not told. */
  end(how: { readonly cached?: boolean; readonly error?: string } = {}): void {
    const completed = this.#wires.now();
    const { cached = false, error } = how;
    const statuses = [...this.#statuses.values()]
      .filter((status) => status.completed === undefined)
      .map((status) => ({ ...status, timestamp: completed, ...(error === undefined ? { completed } : {}) }));
    this.#wires.send({
      vertexes: [
        { ...this.#vertex, completed, ...(cached ? { cached } : {}), ...(error === undefined ? {} : { error }) },
      ],
      ...(statuses.length === 0 ? {} : { statuses }),
    });
    this.#wires.ended(this);
  }

  log(stream: 1 | 2, data: Uint8Array): void {
    if (this.#logged >= MAX_LOG_BYTES) return;
    const kept = data.subarray(0, MAX_LOG_BYTES - this.#logged);
    this.#logged += kept.length;
    this.#write(stream, kept);
    if (this.#logged >= MAX_LOG_BYTES) {
      this.#write(2, new TextEncoder().encode('\n[output clipped, log limit 2MiB reached]\n'));
    }
  }

  /** Bytes of something this step does; done when `current` is `total`. */
  status(id: string, current: number, total: number, isDone: boolean): void {
    const timestamp = this.#wires.now();
    const started = this.#statuses.get(id)?.started ?? timestamp;
    const done = isDone ? { completed: timestamp } : {};
    const status: BuildVertexStatus = { id, vertex: this.digest, current, total, timestamp, started, ...done };
    this.#statuses.set(id, status);
    this.#wires.send({ statuses: [status] });
  }

  warn(warnings: readonly Omit<BuildVertexWarning, 'vertex'>[]): void {
    if (warnings.length > 0) {
      this.#wires.send({ warnings: warnings.map((warning) => ({ vertex: this.digest, ...warning })) });
    }
  }

  #write(stream: 1 | 2, data: Uint8Array): void {
    // The bytes may be lent: whoever listens may keep them
    const timestamp = this.#wires.now();
    this.#wires.send({ logs: [{ vertex: this.digest, stream, data: data.slice(), timestamp }] });
  }
}

/** RFC 3339 with nanoseconds. */
function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000000Z');
}
