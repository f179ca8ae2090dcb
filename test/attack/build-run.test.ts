/** What the program of a RUN, its base image and the trees it mounts can do: end, at most, in an error of their own. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isWctrError } from '../../src/errors.ts';
import { hasCompiler } from '../support/c-guest.ts';
import { openRunWorld, type RunWorld, secret, treeOf } from '../support/run-executor.ts';

const CACHE = {
  type: 'cache',
  target: '/cache',
  sharing: 'shared',
  readonly: false,
  mode: 0o755,
  uid: 0,
  gid: 0,
} as const;

describe.skipIf(!hasCompiler())('a hostile RUN', () => {
  let world: RunWorld;
  beforeAll(async () => {
    world = await openRunWorld();
  });
  afterAll(() => world?.close());

  it('cannot fill more than its limit, and is killed by nothing but it', async () => {
    const memoryBytes = 48 << 20;
    const disk = await world.step(['fill', '/big'], { memoryBytes });
    expect(disk).toMatchObject({ exitCode: 1 });
    expect(Number(disk.stdout)).toBeLessThanOrEqual(memoryBytes);
    const memory = await world.step(['hold', String(1 << 30)], { memoryBytes });
    expect(memory.exitCode).not.toBe(0);
    expect(world.leftovers()).toEqual([]);
  });

  it('leaves many files in a layer, and takes no longer for it than they are many', async () => {
    const ran = await world.step(['many', '/tmp', '5000']);
    expect(ran).toMatchObject({ exitCode: 0, stderr: '' });
    expect(ran.members).toHaveLength(5_001);
  });

  it('cannot go on when it is cancelled, whatever it computes', async () => {
    const begun = Date.now();
    const ran = world.step(['spin'], { signal: AbortSignal.timeout(1_000) });
    await expect(ran).rejects.toMatchObject({ code: 'cancelled' });
    expect(Date.now() - begun).toBeLessThan(8_000);
    expect(world.leftovers()).toEqual([]);
  });

  it('leaves no program behind that it started', async () => {
    const ran = await world.step(['start', 'spin', ',', 'start', 'spin', ',', 'echo', 'done']);
    expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('done\n') });
    expect(world.leftovers()).toEqual([]);
  });

  it('ends with all its programs when it starts ever more of them', async () => {
    const bomb = world.step(['bomb'], { memoryBytes: 16 << 20, signal: AbortSignal.timeout(3_000) });
    // Its memory's limit may be quicker than we are.
    const end = await bomb.then(({ exitCode }) => exitCode).catch((error: { code: unknown }) => error.code);
    expect(['cancelled', 137]).toContain(end);
    expect(world.leftovers()).toEqual([]);
    expect((await world.step(['echo', 'next'])).stdout).toBe('next\n');
  }, 30_000);

  it('floods nobody’s memory with its output', async () => {
    const bytes = 256 << 20;
    let seen = 0;
    let most = 0;
    const before = process.memoryUsage().rss;
    const ran = await world.step(['flood', String(bytes)], {
      onOutput: (_, data) => {
        seen += data.length;
        most = Math.max(most, process.memoryUsage().rss - before);
      },
    });
    expect(ran.exitCode).toBe(0);
    expect(seen).toBe(bytes);
    expect(most).toBeLessThan(160 << 20);
  }, 60_000);

  it('writes no whiteout that its author did not mean', async () => {
    const ran = await world.step([
      ...['write', '/tmp/.wh.x', '', ',', 'write', '/tmp/.wh..wh..opq', '', ',', 'mkdir', '/.wh.etc'],
      ...[',', 'write', '/.wh.etc/x', '', ',', 'write', '/tmp/kept', ''],
    ]);
    expect(ran.members).toEqual(['5 1777 0:0 tmp/', '0 644 0:0 tmp/kept']);
  });

  describe('a base image whose links lead elsewhere', () => {
    const cases: readonly [what: string, link: string, target: string][] = [
      ['a directory of the image', 'etc', 'run/secrets'],
      ['an absolute one', '/etc', 'run/secrets'],
      ['out of the root', '../../../../../../etc', 'run/secrets'],
      ['itself', 'secrets', 'run/secrets'],
      ['nothing', '/nowhere/at/all', 'run/secrets'],
      ['the root', '/', 'run/secrets'],
      ['a file', '/etc/passwd', 'run/secrets/passwd'],
    ];
    it.each(cases)('%s: mounts stay inside, and are in no layer', async (_, link, name) => {
      const before = readFileSync('/etc/passwd', 'utf8');
      const links = await world.layer({ name: 'run/', type: '5', mode: 0o755 }, { name, type: '2', link });
      const step = world.step(['cat', '/run/secrets/passwd', ',', 'ls', '/etc'], {
        diffIds: [world.base, links],
        mounts: [secret('/run/secrets/passwd', 'a secret\n')],
      });
      const ran = await step.catch((error: unknown) => error);
      if (isWctrError(ran)) expect(['invalid-argument', 'not-found']).toContain(ran.code);
      else expect(ran).toMatchObject({ stdout: expect.stringMatching(/^a secret\n/), members: [] });
      expect(readFileSync('/etc/passwd', 'utf8')).toBe(before);
      expect(world.leftovers()).toEqual([]);
    });

    it('mounts nothing on the root by way of a link', async () => {
      const links = await world.layer({ name: 'all', type: '2', link: '/' });
      const mounts = [{ ...CACHE, id: 'root', target: '/all' }];
      await expect(world.step(['ls', '/'], { diffIds: [world.base, links], mounts })).rejects.toMatchObject({
        code: 'invalid-argument',
      });
    });
  });

  it('cannot move, link or replace a secret into a layer', async () => {
    const mounts = [secret('/run/secrets/word', 'hush')];
    for (const [words, text] of [
      [['ln', '/run/secrets/word', '/stolen'], 'ln: Cross-device link\n'],
      [['mv', '/run/secrets/word', '/stolen'], 'mv: Resource busy\n'],
      [['rm', '/run/secrets/word'], 'rm: Resource busy\n'],
      [['mv', '/etc/motd', '/run/secrets/word'], 'mv: Resource busy\n'],
    ] as const) {
      const ran = await world.step(words, { mounts });
      expect([ran.stderr, ran.members]).toEqual([text, []]);
    }
    const moved = await world.step(['mv', '/run/secrets', '/moved'], { mounts });
    expect(moved.members).toEqual(['5 755 0:0 moved/', '5 755 0:0 run/']);
  });

  it('cannot lead a later RUN, or the engine, out of a cache by links', async () => {
    const outside = join(world.root, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'outside');
    const cache = { ...CACHE, id: 'links' };
    const up = '../'.repeat(20);
    await world.step(['symlink', outside, '/cache/abs', ',', 'symlink', up + outside.slice(1), '/cache/rel'], {
      mounts: [cache],
    });
    for (const name of ['abs', 'rel']) {
      const ran = await world.step(['write', `/cache/${name}/file`, 'changed'], { mounts: [cache] });
      expect(ran.exitCode).toBe(1);
    }
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('outside');
    // Nor by a directory of that name in what a cache begins with.
    const begun = { ...cache, id: 'links', initial: { tree: treeOf({ 'a/abs/file': 'changed' }), source: 'a' } };
    const kept = join(world.root, 'build/mounts');
    const links = readdirSync(kept, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('/0/abs'));
    expect(links.map((path) => lstatSync(join(kept, path)).isSymbolicLink())).toEqual([true]);
    await world.step(['ls', '/cache'], { mounts: [begun] }).catch(() => {});
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('outside');
  });

  it('is not harmed by a tree whose files are not as long as it says', async () => {
    const file = (size: number, held: number) => ({
      kind: 'file' as const,
      size,
      async *read() {
        yield new Uint8Array(held).fill(0x61);
      },
    });
    const tree = treeOf({ 'd/long': file(3, 100_000), 'd/short': file(10, 3), 'd/z': 'last' });
    const ran = await world.step(['cat', '/d/long', ',', 'cat', '/d/z', ',', 'cat', '/d/short'], {
      mounts: [{ type: 'bind', target: '/d', tree, source: 'd', readonly: true }],
    });
    expect(ran).toMatchObject({ stdout: `aaalastaaa${'\0'.repeat(7)}`, exitCode: 0 });
  });

  it('ends with a builder’s tree that breaks off', async () => {
    const broken = treeOf({
      'd/x': {
        kind: 'file',
        size: 10,
        async *read() {
          yield new Uint8Array(3);
          throw new Error('the client has gone');
        },
      },
    });
    const mounts = [{ type: 'bind', target: '/d', tree: broken, source: 'd', readonly: true } as const];
    await expect(world.step(['ls', '/d'], { mounts })).rejects.toThrow('the client has gone');
    expect(world.leftovers()).toEqual([]);
  });
});
