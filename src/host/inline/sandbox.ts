/**
 * Isolation `inline`: the guest runs on the caller's own thread, in microseconds, and holds it until it ends. For callers
 * who trust their guests: nothing but fuel checks can stop one, and `signal` cannot reach it while it runs.
 */
import { WctrError } from '../../errors.ts';
import { failedStart } from '../runner/exit.ts';
import { type Machine, shapeOf } from '../runner/machine.ts';
import type { PreparedModule } from '../runner/module.ts';
import type { MachinePool } from '../runner/run.ts';
import { type GuestStdio, type ModuleCache, type RunnerHost, runGuest } from '../runner/run.ts';
import type { Sandbox, SandboxExit, SandboxHandle, SandboxSpec } from '../sandbox.ts';
import type { HostStream } from '../wasi/ports.ts';
import { bytesInput } from '../worker/guest.ts';

export interface InlineHost {
  /** The runtime's own streams, where it has some. */
  inherited?(name: 'stdin' | 'stdout' | 'stderr'): HostStream;
  runnerHost(stdio: GuestStdio, spec: SandboxSpec): RunnerHost | Promise<RunnerHost>;
  /** In place of the sandbox's own. */
  readonly modules?: ModuleCache;
}

/** What a guest may write before its caller, who is not running, could read it. */
const OUTPUT_LIMIT_BYTES = 256 * 1024 * 1024;

const MOST_KEPT = 4;
/** A machine that grew beyond this is given back to the engine's collector. */
const LARGEST_KEPT_BYTES = 64 * 1024 * 1024;

export function createInlineSandbox(host: InlineHost): Sandbox {
  const caches = { modules: host.modules ?? moduleCache(), machines: machinePool() };
  return {
    isolation: 'inline',
    async start(spec) {
      return new InlineHandle(spec, host, caches);
    },
  };
}

class InlineHandle implements SandboxHandle {
  readonly pid = undefined;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array> | undefined;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  readonly #exit: Promise<SandboxExit>;
  #done = false;

  constructor(spec: SandboxSpec, host: InlineHost, caches: Pick<RunnerHost, 'modules' | 'machines'>) {
    const input: Uint8Array[] = [];
    const stdout = spec.stdio.stdout === 'pipe' ? new OutputQueue() : undefined;
    const stderr = spec.stdio.stderr === 'pipe' ? new OutputQueue() : undefined;
    this.stdout = stdout?.readable;
    this.stderr = stderr?.readable;
    let begin: () => void = () => {};
    const ready =
      spec.stdio.stdin === 'pipe'
        ? // The guest cannot wait for input that its own thread would have to bring: it starts when all is there.
          new Promise<void>((resolve) => {
            begin = resolve;
          })
        : Promise.resolve();
    if (spec.stdio.stdin === 'pipe') {
      this.stdin = new WritableStream<Uint8Array>({
        write: (chunk) => void input.push(chunk.slice()),
        close: begin,
        abort: begin,
      });
    }
    this.#exit = ready
      .then(async () => {
        const { stdin } = spec.stdio;
        const runner = await host.runnerHost(
          {
            stdin: stdin === 'inherit' ? inherit(host, 'stdin') : bytesInput(concat(input)),
            stdout: stdout ?? inherit(host, 'stdout'),
            stderr: stderr ?? inherit(host, 'stderr'),
          },
          spec,
        );
        return runGuest(spec, { ...runner, keepsTime: true, ...caches });
      })
      .catch(failedStart)
      .finally(() => {
        this.#done = true;
        stdout?.end();
        stderr?.end();
      });
  }

  wait(): Promise<SandboxExit> {
    return this.#exit;
  }

  async signal(): Promise<void> {
    if (this.#done) throw new WctrError('conflict', 'the container is not running');
    throw new WctrError('unsupported', 'a guest that waits for its input on this thread cannot be signalled', {
      hint: "close its stdin, or use isolation 'process' or 'worker'",
    });
  }

  async stats() {
    return { memoryBytes: 0, storageBytes: 0, cpuMs: 0 };
  }
}

/** Output of a guest that leaves its reader no turn: kept until there is one. */
class OutputQueue implements HostStream {
  readonly readable: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #bytes = 0;

  constructor() {
    this.readable = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      cancel: () => {
        this.#controller = undefined;
      },
    });
  }

  write(source: Uint8Array): number {
    this.#bytes += source.length;
    if (this.#bytes > OUTPUT_LIMIT_BYTES) {
      throw new WctrError('limit-exceeded', `more than ${OUTPUT_LIMIT_BYTES >> 20} MiB of output in one inline run`, {
        hint: "use isolation 'process' or 'worker', whose output is read while they run",
      });
    }
    this.#controller?.enqueue(source.slice());
    return source.length;
  }

  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }
}

function inherit(host: InlineHost, name: 'stdin' | 'stdout' | 'stderr'): HostStream {
  const stream = host.inherited?.(name);
  if (stream === undefined) {
    throw new WctrError('unsupported', `this host has no ${name} of its own to hand to a guest`, {
      hint: "use stdio 'pipe'",
    });
  }
  return stream;
}

/**
 * Prepared modules by the identity of what they came from: the module's bytes, or the image's index and the path. What
 * bytes say is not compared: do not change them between runs.
 */
function moduleCache(): ModuleCache {
  const byOrigin = new WeakMap<object, Map<string, PreparedModule>>();
  const origin = (spec: SandboxSpec): object | undefined => {
    const { module } = spec.program;
    const location = module ?? spec.root.index;
    return location !== undefined && 'bytes' in location ? location.bytes : undefined;
  };
  const key = ({ program, process, resources }: SandboxSpec, fuel: boolean) =>
    [
      program.module === undefined ? `${program.path}\n${process.cwd}` : '',
      resources.memoryBytes,
      resources.tableElements,
      program.unknownImports,
      fuel,
    ].join('\n');
  return {
    get: (spec, fuel) => {
      const from = origin(spec);
      return from === undefined ? undefined : byOrigin.get(from)?.get(key(spec, fuel));
    },
    set(spec, fuel, prepared) {
      const from = origin(spec);
      if (from === undefined) return;
      const known = byOrigin.get(from) ?? new Map<string, PreparedModule>();
      byOrigin.set(from, known.set(key(spec, fuel), prepared));
    },
  };
}

/** One machine of each of the last few shapes: guests of one thread take turns. */
function machinePool(): MachinePool {
  const idle = new Map<string, Machine>();
  return {
    take(spec) {
      const shape = shapeOf(spec);
      const machine = shape === undefined ? undefined : idle.get(shape);
      if (shape !== undefined) idle.delete(shape);
      return machine;
    },
    put(spec, machine) {
      const shape = shapeOf(spec);
      if (shape === undefined || machine.memory.buffer.byteLength > LARGEST_KEPT_BYTES) return;
      idle.set(shape, machine);
      const [oldest] = idle.keys();
      if (idle.size > MOST_KEPT && oldest !== undefined) idle.delete(oldest);
    },
  };
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
