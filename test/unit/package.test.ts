/** The packed tarball as a user gets it: complete, small, and it runs. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeTree } from '../support/remove-tree.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let dir: string;
let files: string[];

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'wctr-pack-'));
  const output = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', dir], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const parsed = JSON.parse(output);
  const [packed] = Array.isArray(parsed)
    ? parsed
    : Object.values<{ filename: string; files: { path: string }[] }>(parsed);
  files = packed.files.map(({ path }: { path: string }) => path);
  mkdirSync(join(dir, 'node_modules/wctr'), { recursive: true });
  execFileSync('tar', [
    '-xzf',
    join(dir, packed.filename),
    '--strip-components=1',
    '-C',
    join(dir, 'node_modules/wctr'),
  ]);
  // What the registry would install beside it.
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    mkdirSync(join(dir, 'node_modules', name, '..'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(dir, 'node_modules', name));
  }
});
afterAll(() => removeTree(dir));

describe('the package', () => {
  it('holds what runs and nothing that builds', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'dist/bin/wctr.cjs',
        'dist/bin/container.cjs',
        'dist/images/hello/index.json',
        'dist/images/base/index.json',
        'dist/edge/runtime.js',
        'dist/space-worker.js',
        'dist/node.js',
        'dist/node.d.ts',
        'dist/browser.js',
        'dist/wasm/core.wasm',
        'dist/wasm/kernel.wasm',
      ]),
    );
    expect(files.filter((path) => !/^(dist\/|package\.json$|README\.md$|CHANGELOG\.md$|LICENSE$)/.test(path))).toEqual(
      [],
    );
  });

  it('runs a container with no build tool at hand', () => {
    const wctr = join(dir, 'node_modules/wctr/dist/bin/wctr.cjs');
    const env = { PATH: process.env.PATH, HOME: dir };
    expect(execFileSync(process.execPath, [wctr, 'run', '--rm', 'hello'], { env, encoding: 'utf8' })).toContain(
      'Hello from wctr!',
    );
    expect(statSync(join(dir, '.local/share/wctr/images')).isDirectory()).toBe(true);
  });

  it('can be imported', () => {
    const program = `import { Wctr, VERSION } from 'wctr'; console.log(typeof Wctr.open, VERSION)`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: dir,
      encoding: 'utf8',
    });
    expect(output).toMatch(/^function \d+\.\d+\.\d+/);
  });

  it('is what publint calls well-formed', async () => {
    const { messages, pkg } = await publint({ pkgDir: join(dir, 'node_modules/wctr'), strict: true, pack: false });
    // The bundle is CommonJS; publint takes words inside its strings (completion scripts) for ESM statements.
    const meant = messages.filter(({ code, path }) => code !== 'FILE_INVALID_EXPLICIT_FORMAT' || path[0] !== 'bin');
    expect(meant.map((message) => formatMessage(message, pkg!))).toEqual([]);
  });
});

describe('the size budget', () => {
  it.each([
    ['dist/wasm/core.wasm', 84],
    ['dist/wasm/kernel.wasm', 64],
    ['dist/bin/container.cjs', 120],
    ['dist/edge/runtime.js', 110],
    ['dist/bin/wctr.cjs', 480],
  ])('%s is at most %d KiB', (path, limit) => {
    expect(statSync(join(ROOT, path)).size).toBeLessThanOrEqual(limit * 1024);
  });
});
