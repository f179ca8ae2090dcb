/**
 * Runs hostile modules one after another, each in a Worker of this process, and says how each ended: one JSON line per
 * module on stdout. A process of its own, so that a test sees it when a guest takes the whole process down.
 * Input: `{ core, modules: [{ name, bytes (base64) }] }` in the file named by the first argument.
 */
import { readFileSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { guardModule, WASI_GRANTS } from '../../src/core/guard.ts';
import { withMemoryKind } from '../../src/core/load.ts';
import { isWctrError } from '../../src/errors.ts';
import { Fuel } from '../../src/host/fuel.ts';

export interface GuestEnd {
  readonly name: string;
  /** A WctrError's code; how it ended; `killed` when only ending its thread helped. */
  readonly end: string;
  readonly message: string;
  /** CPU time this process spent on it, over all threads: checking, compiling, running. Wall time depends on others. */
  readonly cpuMs: number;
  readonly rssMiB: number;
}

/** One guest: 64 MiB of memory, 100,000 table entries, 100 ms. */
const TIMEOUT_MS = 100;
/** On a machine that is busy with other things even a guest that ends by itself takes a while. */
const KILL_MS = 20_000;
const POLICY = { imports: WASI_GRANTS, maxMemoryPages: 1024, maxTableElements: 100_000, fuel: true };

interface Job {
  readonly core: WebAssembly.Module;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

if (isMainThread) {
  const { core, modules } = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as {
    core: string;
    modules: { name: string; bytes: string }[];
  };
  const compiled = new WebAssembly.Module(withMemoryKind(Buffer.from(core, 'base64'), false));
  for (const { name, bytes } of modules) {
    const before = process.cpuUsage();
    const result = await inWorker({ core: compiled, bytes: new Uint8Array(Buffer.from(bytes, 'base64')) });
    const used = process.cpuUsage(before);
    const end: GuestEnd = {
      name,
      ...result,
      cpuMs: Math.round((used.user + used.system) / 1000),
      rssMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    };
    console.log(JSON.stringify(end));
  }
} else {
  parentPort!.postMessage(runGuest(workerData as Job));
}

function inWorker(job: Job): Promise<{ end: string; message: string }> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: job,
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    const timer = setTimeout(() => finish({ end: 'killed', message: '' }), KILL_MS);
    const finish = (result: { end: string; message: string }) => {
      clearTimeout(timer);
      void worker.terminate().then(() => resolve(result));
    };
    worker.once('message', finish);
    worker.once('error', (error) => finish({ end: 'error', message: String(error) }));
  });
}

function runGuest({ core, bytes }: Job): { end: string; message: string } {
  const fuel = new Fuel({ timeoutMs: TIMEOUT_MS });
  try {
    const guarded = guardModule({ module: core }, bytes, POLICY);
    const module = new WebAssembly.Module(guarded.bytes);
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: { sched_yield: () => 0 } });
    fuel.attach(instance);
    const entry = instance.exports._start;
    if (typeof entry === 'function') entry();
    return { end: 'exit', message: '' };
  } catch (error) {
    if (fuel.end !== undefined) return { end: fuel.end, message: '' };
    if (isWctrError(error)) return { end: error.code, message: error.message };
    return { end: (error as Error).name, message: (error as Error).message };
  }
}
