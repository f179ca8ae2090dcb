/** A ContainerHost whose guests are scripts of the test: what a shim does around a guest, without a guest. */
import { WctrError } from '../../src/errors.ts';
import type {
  ContainerFiles,
  ContainerHost,
  GuestProcess,
  HostContainer,
  ProcessSpec,
} from '../../src/host/container/container.ts';
import { signalExit } from '../../src/host/runner/exit.ts';
import type { SandboxExit } from '../../src/host/sandbox.ts';

/** What a guest does: it may write, read and wait; what it returns is its exit code. */
export type Script = (guest: ScriptedGuest) => Promise<number>;

export class ScriptedGuest implements GuestProcess {
  readonly pid: number;
  readonly parentPid = 0;
  readonly spec: ProcessSpec;
  readonly startedAt = new Date().toISOString();
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly input: string[] = [];
  readonly signals: string[] = [];
  readonly sizes: { height: number; width: number }[] = [];
  inputClosed = false;
  /** Signals that do not end it. */
  ignores: readonly string[] = [];
  readonly #exit: Promise<SandboxExit>;
  #end: (exit: SandboxExit) => void = () => {};
  readonly #writers: Record<'stdout' | 'stderr', WritableStreamDefaultWriter<Uint8Array>>;
  #changed: () => void = () => {};

  constructor(pid: number, spec: ProcessSpec, script: Script) {
    this.pid = pid;
    this.spec = spec;
    const out = new TransformStream<Uint8Array, Uint8Array>();
    const err = new TransformStream<Uint8Array, Uint8Array>();
    this.stdout = out.readable;
    this.stderr = spec.terminal ? undefined : err.readable;
    this.#writers = { stdout: out.writable.getWriter(), stderr: err.writable.getWriter() };
    this.stdin = spec.stdin
      ? new WritableStream({
          write: (chunk) => {
            this.input.push(new TextDecoder().decode(chunk));
            this.#changed();
          },
          close: () => {
            this.inputClosed = true;
            this.#changed();
          },
        })
      : undefined;
    this.#exit = new Promise((resolve) => {
      this.#end = (exit) => {
        for (const writer of Object.values(this.#writers)) void writer.close().catch(() => {});
        resolve(exit);
      };
    });
    void script(this).then(
      (exitCode) => this.#end({ exitCode, oomKilled: false }),
      (error: Error) => this.#end({ exitCode: 134, oomKilled: false, reason: error.message }),
    );
  }

  async print(text: string | Uint8Array, stream: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    await this.#writers[stream].write(typeof text === 'string' ? new TextEncoder().encode(text) : text);
  }

  /** Resolves when `test` holds; asked again whenever input or a signal came. */
  async until(test: () => boolean): Promise<void> {
    while (!test()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  wait(): Promise<SandboxExit> {
    return this.#exit;
  }

  signal(name: string): void {
    this.signals.push(name);
    this.#changed();
    if (name === 'SIGKILL' || !this.ignores.includes(name)) this.#end(signalExit(name));
  }

  resize(size: { height: number; width: number }): void {
    this.sizes.push(size);
  }

  async freeze(): Promise<string> {
    throw new WctrError('unsupported', 'a scripted guest has no memory');
  }

  cpuMs(): number {
    return 1;
  }
}

export class FakeContainerHost implements ContainerHost {
  readonly guests: ScriptedGuest[] = [];
  opened = 0;
  closed = 0;
  /** What was asked of its containers by `update`. */
  readonly limits: Parameters<HostContainer['update']>[0][] = [];
  /** Thrown by the next `open`. */
  failure: Error | undefined;
  readonly #scripts: (spec: ProcessSpec) => Script;

  /** @param scripts what a program does, by its command line. */
  constructor(scripts: (spec: ProcessSpec) => Script) {
    this.#scripts = scripts;
  }

  async open(): Promise<HostContainer> {
    if (this.failure !== undefined) throw this.failure;
    this.opened += 1;
    const processes: ScriptedGuest[] = [];
    return {
      processes,
      files: fakeFiles,
      start: async (spec) => {
        const guest = new ScriptedGuest(processes.length + 1, spec, this.#scripts(spec));
        processes.push(guest);
        this.guests.push(guest);
        return guest;
      },
      update: (limits) => {
        this.limits.push(limits);
        return limits.cpus === undefined ? [] : ['cpus'];
      },
      sync: async () => {},
      usage: () => ({ memoryBytes: 1024, storageBytes: 10 }),
      close: async () => {
        this.closed += 1;
        for (const process of processes) process.signal('SIGKILL');
      },
    };
  }
}

const fakeFiles: ContainerFiles = {
  stat: async (path) => ({ name: path, size: 3, mode: 0o644, mtime: '2025-01-01T00:00:00Z', linkTarget: '' }),
  async *archive(path) {
    yield new TextEncoder().encode(`tar of ${path}`);
  },
  async extract(path, tar) {
    let text = '';
    for await (const chunk of tar) text += new TextDecoder().decode(chunk);
    if (text === 'bad') throw new Error(`cannot extract into ${path}`);
  },
  changes: async () => [{ Path: '/a', Kind: 1 }],
  async *layer() {},
  async *export() {},
  write: async () => {},
  seal: async () => {},
};
