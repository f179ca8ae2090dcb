/** The smoke suite in every runtime: the stock Node, the newest, Deno, Bun, and a page of headless Chromium. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/image-store.ts';
import { peer } from '../support/peers.ts';
import { serve } from '../support/registry-images.ts';
import { type FakeRegistry, startFakeRegistry } from '../support/registry-server.ts';
import { smokeImage } from '../support/smoke-image.ts';

const PROGRAM = new URL('./smoke-program.mjs', import.meta.url).pathname;
const DIST = new URL('../../dist/', import.meta.url);

interface Result {
  readonly name: string;
  readonly problem?: string;
}

const RUNTIMES: [string, string | undefined, string[], string][] = [
  ['Node, the one that runs the tests', process.execPath, [], 'node.js'],
  ['the newest Node', peer('node'), [], 'node.js'],
  [
    'Deno',
    peer('deno'),
    ['run', '--allow-all', '--quiet'],
    existsSync(new URL('deno.js', DIST)) ? 'deno.js' : 'node.js',
  ],
  ['Bun', peer('bun'), ['run'], 'node.js'],
];

describe.each(RUNTIMES)('%s', (_name, program, flags, entry) => {
  let registry: FakeRegistry;
  let dir: ReturnType<typeof tempDir>;

  beforeAll(async () => {
    registry = await startFakeRegistry();
    dir = tempDir();
    serve(registry, 'test/busybox', '1', smokeImage());
  });

  afterAll(async () => {
    await registry.close();
    dir[Symbol.dispose]();
  });

  it.skipIf(!program)(
    'passes the smoke suite',
    async () => {
      const directory = join(dir.path, 'shared');
      mkdirSync(directory);
      writeFileSync(join(directory, 'in'), 'from the host');
      const options = {
        entry: new URL(entry, DIST).href,
        dataRoot: join(dir.path, 'data'),
        registry: registry.host,
        reference: `${registry.host}/test/busybox:1`,
        isolations: ['process', 'worker', 'inline'],
        directory,
      };
      const { stdout } = await promisify(execFile)(program!, [...flags, PROGRAM, JSON.stringify(options)], {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
        maxBuffer: 1e8,
        timeout: 100_000,
      });
      const results = JSON.parse(stdout) as Result[];
      expect(results.filter(({ problem }) => problem !== undefined)).toEqual([]);
      expect(results.length).toBeGreaterThanOrEqual(25);
    },
    120_000,
  );
});
