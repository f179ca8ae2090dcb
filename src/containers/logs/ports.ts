/** What a reader of logs asks for and gets. */
export interface LogOptions {
  readonly follow?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  /** RFC 3339 times, or seconds since the epoch with up to nine decimals. */
  readonly since?: string;
  readonly until?: string;
  readonly timestamps?: boolean;
  /** The last so many lines; absent: all. */
  readonly tail?: number;
  readonly details?: boolean;
  readonly signal?: AbortSignal;
}

/** Whole lines, or parts of long ones, with timestamps in front where they were asked for. */
export interface LogChunk {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}
