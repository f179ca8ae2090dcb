/** A command run in this process: its terminal, its host and its engine are the test's. */
import { runCli } from '../../src/cli/app.ts';
import type { CliHost, Context } from '../../src/cli/command.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Signal } from '../../src/host/sandbox.ts';

export interface CliSetup {
  readonly engine?: Engine;
  readonly env?: Record<string, string>;
  /** Path -> content. */
  readonly files?: Record<string, string>;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Every stream is a terminal of this size. */
  readonly terminal?: { height: number; width: number };
  readonly host?: Partial<CliHost>;
}

export interface TestContext extends Context {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** What happened to the terminal: `raw`, `cooked`. */
  readonly modes: string[];
  /** Sends this process a signal, as far as commands see. */
  send(signal: Signal): void;
  resizeTo(height: number, width: number): void;
  abort(): void;
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

export function testContext(setup: CliSetup = {}): TestContext {
  const out: string[] = [];
  const err: string[] = [];
  const modes: string[] = [];
  const written = { out: new TextDecoder(), err: new TextDecoder() };
  const signals = new Set<(name: Signal) => void>();
  const resizes = new Set<() => void>();
  const aborter = new AbortController();
  const files = new Map(Object.entries(setup.files ?? {}));
  const isTTY = setup.terminal !== undefined;
  let size = setup.terminal;
  const listen = <T>(set: Set<T>, listener: T) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    flush: async () => {},
    stdinIsTTY: isTTY,
    stdoutIsTTY: isTTY,
    stderrIsTTY: isTTY,
    get columns() {
      return size?.width ?? 80;
    },
    get rows() {
      return size?.height ?? 24;
    },
    size: () => size,
    onResize: (listener) => listen(resizes, listener),
    raw: () => {
      modes.push('raw');
      return () => void modes.push('cooked');
    },
    env: { NO_COLOR: '1', ...setup.env },
    cwd: '/cwd',
  };
  const host: CliHost = {
    readFile: async (path) => {
      const text = files.get(path);
      if (text === undefined) throw new Error(`no file ${path}`);
      return new TextEncoder().encode(text);
    },
    writeFile: async (path, data) => void files.set(path, new TextDecoder().decode(data)),
    removeFile: async (path) => void files.delete(path),
    kind: async (path) => (files.has(path) ? 'file' : undefined),
    stdin: () => setup.stdin ?? nothing(),
    readStream: () => nothing(),
    writeStdout: async (chunk) => void out.push(written.out.decode(chunk, { stream: true })),
    writeStderr: async (chunk) => void err.push(written.err.decode(chunk, { stream: true })),
    writeStream: async (path, chunks) => {
      let text = '';
      for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
      files.set(path, text);
    },
    onSignal: (listener) => listen(signals, listener),
    resolvePath: (path) => (path.startsWith('/') ? path : `/cwd/${path.replace(/^\.\/?/, '')}`.replace(/\/$/, '')),
    realPath: async (path) => path,
    localTree: async () => {
      throw new Error('no local tree in this test');
    },
    confirm: async () => false,
    ...setup.host,
  };
  const engine = async () => {
    if (setup.engine === undefined) throw new Error('this command was not to ask the engine');
    return setup.engine;
  };
  return {
    terminal,
    host,
    engine,
    engineAt: engine,
    signal: aborter.signal,
    stdout: () => out.join(''),
    stderr: () => err.join(''),
    modes,
    send: (signal) => {
      for (const listener of signals) listener(signal);
    },
    resizeTo: (height, width) => {
      size = { height, width };
      for (const listener of resizes) listener();
    },
    abort: () => aborter.abort(),
  };
}

/** Runs a line; for what has to happen while it runs, make the context first. */
export async function runLine(line: readonly string[], setup: CliSetup = {}) {
  const context = testContext(setup);
  const code = await runCli(line, context, '0.0.0');
  return { code, stdout: context.stdout(), stderr: context.stderr(), modes: context.modes };
}
