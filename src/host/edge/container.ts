/** Runs an edge image: a kernel and a guest of its own for every call, on the caller's thread. */
import { browserRunnerHost } from '../browser/runner-host.ts';
import { createInlineSandbox } from '../inline/sandbox.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';
import { clockFrom } from '../wasi/defaults.ts';
import type { HostListener } from '../wasi/ports.ts';
import type { EdgeImage } from './image.ts';

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

/** Never throws for what the guest did. */
export async function runEdge(image: EdgeImage, call: EdgeCall = {}): Promise<EdgeResult> {
  const { description, kernel, program } = image;
  const { args, env, cwd, user } = description.process;
  const spec: SandboxSpec = {
    id: ID,
    hostname: 'edge',
    process: { args: call.args ?? args, env: merged(env, call.env ?? []), cwd, user, terminal: false },
    root: {
      readonly: false,
      index: { bytes: new Uint8Array(image.index) },
      layers: image.layers.map((layer) => ({ bytes: new Uint8Array(layer) })),
    },
    program: { path: (call.args ?? args)[0] ?? '' },
    mounts: [],
    resources: { memoryBytes: description.memoryPages * 65536 },
    stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
  };
  // Time stands still while such a host's code runs: who sleeps is told that it passed.
  let slept = 0;
  const prepared = { module: program, info: description.info, fuel: false };
  const sandbox = createInlineSandbox({
    runnerHost: (stdio) => ({
      ...browserRunnerHost({ kernel }, stdio),
      clock: clockFrom(() => performance.now() + slept),
      sleep: (ms) => {
        slept += Math.max(0, ms);
      },
      ...(call.listeners === undefined ? {} : { listeners: call.listeners }),
    }),
    modules: { get: () => prepared, set() {} },
  });
  const handle = await sandbox.start(spec);
  const input = handle.stdin?.getWriter();
  if (call.stdin !== undefined && call.stdin.length > 0) await input?.write(call.stdin);
  await input?.close();
  const [exit, stdout, stderr] = await Promise.all([handle.wait(), all(handle.stdout), all(handle.stderr)]);
  return { exit, stdout, stderr };
}

/** The last value of a name counts. */
function merged(...lists: readonly (readonly string[])[]): string[] {
  return [...new Map(lists.flat().map((entry) => [entry.slice(0, entry.indexOf('=')), entry])).values()];
}

async function all(stream: ReadableStream<Uint8Array> | undefined): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}
