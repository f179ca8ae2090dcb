// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
import { afterAll, describe, expect, it } from 'vitest';
import type { BuildJob } from '../../../../src/build/build.ts';
import type { RunMount } from '../../../../src/build/run/executor.ts';
import { collect } from '../../../../src/images/archive/files.ts';
import { chainId } from '../../../../src/images/digest.ts';
import { buildHarness, Contexts, type PretendedRun, vertexes, wrote } from '../../../support/build.ts';
import { createNodeHasher } from '../../../support/image-store.ts';
import { removeTree } from '../../../support/remove-tree.ts';

const CONTEXTS = new Contexts();
afterAll(() => removeTree(CONTEXTS.root));
const text = (data: string) => new TextEncoder().encode(data);

async function run(dockerfile: string, more: Partial<BuildJob> = {}, program?: PretendedRun, files = {}) {
  const harness = buildHarness(program);
  await harness.addImage('base', [{ 'bin/sh': 'S' }], { config: { Env: ['PATH=/bin', 'x=1'], WorkingDir: '/w' } });
  const built = await harness.build(`FROM base\n${dockerfile}`, CONTEXTS.make(files), more);
  return { ...harness, ...built, step: harness.runs[0]! };
}

describe('what a RUN calls', () => {
  it.each<[line: string, args: string[]]>([
    ['RUN ["a", "b c"]', ['a', 'b c']],
    ['RUN echo $x "$y"', ['/bin/sh', '-c', 'echo $x "$y"']],
    ['SHELL ["/s", "-e"]\nRUN a', ['/s', '-e', 'a']],
    ['RUN a \\\n  b', ['/bin/sh', '-c', 'a   b']],
    ['RUN <<EOF\na\nb\nEOF', ['/bin/sh', '-c', 'a\nb\n']],
    ['RUN <<-EOF\n\ta\n\tEOF', ['/bin/sh', '-c', 'a\n']],
    ['RUN cat <<EOF > /x\na\nEOF', ['/bin/sh', '-c', 'cat <<EOF > /x\na\nEOF']],
    ['RUN <<EOF\n#!/bin/env x\na\nEOF', ['/bin/sh', '-c', '/dev/pipes/EOF']],
  ])('%j', async (line, args) => {
    expect((await run(line)).step.args).toEqual(args);
  });

  it('has a script with #! as a file', async () => {
    const { step } = await run('RUN <<EOF\n#!/x\na\nEOF');
    expect(step.mounts).toMatchObject([{ type: 'bind', target: '/dev/pipes', source: '', readonly: true }]);
    const { tree } = step.mounts[0] as Extract<RunMount, { type: 'bind' }>;
    const entry = await tree.lstat('EOF');
    expect([entry?.mode, new TextDecoder().decode(await collect(entry!.read!()))]).toEqual([0o755, '#!/x\na\n']);
  });

  it('has ENV, ARG and proxies, in the working directory, as the user', async () => {
    const { step, config } = await run('ARG a=1\nARG b\nENV c=$a\nUSER 5:6\nWORKDIR y\nRUN true', {
      buildArgs: { b: '2', HTTP_PROXY: 'http://p', unused: 'u' },
    });
    expect(step).toMatchObject({
      env: ['PATH=/bin', 'x=1', 'a=1', 'b=2', 'c=1', 'HTTP_PROXY=http://p', 'http_proxy=http://p'],
      cwd: '/w/y',
      user: '5:6',
      network: 'default',
      extraHosts: [],
    });
    expect(config.config?.Env).toEqual(['PATH=/bin', 'x=1', 'c=1']);
    expect(JSON.stringify(config)).not.toContain('http://p');
    expect(config.history?.at(-1)?.created_by).toBe('RUN |2 a=1 b=2 /bin/sh -c true');
  });

  it.each<[line: string, network: BuildJob['network'], expected: string]>([
    ['RUN a', undefined, 'default'],
    ['RUN a', 'none', 'none'],
    ['RUN a', 'host', 'default'],
    ['RUN --network=none a', undefined, 'none'],
    ['RUN --network=host a', 'host', 'default'],
  ])('%s in a build with network %s', async (line, network, expected) => {
    expect((await run(line, network === undefined ? {} : { network })).step.network).toBe(expected);
  });

  it('begins at a fixed time when asked', async () => {
    expect((await run('RUN a')).step.fixedTime).toBeUndefined();
    const buildArgs = { SOURCE_DATE_EPOCH: '1700000000' };
    expect((await run('RUN a', { reproducible: true, buildArgs })).step.fixedTime).toBe(1700000000);
    expect((await run('RUN a', { reproducible: true })).step.fixedTime).toBe(0);
  });
});

