/**
 * `--sandbox wasmer`: the Sandbox port over @wasmer/wasi 1.2.2. It runs the guest to its end inside `start`, in the
 * caller's thread, on its own in-memory file system; files the guest writes are gone afterwards, output appears at the
 * end. What it cannot do (limits, terminals, exec, read-only mounts) it refuses by name. Kept as a second opinion and a
 * peer, not for hostile guests.
 */
import type { MemFS, WASI } from '@wasmer/wasi';
import { WctrError } from '../../errors.ts';
import type { BlockSource, ByteLocation, SyncFileSystem } from '../ports.ts';
import type { Sandbox, SandboxExit, SandboxHandle, SandboxSpec } from '../sandbox.ts';
import { MemoryFiles } from './memory-files.ts';

export interface WasmerSandboxOptions {
  /** Opens bytes at rest: the rootfs index, plain tars, a module outside the image. */
  open(location: ByteLocation): BlockSource;
  /** For bind mounts: the host's files, copied in. Absent: bind mounts are refused. */
  readonly files?: SyncFileSystem;
  /** For `inherit`: takes what the guest wrote to 1 or 2. */
  readonly inherit?: (fd: 1 | 2, bytes: Uint8Array) => void;
}

/** What the guest's panic or trap is worth: 128 + SIGABRT. */
const TRAP_EXIT = 134;

export class WasmerSandbox implements Sandbox {
  readonly isolation = 'wasmer';
  readonly #options: WasmerSandboxOptions;

  constructor(options: WasmerSandboxOptions) {
    this.#options = options;
  }

