/** A program of a container that starts another one and waits for it, beside a native shell that does. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GuestProcess, HostContainer } from '../../src/host/container/container.ts';
import { createContainerHost } from '../../src/host/node/container-host.ts';
import { peer } from '../../test/support/peers.ts';
import type { Suite } from '../harness.ts';

const GUEST = join(process.cwd(), 'test', 'support', 'guests', 'posix.c');
const TIMES = 200;
const USER = { uid: 0, gid: 0, additionalGids: [] };

export const suite: Suite = {
  name: 'spawn',
  async rows() {
    const clang = peer('clang');
    if (clang === undefined) return { rows: [], missing: ['clang'] };
    const directory = mkdtempSync(join(tmpdir(), 'wctr-bench-'));
    execFileSync(clang, ['--target=wasm32-wasi', '--sysroot=/usr', '-O2', '-o', join(directory, 'p'), GUEST]);
    const container = await open(directory);
    await run(container, directory, ['cp', '/host/p', '/p']);
    const shells = ['/bin/dash', '/bin/bash'].filter((shell) => existsSync(shell));
    return {
      rows: [
        {
          title: `start a program and wait for it, ${TIMES} times`,
          ours: { name: 'wctr', run: () => run(container, directory, ['many', String(TIMES)]) },
          peers: shells.map((shell) => ({
            name: `native ${shell.slice('/bin/'.length)}`,
            run: () => native(shell),
          })),
          bars: { 'native dash': 0.2 },
        },
      ],
      missing: shells.length === 0 ? ['dash'] : [],
      done: async () => {
        await container.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
};

function native(shell: string): number {
  const script = `i=0; while [ $i -lt ${TIMES} ]; do /bin/true; i=$((i + 1)); done`;
  const start = performance.now();
  if (spawnSync(shell, ['-c', script]).status !== 0) throw new Error(`${shell} failed`);
  // Its own start and end are not what is measured.
  const middle = performance.now();
  execFileSync(shell, ['-c', ':']);
  return middle - start - (performance.now() - middle);
}

/** The milliseconds from the program's start to its end. */
async function run(container: HostContainer, directory: string, args: readonly string[]): Promise<number> {
  const guest = await container.start({
    args: ['p', ...args],
    env: [],
    cwd: '/',
    user: USER,
    terminal: false,
    program: { module: { path: join(directory, 'p') } },
    stdin: false,
  });
  const start = performance.now();
  const { exitCode } = await ended(guest);
  if (exitCode !== 0) throw new Error(`${args[0]} ended with ${exitCode}`);
  return performance.now() - start;
}

async function ended(guest: GuestProcess) {
  await Promise.all([new Response(guest.stdout).text(), new Response(guest.stderr).text()]);
  return guest.wait();
}

function open(directory: string): Promise<HostContainer> {
  return createContainerHost().open(
    {
      id: 'bench'.padEnd(64, '0'),
      hostname: 'bench',
      process: { args: ['p'], env: [], cwd: '/', user: USER, terminal: false },
      root: { readonly: false, layers: [] },
      program: {},
      mounts: [
        { type: 'bind', destination: '/host', source: directory },
        { type: 'tmpfs', destination: '/tmp' },
      ],
      resources: {},
      stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
    },
    {},
  );
}