it('keeps what a RUN stands on from the collector while it runs', async () => {
  let kept: boolean[] = [];
  const harness = buildHarness(async ({ diffIds }) => {
    const pinned = await harness.parts.leases.pinned();
    kept = [...diffIds, chainId(createNodeHasher, diffIds)!].map((digest) => pinned.has(digest));
    return {};
  });
  await harness.addImage('base', [{ 'bin/sh': 'S' }]);
  await harness.build('FROM base\nCOPY a /\nRUN x', CONTEXTS.make({ a: 'A' }));
  expect(kept).toEqual([true, true, true]);
});

describe('mounts', () => {
  const FILES = { 'd/a': 'A', l: '-> d' };
  it.each<[mount: string, expected: object]>([
    ['target=/m', { type: 'bind', target: '/m', source: '', readonly: true }],
    ['source=d,target=m,rw', { type: 'bind', target: '/w/m', source: 'd', readonly: false }],
    ['source=/l/../l,target=/m', { type: 'bind', source: 'd' }],
    ['source=../../d/a,target=/m', { type: 'bind', source: 'd/a' }],
    ['type=cache,target=/c', { type: 'cache', target: '/c', id: '/c', sharing: 'shared', mode: 0o755, uid: 0, gid: 0 }],
    [
      'type=cache,target=/c,id=i,sharing=locked,mode=0700,uid=5,gid=6,ro',
      { type: 'cache', id: 'i', sharing: 'locked', mode: 0o700, uid: 5, gid: 6, readonly: true },
    ],
    ['type=cache,target=/c,from=base,source=bin', { initial: expect.objectContaining({ source: 'bin' }) }],
    ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t' }],
    ['type=tmpfs,target=/t,size=1m', { type: 'tmpfs', target: '/t', sizeBytes: 1 << 20 }],
    ['type=secret,id=s', { type: 'secret', target: '/run/secrets/s', data: text('secret-s'), mode: 0o400 }],
    ['type=secret,target=/a/s', { type: 'secret', target: '/a/s', data: text('secret-s') }],
    ['type=secret,id=s,target=t,mode=0444,uid=7', { type: 'secret', target: '/w/t', mode: 0o444, uid: 7 }],
  ])('%s', async (mount, expected) => {
    const secret = async (id: string) => text(`secret-${id}`);
    const { step } = await run(`RUN --mount=${mount} x`, { secret }, undefined, FILES);
    expect(step.mounts).toEqual([expect.objectContaining(expected)]);
  });

  it('runs again when what is mounted changed, whatever its name is', async () => {
    const harness = buildHarness();
    await harness.addImage('base', [{ 'bin/sh': 'S' }]);
    const line = 'FROM base\nRUN --mount=source=d[1],target=/m x';
    for (const content of ['A', 'A', 'B']) await harness.build(line, CONTEXTS.make({ 'd[1]/a': content }));
    expect(harness.runs).toHaveLength(2);
  });

  it('takes files of stages and images, each with what is there', async () => {
    const { step } = await run(
      'FROM scratch AS s\nCOPY d /e\nFROM base\nRUN --mount=from=s,source=e,target=/1 --mount=from=base,target=/2 x',
      {},
      undefined,
      FILES,
    );
    const [stage, image] = step.mounts as Extract<RunMount, { type: 'bind' }>[];
    expect([stage?.tree.what, await stage?.tree.list('e')]).toEqual(['stage "s"', ['a']]);
    expect([image?.tree.what, await image?.tree.list('bin')]).toEqual(['image docker.io/library/base:latest', ['sh']]);
  });

  it('gives a secret as a variable, which nothing keeps', async () => {
    const secret = async () => text('hush');
    const { step, config, manifest, statuses } = await run('RUN --mount=type=secret,id=s,env=S x', { secret });
    expect(step.mounts).toEqual([]);
    expect(step.env).toContain('S=hush');
    expect(JSON.stringify([config, manifest, statuses])).not.toContain('hush');
  });

  it.each([
    ['type=secret,id=s,required', 'not-found', 'secret "s": not found'],
    ['source=none,target=/m', 'not-found', '"/none": not found in the build context'],
    ['target=/', 'invalid-dockerfile', 'invalid mount target "/"'],
    ['target=/x/..', 'invalid-dockerfile', 'invalid mount target'],
    ['type=ssh', 'unsupported', 'type=ssh is not supported'],
  ])('refuses %s', async (mount, code, message) => {
    await expect(run(`RUN --mount=${mount} x`)).rejects.toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(message),
        data: expect.objectContaining({ line: 2 }),
      }),
    );
  });

  it('is without a secret that need not be there', async () => {
    expect((await run('RUN --mount=type=secret,id=s x')).step.mounts).toEqual([]);
  });
});

