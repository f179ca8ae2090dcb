/** Steps of a build that are the door's own: what is loaded from the client before the builder begins. */
import type { Hasher } from '../../host/ports.ts';
import type { BuildVertex, SolveStatus } from '../../spec/build-progress.ts';

/** Clients draw no faster. */
const STATUS_INTERVAL_MS = 100;

export interface Vertex {
  /** So many bytes of it have come. */
  bytes(sum: number): void;
  /** May be told more than once. */
  complete(error?: unknown): void;
  warn(short: string): void;
}

export class Vertices {
  readonly #ref: string;
  readonly #tell: (status: SolveStatus) => void;
  readonly #createHasher: () => Hasher;
  /** Digests of steps by their names. */
  readonly #own = new Map<string, string>();
  /** What the builder calls steps that were begun here. */
  readonly #twins = new Map<string, string>();

  constructor(ref: string, tell: (status: SolveStatus) => void, createHasher: () => Hasher) {
    this.#ref = ref;
    this.#tell = tell;
    this.#createHasher = createHasher;
  }

  /** `transfer`: how what it reads is called, `transferring context:`. */
  begin(name: string, transfer: string): Vertex {
    const hasher = this.#createHasher();
    hasher.update(new TextEncoder().encode(`${this.#ref}\n${name}`));
    const digest = `sha256:${hasher.digestHex()}`;
    this.#own.set(name, digest);
    const started = now();
    let isComplete = false;
    let shown = 0;
    let current = 0;
    const status = (completed?: string) => {
      shown = Date.now();
      const times = { timestamp: now(), started, ...(completed === undefined ? {} : { completed }) };
      this.#tell({ statuses: [{ id: transfer, vertex: digest, name: transfer, current, ...times }] });
    };
    this.#tell({ vertexes: [{ digest, name, started }] });
    return {
      warn: (short) => this.#tell({ warnings: [{ vertex: digest, short }] }),
      bytes(sum) {
        current = sum;
        if (!isComplete && Date.now() - shown >= STATUS_INTERVAL_MS) status();
      },
      complete: (error) => {
        if (isComplete) return;
        isComplete = true;
        const completed = now();
        if (error === undefined) status(completed);
        const failure = error === undefined ? {} : { error: error instanceof Error ? error.message : String(error) };
        this.#tell({ vertexes: [{ digest, name, started, completed, ...failure }] });
      },
    };
  }

  /** What the builder tells, without the steps that were done here before it: what it says of them is said of ours. */
  withOwn(status: SolveStatus): SolveStatus {
    const vertexes: BuildVertex[] = [];
    for (const vertex of status.vertexes ?? []) {
      const own = this.#own.get(vertex.name);
      if (own === undefined) vertexes.push(vertex);
      else this.#twins.set(vertex.digest, own);
    }
    const renamed = <T extends { readonly vertex: string }>(items: readonly T[] | undefined): T[] =>
      (items ?? []).map((item) => ({ ...item, vertex: this.#twins.get(item.vertex) ?? item.vertex }));
    const { statuses, logs, warnings } = status;
    return {
      vertexes: vertexes.map((vertex) => ({
        ...vertex,
        ...(vertex.inputs === undefined
          ? {}
          : { inputs: vertex.inputs.map((digest) => this.#twins.get(digest) ?? digest) }),
      })),
      statuses: renamed(statuses),
      logs: renamed(logs),
      warnings: renamed(warnings),
    };
  }

  /** `during`, as a step. */
  async run<T>(name: string, transfer: string, during: (vertex: Vertex) => Promise<T>): Promise<T> {
    const vertex = this.begin(name, transfer);
    try {
      const result = await during(vertex);
      vertex.complete();
      return result;
    } catch (error) {
      vertex.complete(error);
      throw error;
    }
  }
}

function now(): string {
  return new Date().toISOString();
}
