/**
 * How a build goes, in the shapes BuildKit's clients know: `client.SolveStatus` of github.com/moby/buildkit
 * (client/graph.go), which is also what `--progress=rawjson` prints, a line each. Times are RFC 3339 with nanoseconds.
 */

export interface SolveStatus {
  readonly vertexes?: readonly BuildVertex[];
  readonly statuses?: readonly BuildVertexStatus[];
  readonly logs?: readonly BuildVertexLog[];
  readonly warnings?: readonly BuildVertexWarning[];
}

/** A step of the build. Sent again whenever something of it changes; the last one counts. */
export interface BuildVertex {
  /** Names it: `sha256:<hex>`, the same for the same step of the same build. */
  readonly digest: string;
  /** Digests of the steps it needs. */
  readonly inputs?: readonly string[];
  /** `[build 2/5] RUN make`, `[internal] load .dockerignore`. */
  readonly name: string;
  readonly started?: string;
  readonly completed?: string;
  readonly cached?: boolean;
  readonly error?: string;
}

/** Something with an amount that a step does: bytes sent, a layer pulled. */
export interface BuildVertexStatus {
  readonly id: string;
  readonly vertex: string;
  readonly name?: string;
  /** 0 where nobody knows. */
  readonly total?: number;
  readonly current: number;
  readonly timestamp: string;
  readonly started?: string;
  readonly completed?: string;
}

export interface BuildVertexLog {
  readonly vertex: string;
  /** 1 standard output, 2 standard error. */
  readonly stream: 1 | 2;
  /** Raw bytes here; base64 in JSON. */
  readonly data: Uint8Array;
  readonly timestamp: string;
}

export interface BuildVertexWarning {
  readonly vertex: string;
  readonly level?: number;
  /** One line; base64 in JSON. */
  readonly short: string;
  readonly detail?: readonly string[];
  readonly url?: string;
  /** The Dockerfile and the place in it. Lines and characters from 1 and 0, as LSP has them. */
  readonly sourceInfo?: { readonly filename: string; readonly data: Uint8Array };
  readonly range?: readonly {
    readonly start: { readonly line: number; readonly character: number };
    readonly end: { readonly line: number; readonly character: number };
  }[];
}
