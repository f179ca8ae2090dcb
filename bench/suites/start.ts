/** How soon a container's first output is there: the whole command, and each isolation by itself. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInlineSandbox, createProcessSandbox, createWorkerSandbox } from '../../src/host/node/sandboxes.ts';
import type { Sandbox, SandboxSpec } from '../../src/host/sandbox.ts';
import type { Contender, Suite } from '../harness.ts';

const WCTR = join(process.cwd(), 'dist', 'bin', 'wctr.cjs');
/** Starts are short and a machine is never quiet: many rounds, and the median of them. */
const ROUNDS = 31;

export const suite: Suite = {
  name: 'start',
  async rows() {
    const dataRoot = mkdtempSync(join(tmpdir(), 'wctr-bench-'));
    const env = { ...process.env, WCTR_DATA_ROOT: dataRoot };
    const run = ['run', '--rm', 'hello'];
    // The image is taken in by the first run; what is measured is every one after it.
    execFileSync(process.execPath, [WCTR, ...run], { env, stdio: 'ignore' });
    const processes = createProcessSandbox();
    const warm = createProcessSandbox({ warm: 2 });
    const workers = createWorkerSandbox();
    return {
      rows: [
        {
          title: 'wctr run --rm hello, whole process, process isolation',
          ours: program('wctr', [WCTR, ...run], env),
          peers: [program('node -e 0', ['-e', '0'], env)],
          bars: { 'node -e 0': 0.5 },
          rounds: ROUNDS,
        },
        {
          title: 'Sandbox.start to exit, hello',
          ours: sandbox('inline', createInlineSandbox()),
          peers: [sandbox('worker', workers), sandbox('process, warm', warm), sandbox('process', processes)],
          bars: {},
          rounds: ROUNDS,
        },
      ],
      done: async () => {
        processes.close();
        warm.close();
        await workers.close();
        rmSync(dataRoot, { recursive: true, force: true });
      },
    };
  },
};

function program(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Contender {
  return {
    name,
    run() {
      const start = performance.now();
      const { status } = spawnSync(process.execPath, args, { env, stdio: 'ignore' });
      if (status !== 0) throw new Error(`${name} ended with ${status}`);
      return performance.now() - start;
    },
  };
}

/** (module (func (export "_start")) (memory (export "memory") 1)): the least a command can be. */
const NOTHING = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1],
  ...[7, 19, 2, 6, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0],
  ...[10, 4, 1, 2, 0, 0x0b],
]);

const SPEC: SandboxSpec = {
  id: '0'.repeat(64),
  hostname: 'bench',
  process: { args: ['nothing'], env: [], cwd: '/', user: { uid: 0, gid: 0, additionalGids: [] }, terminal: false },
  root: { readonly: false, layers: [] },
  program: { module: { bytes: NOTHING } },
  mounts: [],
  resources: {},
  stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
};

function sandbox(name: string, under: Sandbox): Contender {
  return {
    name,
    async run() {
      const start = performance.now();
      const exit = await (await under.start(SPEC)).wait();
      if (exit.exitCode !== 0) throw new Error(`${name}: ${exit.reason}`);
      return performance.now() - start;
    },
  };
}
