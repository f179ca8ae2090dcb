import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli } from '../support/cli.ts';
import { guestPath } from '../support/guests.ts';

let cli: Cli;
let layout: string;

beforeAll(async () => {
  cli = openCli();
  layout = await busyboxLayout(cli.dir);
  expect(await cli.run(['load', '-q', '-i', layout])).toMatchObject({ code: 0, stderr: '' });
});
afterAll(() => cli.remove());

const busybox = (...args: string[]) => cli.run(['run', '--rm', ...args]);

describe('wctr run', () => {
  it('runs the image that ships with the package', async () => {
    const { code, stdout, stderr } = await cli.run(['run', '--rm', 'hello']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Hello from wctr!');
  });

  it('gives the program its arguments, flags of its own among them', async () => {
    const { stdout } = await busybox('busybox:test', 'args', '-it', '--', '--name');
    expect(stdout.split('\n')).toEqual(['/busybox.wasm', 'args', '-it', '--', '--name', '']);
  });

  it('sets the environment as docker does', async () => {
    writeFileSync(join(cli.dir, 'vars'), '# comment\nFROM_FILE=1\nFROM_CALLER\n\n');
    const { stdout } = await cli.run(
      ['run', '--rm', '--env-file', 'vars', '-e', 'A=b=c', '-e', 'MISSING', '-h', 'box', 'busybox:test', 'env'],
      { env: { FROM_CALLER: 'yes' } },
    );
    expect(stdout.trim().split('\n').sort()).toEqual([
      'A=b=c',
      'FROM_CALLER=yes',
      'FROM_FILE=1',
      'HOSTNAME=box',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
  });

  it('hands standard input over with -i and keeps it without', async () => {
    const run = (flags: string[]) =>
      cli.run(['run', '--rm', ...flags, 'busybox:test', 'cat'], { input: 'some\ninput' });
    expect((await run(['-i'])).stdout).toBe('some\ninput');
    expect((await run([])).stdout).toBe('');
  });

  it.each([
    [['exit', '3'], 3],
    [['exit', '0'], 0],
    [['trap'], 134],
    [['divide', '0'], 136],
    [['bounds'], 139],
    [['recurse'], 139],
  ])('%j ends with %d', async (command, code) => {
    expect((await busybox('busybox:test', ...command)).code).toBe(code);
  });

  it('mounts host directories, read-write and read-only', async () => {
    const dir = join(cli.dir, 'shared');
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'in'), 'from the host');
    expect((await busybox('-v', './shared:/data', 'busybox:test', 'read', '/data/in')).stdout).toBe('from the host');
    await busybox('-v', `${dir}:/data`, 'busybox:test', 'write', '/data/out', 'from the guest');
    expect(readFileSync(join(dir, 'out'), 'utf8')).toBe('from the guest');
    const refused = await busybox(
      '--mount',
      `type=bind,src=${dir},dst=/data,ro`,
      'busybox:test',
      'write',
      '/data/no',
      'x',
    );
    expect(refused.code).toBe(1);
    expect(() => readFileSync(join(dir, 'no'))).toThrow();
  });

  it('refuses writes to a read-only root, except where a tmpfs is', async () => {
    const flags = ['--read-only', '--tmpfs', '/tmp'];
    expect(
      (await busybox(...flags, 'busybox:test', 'write', '/file', 'x')).stdout +
        (await busybox(...flags, 'busybox:test', 'write', '/file', 'x')).stderr,
    ).toContain('errno 69');
    expect((await busybox(...flags, 'busybox:test', 'write', '/tmp/file', 'x')).code).toBe(0);
  });

  it('ends what takes too long with 124', async () => {
    const { code, stderr } = await busybox('--timeout', '500ms', 'busybox:test', 'loop');
    expect(code).toBe(124);
    expect(stderr).toBe('wctr: busybox:test ended: timed out after 500 ms\n');
  });

  it('ends what grows beyond its memory with 137', async () => {
    const { code, stderr } = await busybox('-m', '32m', 'busybox:test', 'grow', 'abort');
    expect(code).toBe(137);
    expect(stderr).toMatch(/^wctr: busybox:test OOMKilled: out of memory: /);
  });

  it('runs modules and layouts from the disk', async () => {
    const module = guestPath('busybox');
    const { stdout } = await cli.run(['run', '--rm', module, '--', 'args', 'a']);
    expect(stdout.split('\n').slice(1)).toEqual(['args', 'a', '']);
    expect((await cli.run(['run', '--rm', './busybox', 'hello'])).stdout).toBe('Hello from the guest\n');
  });

  it('keeps a record without --rm, and tells how the container ended', async () => {
    const { code } = await cli.run([
      'run',
      '--name',
      'kept',
      '-l',
      'tier=test',
      '--cidfile',
      'cid',
      'busybox:test',
      'exit',
      '7',
    ]);
    expect(code).toBe(7);
    const id = readFileSync(join(cli.dir, 'cid'), 'utf8');
    const { stdout } = await cli.run([
      'inspect',
      '-f',
      '{{.Id}} {{.State.Status}} {{.State.ExitCode}} {{.Config.Labels.tier}}',
      'kept',
    ]);
    expect(stdout).toBe(`${id} exited 7 test\n`);
    const again = await cli.run(['run', '--name', 'kept', 'busybox:test', 'hello']);
    expect(again).toMatchObject({ code: 125, stdout: '' });
    expect(again.stderr).toBe(
      `wctr: the container name "kept" is already in use by container ${id.slice(0, 12)}\nhint: choose another --name, or remove that container\n`,
    );
  });

  it('runs the same program in every sandbox', async () => {
    for (const sandbox of ['process', 'worker', 'inline', 'wasmer']) {
      const { code, stdout } = await busybox('--sandbox', sandbox, 'busybox:test', 'hello');
      expect({ sandbox, code, stdout }).toEqual({ sandbox, code: 0, stdout: 'Hello from the guest\n' });
    }
  });
});

describe('imports nobody granted', () => {
  /** Imports one function, and calls it where asked. */
  const wasm = (call: boolean, module = 'host', name = 'secret') => {
    const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
    const section = (id: number, ...body: number[]) => [id, body.length, ...body];
    return Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(1, 1, 0x60, 0, 0),
      ...section(2, 1, ...text(module), ...text(name), 0, 0),
      ...section(3, 1, 0),
      ...section(5, 1, 0, 1),
      ...section(7, 2, ...text('_start'), 0, 1, ...text('memory'), 2, 0),
      ...section(10, 1, ...(call ? [4, 0, 0x10, 0, 0x0b] : [2, 0, 0x0b])),
    ]);
  };

  it('have the module refused', async () => {
    writeFileSync(join(cli.dir, 'calls.wasm'), wasm(true));
    const { code, stderr } = await cli.run(['run', '--rm', './calls.wasm']);
    expect(code).toBe(126);
    expect(stderr).toMatch(/^wctr: the module imports what is not granted: host\.secret\n/);
  });

  it('count also when they carry the name of WASI', async () => {
    writeFileSync(join(cli.dir, 'newer.wasm'), wasm(false, 'wasi_snapshot_preview1', 'fd_teleport'));
    const { code, stderr } = await cli.run(['run', '--rm', './newer.wasm']);
    expect(code).toBe(126);
    expect(stderr).toMatch(/^wctr: the module imports what is not granted: wasi_snapshot_preview1\.fd_teleport\n/);
    expect(await cli.run(['run', '--rm', '--unknown-imports', 'trap', './newer.wasm'])).toMatchObject({ code: 0 });
  });

  it('end the guest that calls one with --unknown-imports trap', async () => {
    writeFileSync(join(cli.dir, 'idle.wasm'), wasm(false));
    expect(await cli.run(['run', '--rm', '--unknown-imports', 'trap', './idle.wasm'])).toMatchObject({ code: 0 });
    const { code, stderr } = await cli.run(['run', '--rm', '--unknown-imports', 'trap', './calls.wasm']);
    expect(code).toBe(134);
    expect(stderr).toContain('called "host.secret", which is not there');
  });
});

