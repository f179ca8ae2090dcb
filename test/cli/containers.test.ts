/** The life of containers from the command line: what a user types, sees and gets as exit codes, with the real binary. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli, WCTR } from '../support/cli.ts';

let cli: Cli;
beforeAll(async () => {
  cli = openCli();
  expect((await cli.run(['load', '-q', '-i', await busyboxLayout(cli.dir)])).code).toBe(0);
});
afterAll(async () => {
  await cli.removeContainers();
  cli.remove();
}, 30_000);

const out = (...args: string[]) => cli.out(...args);
const FOREVER = ['sleep', '1000000000000'];
const state = async (name: string, field = 'Status') =>
  (await out('inspect', '-f', `{{.State.${field}}}`, name)).trimEnd();

describe('a container from the command line', () => {
  it('runs in the background, is listed, logs, stops and is removed', async () => {
    const id = (
      await out('run', '-d', '--name', 'web', '-e', 'A=b', '-l', 'k=v', 'busybox:test', ...FOREVER)
    ).trimEnd();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(await out('ps', '--format', '{{.ID}} {{.Names}} {{.State}} {{.Label "k"}}', '-f', 'name=web')).toBe(
      `${id.slice(0, 12)} web running v\n`,
    );
    expect(await out('exec', 'web', '/busybox.wasm', 'env')).toContain('A=b\n');
    expect(await cli.run(['exec', 'web', '/busybox.wasm', 'exit', '7'])).toMatchObject({ code: 7 });
    expect(await cli.run(['exec', 'web', 'nope'])).toMatchObject({ code: 127 });
    expect(await cli.run(['exec', '-i', 'web', '/busybox.wasm', 'cat'], { input: 'through\n' })).toMatchObject({
      code: 0,
      stdout: 'through\n',
    });
    expect(await out('top', 'web')).toContain('/busybox.wasm sleep');
    expect(await out('stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'web')).toBe('web 1\n');
    expect(await out('pause', 'web')).toBe('web\n');
    expect(await state('web')).toBe('paused');
    expect(await cli.run(['exec', 'web', '/busybox.wasm', 'hello'])).toMatchObject({ code: 1 });
    expect(await out('unpause', 'web')).toBe('web\n');
    await out('rename', 'web', 'old');
    expect(await cli.run(['stop', 'web'])).toMatchObject({ code: 1, stderr: 'wctr: no such container: web\n' });
    expect(await cli.run(['rm', 'old'])).toMatchObject({ code: 1 });
    expect(await out('stop', '-t', '0', 'old')).toBe('old\n');
    expect(await state('old')).toBe('exited');
    expect(await out('ps', '-q', '-f', 'name=old')).toBe('');
    expect(await out('container', 'rm', 'old')).toBe('old\n');
    expect(await out('ps', '-aq', '-f', 'name=old')).toBe('');
  }, 40_000);

  it('keeps what it wrote: log, exit code, and starts again', async () => {
    expect(await cli.run(['run', '--name', 'once', 'busybox:test', 'hello'])).toEqual({
      code: 0,
      stdout: 'Hello from the guest\n',
      stderr: '',
    });
    expect(await cli.run(['run', '--name', 'bad', 'busybox:test', 'exit', '3'])).toMatchObject({ code: 3 });
    expect(await out('wait', 'once', 'bad')).toBe('0\n3\n');
    expect(await out('start', '-a', 'once')).toBe('Hello from the guest\n');
    expect(await out('logs', 'once')).toBe('Hello from the guest\n'.repeat(2));
    expect(await out('logs', '-t', '--tail', '1', 'once')).toMatch(/^20\S+Z Hello from the guest\n$/);
    expect(await cli.run(['start', '-a', 'bad'])).toMatchObject({ code: 3 });
    expect(await cli.run(['run', '--name', 'once', 'busybox:test'])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('the container name "once" is already in use'),
    });
    expect(await cli.run(['create', '--entrypoint', '/nope', '--name', 'never', 'busybox:test'])).toMatchObject({
      code: 0,
    });
    expect((await cli.run(['start', 'never'])).code).not.toBe(0);
    expect(await cli.run(['run', '--name', 'x127', '--entrypoint', '/nope', 'busybox:test'])).toMatchObject({
      code: 127,
    });
  }, 40_000);

  it('copies files both ways, shows and keeps what changed', async () => {
    await out('run', '-d', '--name', 'files', 'busybox:test', ...FOREVER);
    mkdirSync(join(cli.dir, 'tree/sub'), { recursive: true });
    writeFileSync(join(cli.dir, 'tree/sub/f'), 'content');
    await out('cp', 'tree', 'files:/data');
    expect(await out('exec', 'files', '/busybox.wasm', 'read', '/data/sub/f')).toBe('content');
    await out('cp', 'files:/data/.', 'back');
    expect(readFileSync(join(cli.dir, 'back/sub/f'), 'utf8')).toBe('content');
    expect(await out('diff', 'files')).toBe('A /data\nA /data/sub\nA /data/sub/f\n');
    expect(await out('commit', 'files', 'kept:1')).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    expect(await out('run', '--rm', 'kept:1', 'read', '/data/sub/f')).toBe('content');
    await out('export', '-o', 'root.tar', 'files');
    expect(readFileSync(join(cli.dir, 'root.tar')).includes('data/sub/f')).toBe(true);
    await out('rm', '-f', 'files');
  }, 40_000);

  it('passes signals on, and survives the death of the command that started it', async () => {
    const env = { PATH: process.env.PATH, HOME: cli.dir, WCTR_DATA_ROOT: join(cli.dir, 'store') };
    const start = async (name: string) => {
      const child = spawn(process.execPath, [WCTR, 'run', '--name', name, 'busybox:test', 'loop'], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await new Promise((resolve) => child.stdout.once('data', resolve));
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      return { child, ended };
    };
    const first = await start('told');
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(143);
    expect(await state('told', 'ExitCode')).toBe('143');
    const second = await start('left');
    second.child.kill('SIGKILL');
    await second.ended;
    expect(await state('left')).toBe('running');
    expect(await out('kill', 'left')).toBe('left\n');
    expect(await out('wait', 'left')).toBe('137\n');
  }, 40_000);

  it('tells what happened', async () => {
    await out('run', '--rm', '--name', 'seen', 'busybox:test', 'hello');
    const events = await out(
      // Times are whole seconds: until the one that follows.
      ...[
        'events',
        '--since',
        '1m',
        '--until',
        String(Math.ceil(Date.now() / 1000) + 1),
        '-f',
        'container=seen',
        '--format',
        '{{.Action}}',
      ],
    );
    expect(events.split('\n').filter((action) => /^(create|start|die|destroy)$/.test(action))).toEqual([
      'create',
      'start',
      'die',
      'destroy',
    ]);
  }, 20_000);

  it('removes what is stopped', async () => {
    const { stdout } = await cli.run(['ps', '-aq', '--no-trunc', '-f', 'status=exited', '-f', 'status=created']);
    const pruned = await out('container', 'prune', '-f');
    expect(pruned).toMatch(/^Deleted Containers:\n[\s\S]*\nTotal reclaimed space: \S+B\n$/);
    for (const id of stdout.trim().split('\n')) expect(pruned).toContain(id);
    expect(await out('ps', '-aq')).toBe('');
  }, 20_000);
});
