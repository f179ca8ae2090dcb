/** Builders of one store, at once and killed: a key has one result, and what was kept is whole. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LocalBuildCache } from '../../src/build/cache/local-build-cache.ts';
import { type CompiledProgram, compileProgram } from '../support/compiled.ts';
import { createNodeHasher, diskStore, openImages, sha256, tempDir } from '../support/image-store.ts';

let program: CompiledProgram;
beforeAll(() => {
  program = compileProgram('build-cache-child');
});
afterAll(() => program?.remove());

function start(root: string, name: string) {
  const child = spawn(process.execPath, [program.path, root, name], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  // A line cut by a kill was not acknowledged
  return { child, ended, lines: () => out.split('\n').slice(0, -1) };
}

it('agrees on one result for each key', async () => {
  using dir = tempDir();
  const builders = ['a', 'b', 'c'].map((name) => start(dir.path, name));
  expect(await Promise.all(builders.map(({ ended }) => ended))).toEqual([0, 0, 0]);
  const [first, ...others] = builders.map(({ lines }) => lines());
  expect(first).toHaveLength(100);
  for (const other of others) expect(other).toEqual(first);
  expect(first?.every((line) => /^\d+ (\w) \1$/.test(line))).toBe(true);
});

it('keeps what was acknowledged by a builder that was killed', async () => {
  using dir = tempDir();
  const acknowledged = new Set<string>();
  for (const name of ['a', 'b', 'c']) {
    const { child, ended, lines } = start(dir.path, name);
    while (lines().length < 20) await sleep(1);
    child.kill('SIGKILL');
    await ended;
    for (const line of lines()) acknowledged.add(line);
  }
  const store = openImages(diskStore(dir.path));
  const records = await new LocalBuildCache({ ...store, createHasher: createNodeHasher }).records();
  const files = (await store.fs.readdir(join(dir.path, 'build/cache'))).filter((file) => file.endsWith('.json'));
  expect(files).toHaveLength(records.length);
  const kept = new Map(records.map(({ key, result }) => [key, result.description]));
  for (const line of acknowledged) {
    const [i, name] = line.split(' ');
    expect(kept.get(sha256(`step ${i}`)), line).toBe(name);
  }
});
