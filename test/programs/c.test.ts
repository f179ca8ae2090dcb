/** C programs built by Debian's clang with its wasi-libc, as images and as bare modules. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, openCli } from '../support/cli.ts';
import { peer } from '../support/peers.ts';

const SOURCES = fileURLToPath(new URL('./c/', import.meta.url));
const hasClang =
  peer('clang') !== undefined && peer('wasm-ld') !== undefined && existsSync('/usr/include/wasm32-wasi/stdio.h');

const FILES_OUTPUT = [
  '300 entries, file-000 to file-299',
  'line one of 7',
  'line 2wo',
  'sparse 1048579, hole 0',
  'links 2',
  'link renamed',
  'No such file or directory',
  'Is a directory',
  'Directory not empty',
  'Not a directory',
  'File exists',
  '',
].join('\n');

describe.skipIf(!hasClang)('C programs', () => {
  let cli: Cli;
  const module = (name: string) => join(cli.dir, `${name}.wasm`);
  beforeAll(async () => {
    cli = openCli();
    for (const name of ['files', 'machine']) {
      const flags = ['--target=wasm32-wasi', '--sysroot=/usr', '-O2', '-Wall', '-Wextra', '-Werror'];
      execFileSync(peer('clang')!, [...flags, '-o', module(name), join(SOURCES, `${name}.c`), '-lm']);
    }
    execFileSync('tar', ['-cf', 'c.tar', 'files.wasm', 'machine.wasm'], { cwd: cli.dir });
    const made = await cli.run(['import', '-c', 'ENTRYPOINT ["/files.wasm"]', 'c.tar', 'c:1']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
  });
  afterAll(() => cli.remove());

  it.each([
    ['the writable layer', []],
    ['a tmpfs', ['--tmpfs', '/work', '--read-only']],
  ])('work with files in %s', async (_, flags) => {
    const result = await cli.run(['run', '--rm', ...flags, 'c:1', flags.length === 0 ? '/new' : '/work']);
    expect(result).toEqual({ code: 0, stdout: FILES_OUTPUT, stderr: '' });
  });

  it('work with files in a host directory', async () => {
    const dir = join(cli.dir, 'host');
    mkdirSync(dir);
    const result = await cli.run(['run', '--rm', '-v', `${dir}:/work`, module('files'), '/work']);
    expect(result).toEqual({ code: 0, stdout: FILES_OUTPUT, stderr: '' });
    expect(readdirSync(join(dir, 'tree'))).toHaveLength(302);
  });

  it('see their arguments, environment, clocks, memory and streams', async () => {
    const input = 'a line\n'.repeat(10_000);
    const args = ['run', '--rm', '-i', '-e', 'NAME=value', '--entrypoint', '/machine.wasm', 'c:1', 'a b', '--c'];
    const result = await cli.run(args, { input });
    expect(result).toEqual({
      code: 3,
      stdout: [
        'args [a b] [--c]',
        'NAME value, NONE (none)',
        'slept well',
        'year now',
        'sum 399808',
        'stdin 10000 lines, 70000 bytes',
        '1.414214 0x1.999999999999ap-4',
        '',
      ].join('\n'),
      stderr: 'to stderr, tty 0\n',
    });
  });

  it('get no more memory than their limit', async () => {
    const result = await cli.run(['run', '--rm', '-m', '64m', '--entrypoint', '/machine.wasm', 'c:1']);
    expect(result.code).toBe(3);
    expect(result.stdout).not.toContain('sum');
  });
});