describe('what comes of it', () => {
  it('is a layer, and none where nothing was written', async () => {
    const { layers, config, open } = await run('RUN a\nRUN b', {}, (step) =>
      step.args[2] === 'a' ? wrote({ x: 'X' }) : {},
    );
    expect(layers.slice(1)).toEqual([['755 x X']]);
    expect(config.history?.slice(1).map((entry) => entry.empty_layer)).toEqual([undefined, true]);
    expect(open()).toBe(0);
  });

  it('goes on with what the last one wrote', async () => {
    const { runs, config } = await run('RUN a\nRUN b', {}, () => wrote({ x: 'X' }));
    expect(runs[1]?.diffIds).toEqual(config.rootfs.diff_ids.slice(0, 2));
  });

  it('is an error for another exit code, with docker words and the place', async () => {
    const program: PretendedRun = (step) => {
      step.onOutput(2, text('no\n'));
      return { exitCode: 3 };
    };
    const harness = buildHarness(program);
    await harness.addImage('base', [{ a: 'A' }]);
    const statuses: unknown[] = [];
    const failed = harness.build('FROM base\nRUN a b', CONTEXTS.make({}), { onStatus: (one) => statuses.push(one) });
    await expect(failed).rejects.toMatchObject({
      code: 'build-failed',
      message: 'process "/bin/sh -c a b" did not complete successfully: exit code: 3',
      data: { exitCode: 3, command: ['/bin/sh', '-c', 'a b'], line: 2, frame: expect.stringContaining('RUN a b') },
    });
    expect(harness.open()).toBe(0);
    expect(vertexes(statuses as never).at(-1)).toMatchObject({
      name: '[2/2] RUN a b',
      error: 'process "/bin/sh -c a b" did not complete successfully: exit code: 3',
    });
    expect(statuses).toContainEqual({ logs: [expect.objectContaining({ stream: 2, data: text('no\n') })] });
    expect(await harness.parts.images.records()).toEqual([]);
  });

  it('has the time that was asked for', async () => {
    const buildArgs = { SOURCE_DATE_EPOCH: '1700000000' };
    const { layers } = await run('RUN a', { buildArgs }, () => wrote({ [`${'long/'.repeat(40)}x`]: 'X', y: 'Y' }));
    expect(layers.slice(1)).toEqual([[`755 ${'long/'.repeat(40)}x @1700000000 X`, '755 y @1700000000 Y']]);
  });

  it('is cut off where a program writes without end', async () => {
    const { statuses } = await run('RUN a', {}, (step) => {
      for (let i = 0; i < 5; i += 1) step.onOutput(1, new Uint8Array(1 << 20));
      return {};
    });
    const logs = statuses.flatMap((status) => status.logs ?? []);
    expect(logs.reduce((sum, { data }) => sum + data.length, 0)).toBeLessThan((2 << 20) + 100);
    expect(new TextDecoder().decode(logs.at(-1)?.data)).toContain('output clipped');
  });
});

it.each([
  ['RUN --network=host a', 'forbidden'],
  ['RUN --security=insecure a', 'unsupported'],
])('refuses %s', async (line, code) => {
  await expect(run(line)).rejects.toMatchObject({ code });
});

it('cancels', async () => {
  const stop = new AbortController();
  const statuses: unknown[] = [];
  const cancelled = run('RUN a', { signal: stop.signal, onStatus: (one) => statuses.push(one) }, (step) => {
    stop.abort();
    return new Promise((_, reject) => {
      if (step.signal?.aborted) reject(step.signal.reason);
    });
  });
  await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  expect(vertexes(statuses as never).at(-1)?.error).toMatch(/context canceled$/);
});
