/** Runs an edge image: a kernel as good as new and a guest of its own for every call, on the caller's thread. */
import { browserRunnerHost } from '../browser/runner-host.ts';
import type { EdgeImage } from '../edge-image.ts';
import { createInlineSandbox } from '../inline/sandbox.ts';
import type { Sandbox, SandboxExit, SandboxSpec } from '../sandbox.ts';
import { clockFrom } from '../wasi/defaults.ts';
import type { HostListener } from '../wasi/ports.ts';

export interface EdgeCall {
  /** In place of the image's command. */
  readonly args?: readonly string[];
  /** Added to the image's. */
  readonly env?: readonly string[];
  readonly stdin?: Uint8Array;
  /** Sockets the guest finds at its start. */
  readonly listeners?: readonly HostListener[];
}

export interface EdgeResult {
  readonly exit: SandboxExit;
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
}

const ID = '0'.repeat(64);
const PAGE_BYTES = 65536;

export class EdgeRuns {
  readonly #image: EdgeImage;
  readonly #root: SandboxSpec['root'];
  readonly #listeners = new WeakMap<SandboxSpec, readonly HostListener[]>();
  readonly #sandbox: Sandbox;

  constructor(image: EdgeImage) {
    this.#image = image;
    this.#root = {
      readonly: false,
      index: { bytes: new Uint8Array(image.index) },
      layers: image.layers.map((layer) => ({ bytes: new Uint8Array(layer) })),
    };
    const { kernel, program, description } = image;
    const prepared = { module: program, info: description.info, fuel: false };
    // Time stands still while such a host's code runs: who sleeps is told that it passed.
    let slept = 0;
    this.#sandbox = createInlineSandbox({
      runnerHost: (stdio, spec) => ({
        ...browserRunnerHost({ kernel }, stdio),
        clock: clockFrom(() => performance.now() + slept),
        sleep: (ms) => {
          slept += Math.max(0, ms);
        },
        listeners: this.#listeners.get(spec) ?? [],
      }),
      modules: { get: () => prepared, set() {} },
    });
  }

  /** Never throws for what the guest did. */
  async run({ args, env = [], stdin = new Uint8Array(0), listeners = [] }: EdgeCall): Promise<EdgeResult> {
    const { process, memoryPages } = this.#image.description;
    const spec: SandboxSpec = {
      id: ID,
      hostname: 'edge',
      process: { ...process, ...(args === undefined ? {} : { args }), env: merged(process.env, env), terminal: false },
      root: this.#root,
      program: { path: process.args[0] ?? '' },
      mounts: [],
      resources: { memoryBytes: memoryPages * PAGE_BYTES },
      stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
    };
    this.#listeners.set(spec, listeners);
    const handle = await this.#sandbox.start(spec);
    const input = handle.stdin?.getWriter();
    if (stdin.length > 0) await input?.write(stdin);
    await input?.close();
    const [exit, stdout, stderr] = await Promise.all([handle.wait(), all(handle.stdout), all(handle.stderr)]);
    return { exit, stdout, stderr };
  }
}

/** The last value of a name counts. */
function merged(...lists: readonly (readonly string[])[]): string[] {
  return [...new Map(lists.flat().map((entry) => [entry.slice(0, entry.indexOf('=')), entry])).values()];
}

async function all(stream: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}
