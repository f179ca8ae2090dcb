/** Every file of examples/ that a reader would run, run. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'wctr-examples-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function example(program: string, name: string): Promise<string[]> {
  const env = { PATH: process.env.PATH, HOME: dir, WCTR_DATA_ROOT: join(dir, 'store') };
  const { stdout } = await promisify(execFile)(program, [join(EXAMPLES, name)], { env, cwd: dir });
  return stdout.trimEnd().split('\n');
}

const EXPECTED: Readonly<Record<string, () => Promise<void>>> = {
  'library.mjs': async () => {
    expect(await example(process.execPath, 'library.mjs')).toEqual([
      'hello: exit code 0, "Hello from wctr!"',
      'streams: TO CAPITALS, PLEASE',
      'streams: exit code 0',
      'mounts: KEPT IN MEMORY',
      'limits: exit code 137, out of memory: true',
      'kill: exit code 137',
      'errors: no such image: no-such-image',
    ]);
  },
  'embed-inline.mjs': async () => {
    const lines = await example(process.execPath, 'embed-inline.mjs');
    expect(lines.map((line) => line.replace(/[\d.]+ ms/, 'N ms'))).toEqual([
      'ADA (exit code 0, N ms)',
      'GRACE (exit code 0, N ms)',
    ]);
  },
  'cli.sh': async () => {
    const lines = await example('bash', 'cli.sh');
    expect(lines.filter((line) => line.startsWith('=='))).toHaveLength(5);
    expect(lines.filter((line) => !line.startsWith('=='))).toEqual([
      '',
      'Hello from wctr!',
      'If you can read this, your installation works.',
      'SHOUT THIS',
      'example/upper:1 wasip1/wasm',
      'example/upper:latest wasip1/wasm',
      'hello:latest wasip1/wasm',
      'TO A FILE',
      'TO A FILE',
      'the endless loop ended with 124',
      'the greedy one ended with 137',
      'Loaded image: example/upper:1',
      '["/app.wasm"]',
      'Total reclaimed space',
    ]);
  },
};

describe('examples', () => {
  it.each(Object.entries(EXPECTED))('%s', (_, check) => check());

  it('has none without a test', () => {
    // What the others import.
    const parts = ['guest.mjs'];
    expect(readdirSync(EXAMPLES).sort()).toEqual([...Object.keys(EXPECTED), ...parts].sort());
  });
});
