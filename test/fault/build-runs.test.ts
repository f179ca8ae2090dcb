/**
 * kill -9 of a builder, of its RUNs' processes, or of both, at any moment: no process goes on, what they had is given back
 * by the next RUN, and no secret is on a disk. WCTR_TEST_KILLS kills (default 4).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasCompiler } from '../support/c-guest.ts';
import { type CompiledProgram, compileProgram } from '../support/compiled.ts';
import { peer } from '../support/peers.ts';
import { openRunWorld, type RunWorld } from '../support/run-executor.ts';

const KILLS = Number(process.env.WCTR_TEST_KILLS ?? 4);
const RUNTIMES: [string, string | undefined, string[], number][] = [
  ['Node', process.execPath, [], KILLS],
  ['Deno', peer('deno'), ['run', '--allow-all', '--quiet'], 2],
  ['Bun', peer('bun'), ['run'], 2],
];
const LONGEST_LIFE_MS = 1_500;
const GONE_WITHIN_MS = 10_000;
const word = `hush-${randomBytes(8).toString('hex')}`;

describe.skipIf(!hasCompiler() || process.platform !== 'linux')('builders that are killed', () => {
  let world: RunWorld;
  let program: CompiledProgram;
  beforeAll(async () => {
    program = compileProgram('run-builder-child');
    world = await openRunWorld();
  });
  afterAll(async () => {
    for (const pid of processesOf(world.root)) kill(pid);
    await world?.close();
    program?.remove();
  });

  it.each(RUNTIMES.filter(([, runtime]) => runtime !== undefined))(
    'leave nothing behind: %s',
    async (_name, runtime, flags, kills) => {
      for (let count = 0; count < kills; count += 1) {
        const child = spawn(runtime!, [...flags, program.path, world.root, world.base, word], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        const said = linesOf(child);
        await said.next();
        expect(said.all).not.toEqual([]);
        await sleep(Math.random() * LONGEST_LIFE_MS);
        const shims = processesOf(world.root).filter((pid) => pid !== child.pid);
        const victims = [[child.pid!], shims, [...shims, child.pid!], [child.pid!, ...shims.slice(0, 1)]][count % 4]!;
        for (const pid of victims) kill(pid);
        // With its RUNs gone the builder goes on, and hears why.
        await sleep(50);
        kill(child.pid!);
        for (const line of said.all) expect(line).not.toMatch(/^wrong: 0/);
        await expect.poll(() => processesOf(world.root), { timeout: GONE_WITHIN_MS }).toEqual([]);
        expect(holding(world.root, word)).toEqual([]);
      }
      const ran = await world.step(['echo', 'next'], { network: 'default' });
      expect(ran.stdout).toBe('next\n');
      // Temp files of the killed are swept when nobody has written to them for an hour.
      expect(world.leftovers().filter((path) => !path.startsWith(`${world.root}/tmp/`))).toEqual([]);
      // Nobody is kept from a cache mount that a killed builder had locked.
      const locked = { type: 'cache', target: '/cache', id: 'log', sharing: 'locked', readonly: false } as const;
      const cache = await world.step(['cat', '/cache/log'], { mounts: [{ ...locked, mode: 0o755, uid: 0, gid: 0 }] });
      expect(cache.stdout).toMatch(/^x+$/);
    },
    KILLS * 15_000 + 30_000,
  );
});

function linesOf(child: ChildProcess) {
  const all: string[] = [];
  let told: () => void = () => {};
  child.stdout!.on('data', (chunk: Buffer) => {
    all.push(...chunk.toString().trim().split('\n'));
    told();
  });
  child.once('exit', () => told());
  return {
    all,
    next: () =>
      new Promise<void>((resolve) => {
        told = resolve;
      }),
  };
}

/** Whose command line names the store: builders, their RUNs and the guards of these. */
function processesOf(root: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => textOf(`/proc/${pid}/cmdline`).includes(root))
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function holding(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((path) => textOf(path).includes(text));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