describe('an image built for Linux', () => {
  const importAs = async (name: string, file: string, content: Uint8Array | string) => {
    mkdirSync(join(cli.dir, name));
    writeFileSync(join(cli.dir, name, file), content, { mode: 0o755 });
    execFileSync('tar', ['-cf', `${name}.tar`, '-C', name, file], { cwd: cli.dir });
    const change = `ENTRYPOINT ["/${file}"]`;
    const args = ['import', '--platform', 'linux/amd64', '-c', change, `${name}.tar`, `${name}:1`];
    expect(await cli.run(args)).toMatchObject({ code: 0, stderr: '' });
  };

  it('runs when its entrypoint is a module after all', async () => {
    await importAs('disguised', 'app', readFileSync(guestPath('busybox')));
    expect(await busybox('disguised:1', 'hello')).toMatchObject({ code: 0, stdout: 'Hello from the guest\n' });
  });

  it('is refused by what it is otherwise', async () => {
    await importAs('native', 'app', '\x7fELF\x02\x01\x01');
    const { code, stderr } = await busybox('native:1');
    expect(code).toBe(125);
    expect(stderr).toMatch(/^wctr: image native:1 is for linux\/amd64; none of them is wasip1\/wasm, /);
  });
});

describe('wctr run refuses', () => {
  it.each([
    [
      ['--entrypoint', 'nope', 'busybox:test'],
      127,
      'wctr: exec: "nope": executable file not found in $PATH\nhint: check the command, and that the image holds it: `wctr image inspect` shows its entrypoint and PATH\n',
    ],
    [['--entrypoint', '/', 'busybox:test'], 126, 'wctr: exec: "/": is a directory\n'],
    [['--pull', 'never', 'busybox:tset'], 125, 'wctr: no such image: busybox:tset\nhint: did you mean busybox:test?\n'],
    [['-m', '1m', 'busybox:test'], 125, 'wctr: minimum memory limit allowed is 6MB, not 1m\n'],
    [
      ['-p', '80:x', 'busybox:test'],
      125,
      'wctr: invalid port "80:x" for -p: "x" is no port\nhint: write [IP:][HOST_PORT:]PORT[/udp]\n',
    ],
    [
      ['--restart', 'always', 'busybox:test'],
      125,
      'wctr: conflicting options: cannot specify both --restart and --rm\n',
    ],
    [
      ['--device', '/dev/x', 'busybox:test'],
      125,
      'wctr: --device is not supported: there are no devices in a container\n',
    ],
    [
      ['--sandbox', 'vm', 'busybox:test'],
      125,
      'wctr: no such sandbox: vm\nhint: choose one of process, worker, inline, wasmer\n',
    ],
    [
      ['--mount', 'type=bind,src=/no/such,dst=/x', 'busybox:test'],
      125,
      'wctr: invalid mount: bind source path does not exist: /no/such\nhint: create it on the host first\n',
    ],
    [['./missing.wasm'], 125, 'wctr: no such file or directory: ./missing.wasm\n'],
    [['UPPER'], 125, undefined],
    [
      [],
      1,
      'wctr: "wctr run" requires at least 1 argument\nhint: usage: wctr run IMAGE|FILE.wasm|LAYOUT_DIR [COMMAND] [ARG...]\n',
    ],
    [['--nmae', 'x', 'busybox:test'], 125, 'wctr: unknown flag: --nmae\nhint: did you mean --name?\n'],
  ])('%j', async (args, code, message) => {
    const result = await cli.run(['run', '--rm', ...args]);
    expect(result).toMatchObject({ code, stdout: '' });
    if (message !== undefined) expect(result.stderr).toBe(message);
    expect(result.stderr.split('\n').length).toBeLessThanOrEqual(3);
  });

  it('a file that is no module', async () => {
    writeFileSync(join(cli.dir, 'text.wasm'), 'just text');
    const { code, stderr } = await cli.run(['run', '--rm', './text.wasm']);
    expect(code).toBe(126);
    expect(stderr).toBe('wctr: exec text.wasm: exec format error: not a WebAssembly module\n');
  });
});
