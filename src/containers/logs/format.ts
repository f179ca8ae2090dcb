/** What one log entry is, and what a file format has to do with it. */
export interface LogEntry {
  readonly stream: 'stdout' | 'stderr';
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  /** A line with its newline, or a part of a long one. */
  readonly bytes: Uint8Array;
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface LogFormat {
  encode(entry: LogEntry): Uint8Array;
  /**
   * The entry that begins at `at`, and where the next one begins. Undefined: there is more to come. An entry that is
   * damaged is skipped: `entry` is undefined.
   */
  decode(bytes: Uint8Array, at: number): { readonly entry: LogEntry | undefined; readonly next: number } | undefined;
  /** Where the entry that ends at `end` begins; -1: before `bytes`. */
  previous(bytes: Uint8Array, end: number): number;
}
