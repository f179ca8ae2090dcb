/** One store reached in several ways: by other paths, from other environments, through two daemons at once. */
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { busyboxLayout, type Cli, openCli } from '../support/cli.ts';
import { type KillWorld, kill, openKillWorld } from '../support/kill-world.ts';
import { removeTree } from '../support/remove-tree.ts';

const FOREVER = ['sleep', '1000000000000'];
const HELLO = ['/busybox.wasm', 'hello'];
const GREETING = { code: 0, stdout: 'Hello from the guest\n', stderr: '' };

describe('a store', () => {
  let cli: Cli;
  let root: string;
  beforeEach(async () => {
    cli = openCli();
    // Far beyond the 104 bytes that the path of a Unix socket may have.
    root = join(cli.dir, 'd'.repeat(100), 'e'.repeat(100), 'store');
    mkdirSync(dirname(root), { recursive: true });
    const layout = await busyboxLayout(cli.dir);
    expect((await at(root, ['load', '-q', '-i', layout])).code).toBe(0);
  });
  afterEach(async () => {
    await at(root, ['rm', '-f', 'box']);
    cli.remove();
  });
  const at = (path: string, args: readonly string[], env: Record<string, string> = {}, cwd = cli.dir) =>
    cli.run(args, { env: { WCTR_DATA_ROOT: path, ...env }, cwd });

  it('is one by a deep path, a link, a relative path, and with a slash at its end', async () => {
    expect((await at(root, ['run', '-d', '--name', 'box', 'busybox:test', ...FOREVER])).code).toBe(0);
    expect(await at(root, ['exec', 'box', ...HELLO])).toEqual(GREETING);
    const link = join(cli.dir, 'link');
    symlinkSync(dirname(root), link);
    expect(await at(join(link, 'store'), ['exec', 'box', ...HELLO])).toEqual(GREETING);
    expect(await at(`${root}/`, ['exec', 'box', ...HELLO])).toEqual(GREETING);
    expect(await at('store', ['exec', 'box', ...HELLO], {}, dirname(root))).toEqual(GREETING);
    expect(await at('store', ['restart', '-t', '0', 'box'], {}, dirname(root))).toMatchObject({ code: 0 });
    expect(await at(root, ['exec', 'box', ...HELLO])).toEqual(GREETING);
  });

  it('is one for callers with other directories for temp files and sockets', async () => {
    const runtime = mkdtempSync(join(tmpdir(), 'wr-'));
    const temp = mkdtempSync(join(tmpdir(), 'wt-'));
    try {
      const started = await at(root, ['run', '-d', '--name', 'box', 'busybox:test', ...FOREVER], {
        XDG_RUNTIME_DIR: runtime,
      });
      expect(started.code).toBe(0);
      expect(readlinkSync(join(root, 'run')).startsWith(`${runtime}/wctr/`)).toBe(true);
      expect(await at(root, ['exec', 'box', ...HELLO], { TMPDIR: temp })).toEqual(GREETING);
      expect(await at(root, ['stop', '-t', '0', 'box'])).toMatchObject({ code: 0 });
      // As after a restart of the machine.
      rmSync(join(runtime, 'wctr'), { recursive: true });
      expect(await at(root, ['start', 'box'], { TMPDIR: temp })).toMatchObject({ code: 0 });
      expect(await at(root, ['exec', 'box', ...HELLO])).toEqual(GREETING);
      const directory = readlinkSync(join(root, 'run'));
      expect(directory.startsWith(`${temp}/wctr-`)).toBe(true);
      expect([directory, dirname(directory)].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
      expect(await at(root, ['rm', '-f', 'box'])).toMatchObject({ code: 0 });
      expect(readdirSync(directory).filter((name) => name.endsWith('.sock'))).toEqual([]);
    } finally {
      for (const path of [runtime, temp]) removeTree(path);
    }
  });
});

describe('two daemons on one store', () => {
  let world: KillWorld;
  beforeAll(async () => {
    world = await openKillWorld();
  });
  afterAll(() => world?.close());

  it('serve the same containers, and restart one that was killed once', async () => {
    const second = await world.startAnotherDaemon();
    const id = (
      await world.remote(['run', '-d', '--restart', 'always', '--name', 'box', 'busybox:test', ...FOREVER]).ended
    ).stdout;
    const inspect = async () => (await second.get('/containers/box/json')) as { Id: string; RestartCount: number };
    expect(`${(await inspect()).Id}\n`).toBe(id);
    for (let round = 1; round <= 3; round += 1) {
      const { pid } = world.records()[0]!.state;
      kill(pid!);
      await expect
        .poll(() => world.records()[0]!.state, { timeout: 20_000 })
        .toMatchObject({
          status: 'running',
          pid: expect.not.toSatisfy((now: number) => now === pid),
        });
      expect((await inspect()).RestartCount).toBe(round);
    }
    await expect.poll(() => world.processes().filter(({ kind }) => kind === 'shim').length).toBe(1);
    // One each, side by side.
    const names = Array.from({ length: 6 }, (_, i) => `box${i}`);
    const made = await Promise.all(
      names.map((name, i) => {
        const body = { Image: 'busybox:test', Cmd: ['hello'] };
        return (i % 2 === 0 ? world : second).call('POST', `/v1.47/containers/create?name=${name}`, body);
      }),
    );
    expect(made).toHaveLength(names.length);
    const same = await Promise.allSettled(
      [world, second].map((daemon) =>
        daemon.call('POST', '/v1.47/containers/create?name=same', { Image: 'busybox:test', Cmd: ['hello'] }),
      ),
    );
    expect(same.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const list = ((await second.get('/containers/json?all=1')) as { Names: string[] }[]).map(({ Names }) => Names[0]);
    expect(list.sort()).toEqual(['/box', ...names.map((name) => `/${name}`), '/same'].sort());
    await second.end();
    expect((await world.wctr(['rm', '-f', 'box', 'same', ...names]).ended).code).toBe(0);
  }, 120_000);
});
