import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledProgram, compileProgram } from '../support/compiled.ts';
import { ATTACKS } from '../support/guard-attacks.ts';
import type { GuestEnd } from '../support/guard-runner.ts';
import { removeTree } from '../support/remove-tree.ts';
import { coreBytes } from '../support/wasm.ts';

/** A guest may have 64 MiB, a table of 100,000 and what the engine needs to compile it. */
const RSS_MIB = 1024;
/** 100 ms of its own, the start of a Worker and compiling. */
const EACH_CPU_MS = 3_000;

let runner: CompiledProgram;
let dir: string;
let ends: Map<string, GuestEnd>;
let exitCode: number | null;
let longestGapMs = 0;

beforeAll(async () => {
  runner = compileProgram('guard-runner');
  dir = mkdtempSync(join(tmpdir(), 'guard-attack-'));
  const input = join(dir, 'attacks.json');
  const modules = ATTACKS.map(([name, bytes]) => ({ name, bytes: Buffer.from(bytes).toString('base64') }));
  writeFileSync(input, JSON.stringify({ core: Buffer.from(coreBytes()).toString('base64'), modules }));

  // The neighbour: this process has its own work all the while.
  let last = performance.now();
  const neighbour = setInterval(() => {
    longestGapMs = Math.max(longestGapMs, performance.now() - last);
    last = performance.now();
  }, 20);
  const child = spawn(process.execPath, [runner.path, input], { stdio: ['ignore', 'pipe', 'inherit'] });
  ends = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const end = JSON.parse(line) as GuestEnd;
    ends.set(end.name, end);
  });
  exitCode = await new Promise((resolve) => child.once('close', resolve));
  clearInterval(neighbour);
}, 180_000);

afterAll(() => {
  runner?.remove();
  removeTree(dir);
});

describe('hostile modules under the guard', () => {
  it('are many, and each has a name of its own', () => {
    expect(new Set(ATTACKS.map(([name]) => name)).size).toBe(ATTACKS.length);
    expect(ATTACKS.length).toBeGreaterThanOrEqual(100);
  });

  it.each(ATTACKS.map(([name, , expected]) => ({ name, expected })))('$name', ({ name, expected }) => {
    const end = ends.get(name);
    expect(end, 'the process went down before or with it').toBeDefined();
    expect(expected, end!.message).toContain(end!.end);
    expect(end!.cpuMs).toBeLessThan(EACH_CPU_MS);
    expect(end!.rssMiB).toBeLessThan(RSS_MIB);
  });

  it('leave the process they ran in alive, and its neighbour at work', () => {
    expect(exitCode).toBe(0);
    expect(longestGapMs).toBeLessThan(2_000);
  });
});