  async start(spec: SandboxSpec): Promise<SandboxHandle> {
    refuse(spec);
    const library = await load();
    const fs = new library.MemFS();
    const files = new MemoryFiles(fs);
    this.#fill(files, spec);
    const module = await WebAssembly.compile(this.#program(files, spec));
    const wasi = new library.WASI({
      args: [...spec.process.args],
      env: environment(spec.process.env),
      preopens: spec.process.cwd === '/' ? { '/': '/' } : { '/': '/', '.': spec.process.cwd },
      fs,
    });
    return new WasmerHandle(wasi, module, spec, this.#options.inherit);
  }

  #fill(files: MemoryFiles, spec: SandboxSpec): void {
    if (spec.root.index !== undefined) {
      const layers = spec.root.layers.map((location) => this.#options.open(location));
      try {
        files.rootfs(this.#bytes(spec.root.index), layers);
      } finally {
        for (const layer of layers) layer.close();
      }
    }
    for (const mount of spec.mounts) {
      if (mount.type === 'tmpfs') {
        files.directory(mount.destination);
      } else if (mount.type === 'fs') {
        files.copy(mount.fs, mount.source, mount.destination);
      } else {
        if (this.#options.files === undefined) throw unsupported('bind mounts');
        files.copy(this.#options.files, mount.source, mount.destination);
      }
    }
    files.directory(spec.process.cwd);
  }

  #program(files: MemoryFiles, spec: SandboxSpec): Uint8Array<ArrayBuffer> {
    if (spec.program.module !== undefined) return this.#bytes(spec.program.module);
    const path = spec.program.path ?? spec.process.args[0] ?? '';
    const bytes = files.read(path.startsWith('/') ? path : `${spec.process.cwd.replace(/\/$/, '')}/${path}`);
    if (bytes === undefined) throw new WctrError('entrypoint-not-found', `${path} is not in the image`);
    return new Uint8Array(bytes);
  }

  #bytes(location: ByteLocation): Uint8Array<ArrayBuffer> {
    const source = this.#options.open(location);
    try {
      const bytes = new Uint8Array(source.sizeBytes);
      source.readSync(bytes, 0);
      return bytes;
    } finally {
      source.close();
    }
  }
}

class WasmerHandle implements SandboxHandle {
  readonly pid = undefined;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array> | undefined;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly #exit: Promise<SandboxExit>;

  constructor(wasi: WASI, module: WebAssembly.Module, spec: SandboxSpec, inherit: WasmerSandboxOptions['inherit']) {
    const stdout = output(spec.stdio.stdout, 1, inherit);
    const stderr = output(spec.stdio.stderr, 2, inherit);
    this.stdout = stdout.stream;
    this.stderr = stderr.stream;
    const finish = (input: Uint8Array): SandboxExit => {
      if (input.length > 0) wasi.setStdinBuffer(input);
      const exit = run(wasi, module);
      stdout.end(take(() => wasi.getStdoutBuffer()));
      stderr.end(take(() => wasi.getStderrBuffer()));
      return exit;
    };
    if (spec.stdio.stdin === 'pipe') {
      const input = collected();
      this.stdin = input.stream;
      this.#exit = input.bytes.then(finish);
    } else {
      this.stdin = undefined;
      this.#exit = Promise.resolve(new Uint8Array(0)).then(finish);
    }
  }

  wait(): Promise<SandboxExit> {
    return this.#exit;
  }

  signal(): Promise<void> {
    // The guest has the thread from its start to its end; there is nobody left to signal.
    return Promise.resolve();
  }

  stats(): Promise<{ memoryBytes: number; storageBytes: number; cpuMs: number }> {
    return Promise.resolve({ memoryBytes: 0, storageBytes: 0, cpuMs: 0 });
  }
}

function run(wasi: WASI, module: WebAssembly.Module): SandboxExit {
  try {
    const instance = wasi.instantiate(module, {});
    return { exitCode: wasi.start(instance) & 0xff, oomKilled: false };
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error).split('\n')[0]!;
    return { exitCode: TRAP_EXIT, oomKilled: false, reason };
  }
}

/** After a panic of the library its getters panic too; what was written is lost then. */
function take(get: () => Uint8Array): Uint8Array {
  try {
    return get();
  } catch {
    return new Uint8Array(0);
  }
}

interface Library {
  readonly WASI: typeof WASI;
  readonly MemFS: typeof MemFS;
  readonly init: (input?: undefined, force?: boolean) => Promise<void>;
}

/** Loaded on first use. Started anew every time: a panic of an earlier guest leaves the library's instance broken. */
async function load(): Promise<Library> {
  const module = (await import('./library.ts')).library as Library & { default?: Library };
  const library = module.WASI === undefined ? module.default! : module;
  await library.init(undefined, true);
  return library;
}

function refuse(spec: SandboxSpec): void {
  const { resources } = spec;
  if (spec.process.terminal) throw unsupported('terminals');
  if (spec.root.readonly) throw unsupported('a read-only root');
  if (spec.deterministic === true) throw unsupported('deterministic runs');
  if (spec.stdio.stdin === 'inherit') throw unsupported('an inherited standard input');
  if (spec.program.export !== undefined && spec.program.export !== '_start')
    throw unsupported('other exports than _start');
  if (spec.mounts.some((mount) => mount.readonly === true)) throw unsupported('read-only mounts');
  for (const limit of ['memoryBytes', 'cpus', 'storageBytes', 'timeoutMs', 'inodes'] as const) {
    if (resources[limit] !== undefined) throw unsupported(`the limit ${limit}`);
  }
}

function unsupported(what: string): WctrError {
  return new WctrError('unsupported', `the wasmer sandbox does not support ${what}`, {
    hint: 'leave out --sandbox wasmer',
  });
}

function environment(env: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    env.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

function output(kind: 'inherit' | 'pipe', fd: 1 | 2, inherit: WasmerSandboxOptions['inherit']) {
  if (kind === 'inherit') {
    return { stream: undefined, end: (bytes: Uint8Array) => (bytes.length > 0 ? inherit?.(fd, bytes) : undefined) };
  }
  let controller: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
  });
  return {
    stream,
    end(bytes: Uint8Array) {
      if (bytes.length > 0) controller.enqueue(bytes);
      controller.close();
    },
  };
}

/** A stream that is kept until it is closed. */
function collected() {
  const chunks: Uint8Array[] = [];
  let resolve: (bytes: Uint8Array) => void;
  const bytes = new Promise<Uint8Array>((done) => {
    resolve = done;
  });
  const finish = () => {
    const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    resolve(all);
  };
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      chunks.push(chunk.slice());
    },
    close: finish,
    abort: finish,
  });
  return { stream, bytes };
}
