/** What every RunExecutor must do; its test is a call of this. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunMount } from '../../src/build/run/executor.ts';
import { hasCompiler } from './c-guest.ts';
import { type RunWorld, runStep, secret, treeOf } from './run-executor.ts';

const DIRECTORY = { kind: 'directory', size: 0 } as const;

export interface RunSuiteTraits {
  /** Programs end when their RUN is cancelled. */
  readonly cancels: boolean;
  readonly hasNetwork: boolean;
  /** Caches are directories of the host, and can be shared. */
  readonly sharesCaches: boolean;
}

export function runExecutorSuite(name: string, open: () => Promise<RunWorld>, traits: RunSuiteTraits): void {
  describe.skipIf(!hasCompiler())(name, () => {
    let world: RunWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world?.close());

    it('streams what the program writes, and says how it ended', async () => {
      const ran = await world.step(['echo', 'to out', ',', 'err', 'to err', ',', 'exit', '3']);
      expect(ran).toMatchObject({ exitCode: 3, stdout: 'to out\n', stderr: 'to err\n', oomKilled: false });
      expect(ran.members).toEqual([]);
      expect(world.leftovers()).toEqual([]);
    });

    it('gives what the program changed as a layer, and nothing the engine put there', async () => {
      const ran = await world.step([
        ...[
          'mkdir',
          '/app',
          ',',
          'write',
          '/app/a',
          'one',
          ',',
          'symlink',
          'a',
          '/app/b',
          ',',
          'ln',
          '/app/a',
          '/app/c',
        ],
        ...[',', 'rm', '/etc/motd', ',', 'append', '/etc/hosts', 'x', ',', 'write', '/etc/resolv.conf', ''],
      ]);
      expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
      expect(ran.members).toEqual([
        '5 755 0:0 app/',
        '0 644 0:0 app/a one',
        '2 777 0:0 app/b -> a',
        '1 644 0:0 app/c -> app/a',
        '5 755 0:0 etc/',
        '0 0 0:0 etc/.wh.motd',
      ]);
    });

    it('has no layer of files that are not the image’s', async () => {
      const below = await world.layer(
        { name: 'etc/hosts', data: 'of the image\n' },
        { name: 'etc/hostname', data: 'of the image\n' },
      );
      const ran = await world.step(
        ['rm', '/etc/hosts', ',', 'write', '/etc/new', '', ',', 'mv', '/etc/new', '/etc/hostname'],
        {
          diffIds: [world.base, below],
        },
      );
      expect(ran.stderr).toBe('');
      expect(ran.members).toEqual(['5 755 0:0 etc/']);
    });

    it('sees the layers below and no others', async () => {
      const above = await world.layer({ name: 'etc/motd', data: 'from above\n' }, { name: 'etc/.wh.group' });
      const ran = await world.step(['cat', '/etc/motd', ',', 'ls', '/etc'], { diffIds: [world.base, above] });
      const [motd, ...names] = ran.stdout.trim().split('\n');
      expect(motd).toBe('from above');
      expect(names.sort()).toEqual(['hostname', 'hosts', 'motd', 'passwd', 'resolv.conf']);
    });

    it('runs where and as whom it is told to', async () => {
      const env = await world.step(['env'], { cwd: '/made/for it', env: ['A=1', 'A=2'] });
      expect(env.stdout.split('\n')).toEqual([
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'HOSTNAME=buildkitsandbox',
        'A=2',
        'HOME=/root',
        'PWD=/made/for it',
        '',
      ]);
      expect(env.members).toEqual([]);
      const user = await world.step(['write', '/tmp/mine', '', ',', 'env'], { user: 'app', env: ['HOME=/elsewhere'] });
      expect(user.members).toEqual(['5 1777 0:0 tmp/', '0 644 1000:1000 tmp/mine']);
      expect(user.stdout).toContain('HOME=/elsewhere\n');
      await expect(world.step([], { user: 'nobody-here' })).rejects.toMatchObject({ code: 'not-found' });
    });

    it('keeps what is written in a directory that was made for it', async () => {
      const ran = await world.step(['write', '/work/deep/out', 'x'], { cwd: '/work/deep' });
      expect(ran.members).toEqual(['5 755 0:0 work/', '5 755 0:0 work/deep/', '0 644 0:0 work/deep/out x']);
    });

    it('has a fixed clock and fixed randomness when asked', async () => {
      const fixed = () => world.step(['time', ',', 'dice', ',', 'write', '/a', ''], { fixedTime: 1_000_000_000 });
      const [first, second] = [await fixed(), await fixed()];
      expect(first.stdout).toMatch(/^1000000000\n[0-9a-f]{16}\n$/);
      expect(second).toEqual(first);
      expect((await world.step(['time'], { fixedTime: 0 })).stdout).toBe('0\n');
      const free = await world.step(['time', ',', 'dice']);
      expect(Math.abs(Number(free.stdout.split('\n')[0]) - Date.now() / 1000)).toBeLessThan(60);
      expect(free.stdout.split('\n')[1]).not.toBe(first.stdout.split('\n')[1]);
    });

    it.runIf(traits.cancels)('ends a program that is cancelled, and what it was in', async () => {
      const controller = new AbortController();
      const running = world.step(['spin'], {
        signal: controller.signal,
        onOutput: () => controller.abort(),
      });
      await expect(running).rejects.toMatchObject({ code: 'cancelled' });
      expect(world.leftovers()).toEqual([]);
      await expect(world.step(['echo', 'x'], { signal: controller.signal })).rejects.toMatchObject({
        code: 'cancelled',
      });
    });

    it('holds a program to its memory', async () => {
      const ran = await world.step(['hold', '200000000'], { memoryBytes: 64 << 20 });
      expect(ran.exitCode).not.toBe(0);
      const filled = await world.step(['fill', '/big'], { memoryBytes: 64 << 20 });
      expect(filled).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('fill: ') });
      expect(Number(filled.stdout)).toBeLessThanOrEqual(64 << 20);
    });

    it.runIf(traits.hasNetwork)('has a place on the default network, or none', async () => {
      const none = await world.step(['cat', '/etc/hosts']);
      expect(none.stdout).toContain('127.0.0.1\tbuildkitsandbox');
      const some = await world.step(['cat', '/etc/hosts', ',', 'cat', '/etc/resolv.conf'], {
        network: 'default',
        extraHosts: ['other:10.1.2.3'],
      });
      expect(some.stdout).toMatch(/^10\.1\.2\.3\tother$/m);
      expect(some.stdout).toMatch(/^172\.17\.0\.\d+\tbuildkitsandbox$/m);
      expect(some.stdout).toContain('nameserver 127.0.0.11');
      expect(world.leftovers()).toEqual([]);
    });

    it('runs several at once, each on its own', async () => {
      const all = await Promise.all(
        ['a', 'b', 'c'].map((name) => world.step(['write', '/who', name], { network: 'default' })),
      );
      expect(all.map(({ members }) => members[0])).toEqual(['0 644 0:0 who a', '0 644 0:0 who b', '0 644 0:0 who c']);
      expect(world.leftovers()).toEqual([]);
    });

    it('is in no list, and no event tells of it', async () => {
      await world.step(['echo', 'x'], { network: 'default' });
      expect(await world.parts.containers.list()).toEqual([]);
      expect(readdirSync(world.root)).not.toContain('events');
    });

    describe('mounts', () => {
      const tree = treeOf({
        'src/a.c': 'int a;',
        'src/deep/b.c': { kind: 'symlink', target: '../a.c', size: 0 },
        'src/private': { ...DIRECTORY, mode: 0o700, uid: 1000, gid: 1000 },
        'tool.sh': 'echo',
      });
      const bind = { type: 'bind', target: '/src', tree, source: 'src', readonly: true } as const;

      it('shows a part of a tree, that cannot be written', async () => {
        const ran = await world.step(['ls', '/src', ',', 'cat', '/src/deep/b.c', ',', 'write', '/src/a.c', 'x'], {
          mounts: [bind],
        });
        expect(ran).toMatchObject({ exitCode: 1, stdout: 'a.c\ndeep\nprivate\nint a;', members: [] });
        expect(ran.stderr).toContain('Read-only');
      });

      it('drops what is written in one', async () => {
        const ran = await world.step(
          ['write', '/src/a.c', 'x', ',', 'write', '/src/new', 'y', ',', 'cat', '/src/a.c'],
          {
            mounts: [{ ...bind, readonly: false }],
          },
        );
        expect(ran).toMatchObject({ exitCode: 0, stdout: 'x', stderr: '', members: [] });
      });

      it('shows a single file, also where there was none', async () => {
        const file = { ...bind, source: 'tool.sh', target: '/dev/pipes/EOF' };
        const over = { ...bind, source: 'tool.sh', target: '/etc/motd' };
        const ran = await world.step(['cat', '/dev/pipes/EOF', ',', 'cat', '/etc/motd'], { mounts: [file, over] });
        expect(ran).toMatchObject({ stdout: 'echoecho', stderr: '', members: [] });
      });

      it('leaves the directory of a mount point in the layer only where something was written beside it', async () => {
        const mounts = [{ ...bind, target: '/opt/one/two' }];
        expect((await world.step(['ls', '/opt/one/two'], { mounts })).members).toEqual([]);
        const beside = await world.step(['write', '/opt/one/file', ''], { mounts });
        expect(beside.members).toEqual(['5 755 0:0 opt/', '5 755 0:0 opt/one/', '0 644 0:0 opt/one/file']);
      });

      it('has a place in memory', async () => {
        const mounts = [{ type: 'tmpfs', target: '/etc', sizeBytes: 1 << 20 } as const];
        const ran = await world.step(['ls', '/etc', ',', 'write', '/etc/x', '', ',', 'fill', '/etc/y'], { mounts });
        expect(ran).toMatchObject({ exitCode: 1, members: [] });
        expect(Number(ran.stdout.trim())).toBeLessThanOrEqual(1 << 20);
        expect(Number(ran.stdout.trim())).toBeGreaterThan(900_000);
      });

      it('hands over a secret that is nowhere else', async () => {
        const word = `hush-${Date.now()}`;
        const read = await world.step(['cat', '/run/secrets/token', ',', 'write', '/app', 'x'], {
          mounts: [secret('/run/secrets/token', word)],
        });
        expect(read).toMatchObject({ stdout: word, stderr: '', members: ['0 644 0:0 app x'] });
        expect(grep(world.root, word)).toEqual([]);
        const fixed = await world.step(['rm', '/run/secrets/token', ',', 'exit', '0'], {
          mounts: [secret('/run/secrets/token', word)],
        });
        expect(fixed.stderr).toBe('rm: Resource busy\n');
        const written = await world.step(['append', '/run/secrets/token', 'x'], {
          mounts: [secret('/run/secrets/token', word)],
        });
        expect(written.stderr).toBe('append: Read-only file system\n');
      });

      it('mounts outer ones first', async () => {
        const ran = await world.step(['cat', '/src/key', ',', 'cat', '/src/a.c'], {
          mounts: [secret('/src/key', 'inner '), { ...bind, readonly: false }],
        });
        expect(ran).toMatchObject({ stdout: 'inner int a;', stderr: '' });
      });

      it('refuses what cannot be mounted', async () => {
        await expect(world.step([], { mounts: [{ ...bind, target: '/' }] })).rejects.toMatchObject({
          code: 'invalid-argument',
        });
        await expect(world.step([], { mounts: [{ ...bind, source: 'gone' }] })).rejects.toMatchObject({
          code: 'not-found',
        });
        await expect(world.step([], { mounts: [{ ...bind, target: '/etc/motd' }] })).rejects.toMatchObject({
          code: 'invalid-argument',
        });
        expect(world.leftovers()).toEqual([]);
      });

      describe('caches', () => {
        const cache = {
          type: 'cache',
          target: '/cache',
          id: 'npm',
          sharing: 'shared',
          readonly: false,
          mode: 0o755,
          uid: 0,
          gid: 0,
        } as const;

        it('keeps what is written from run to run, and out of the layer', async () => {
          await world.step(['write', '/cache/a', 'kept'], { mounts: [cache] });
          const again = await world.step(['cat', '/cache/a'], { mounts: [cache] });
          expect(again).toMatchObject({ stdout: 'kept', members: [] });
          const other = await world.step(['cat', '/cache/a'], { mounts: [{ ...cache, id: 'other' }] });
          expect(other.exitCode).toBe(1);
          const readonly = await world.step(['write', '/cache/a', ''], { mounts: [{ ...cache, readonly: true }] });
          expect(readonly.stderr).toBe('write: Read-only file system\n');
        });

        it('begins with what it is given', async () => {
          const mounts = [{ ...cache, id: 'begun', initial: { tree, source: 'src' } }];
          expect((await world.step(['cat', '/cache/a.c', ',', 'rm', '/cache/a.c'], { mounts })).stdout).toBe('int a;');
          expect((await world.step(['ls', '/cache'], { mounts })).stdout).not.toContain('a.c');
        });

        const taken = (sharing: 'shared' | 'private' | 'locked', signal?: AbortSignal) =>
          world.executor.run({
            ...{ diffIds: [world.base], args: ['/bin/step', 'append', '/cache/a', 'x'], env: [], cwd: '/', user: '' },
            ...{ mounts: [{ ...cache, id: sharing, sharing }], network: 'none', extraHosts: [], onOutput: () => {} },
            ...(signal === undefined ? {} : { signal }),
          });
        const held = async (sharing: 'shared' | 'private' | 'locked') =>
          (await world.step(['cat', '/cache/a'], { mounts: [{ ...cache, id: sharing, sharing }] })).stdout;

        it.runIf(traits.sharesCaches)('is the same for all who share it', async () => {
          const both = [await taken('shared'), await taken('shared')];
          for (const one of both) await one.release();
          expect(await held('shared')).toBe('xx');
        });

        it.runIf(traits.sharesCaches)('is another one while a private one is used', async () => {
          const both = [await taken('private'), await taken('private')];
          for (const one of both) await one.release();
          expect(await held('private')).toBe('x');
        });

        it('waits for nobody where two take two in another order, or one takes one twice', async () => {
          const locked = (id: string, target: string) => ({ ...cache, id, target, sharing: 'locked' }) as const;
          const both = (mounts: RunMount[]) => world.step(['append', '/1/log', 'x'], { mounts });
          const rounds = Array.from({ length: 2 }, () => [
            both([locked('one', '/1'), locked('two', '/2')]),
            both([locked('two', '/1'), locked('one', '/2')]),
          ]);
          for (const { exitCode } of await Promise.all(rounds.flat())) expect(exitCode).toBe(0);
          const twice = await both([locked('one', '/1'), locked('one', '/2')]);
          expect(twice).toMatchObject({ exitCode: 0, stderr: '' });
        });

        it('is waited for where it is locked, unless that is cancelled', async () => {
          const first = await taken('locked');
          await expect(taken('locked', AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'cancelled' });
          const second = taken('locked');
          await first.release();
          await (await second).release();
          expect(await held('locked')).toBe('xx');
        });
      });
    });

    describe('a program that cannot be started', () => {
      const args = ['/bin/sh', '-c', 'true'];

      it('names the ways out where the image has no shell', async () => {
        for (const diffIds of [[world.base], []]) {
          await expect(runStep(world.executor, { diffIds, args })).rejects.toMatchObject({
            code: 'entrypoint-not-found',
            message: expect.stringContaining('no shell'),
            hint: expect.stringMatching(/RUN \[.*SHELL \[.*--mount=from=wctr\/base/s),
          });
        }
      });

      it('says what a shell is that is no WebAssembly', async () => {
        const elf = await world.layer({ name: 'bin/sh', mode: 0o755, data: '\x7fELF and more of it' });
        await expect(runStep(world.executor, { diffIds: [world.base, elf], args })).rejects.toMatchObject({
          code: 'exec-format',
          message: expect.stringMatching(/Linux program \(ELF\)/),
          hint: expect.stringMatching(/RUN \[.*SHELL \[.*--mount=from=wctr\/base/s),
        });
        await expect(runStep(world.executor, { diffIds: [world.base, elf], args: ['/bin/sh2'] })).rejects.toMatchObject(
          {
            code: 'entrypoint-not-found',
          },
        );
        expect(world.leftovers()).toEqual([]);
      });
    });
  });
}

/** Files below a directory that hold the text. */
function grep(directory: string, text: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((path) => readFileSync(path).includes(text));
}
