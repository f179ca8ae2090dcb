/** Where a command reads and writes, and what it may assume of it. A test gives its own. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Waits until everything written has left the process. */
  flush(): Promise<void>;
  readonly stdinIsTTY: boolean;
  readonly stdoutIsTTY: boolean;
  readonly stderrIsTTY: boolean;
  /** Width of the terminal in characters; 80 where there is none. */
  readonly columns: number;
  /** Height of the same; 24 where there is none. */
  readonly rows: number;
  /** Of the terminal standard output is; undefined where it is none. */
  size(): { readonly height: number; readonly width: number } | undefined;
  /** Of any of the terminals written to. */
  onResize(listener: () => void): () => void;
  /**
   * Keys as they are typed, without echo and without signals, until the returned function is called or the process
   * ends. Only where standard input is a terminal.
   */
  raw(): () => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours for stderr; none when it is no terminal, under NO_COLOR (https://no-color.org) or TERM=dumb. */
export function paint(terminal: Terminal, style: keyof typeof CODES, text: string): string {
  const { NO_COLOR, TERM } = terminal.env;
  if (!terminal.stderrIsTTY || (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb') return text;
  return `\u001b[${CODES[style]}m${text}\u001b[0m`;
}
