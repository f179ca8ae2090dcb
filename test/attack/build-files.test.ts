/** Contexts, base images and Dockerfiles that mean harm: nothing outside is read or written, and all of it ends. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { StepLayer } from '../../src/build/cache/build-cache.ts';
import { buildHarness, Contexts, wrote } from '../support/build.ts';
import { removeTree } from '../support/remove-tree.ts';
import { entry, tar } from '../support/tar-builder.ts';

const CONTEXTS = new Contexts();
const OUTSIDE = mkdtempSync(join(tmpdir(), 'wctr-outside-'));
writeFileSync(join(OUTSIDE, 'canary'), 'canary');
afterAll(() => Promise.all([removeTree(CONTEXTS.root), removeTree(OUTSIDE)]));

/** A base whose layers are these tars, member by member. */
async function onLayers(tars: readonly Uint8Array[], dockerfile: string, files: Record<string, string> = { a: 'A' }) {
  const harness = buildHarness(() => wrote({ r: 'R' }));
  const base = await harness.addImage('plain', []);
  const layers: StepLayer[] = [];
  for (const bytes of tars) {
    const chunks = async function* () {
      yield bytes;
    };
    const descriptor = await harness.parts.images.layers.write(chunks(), { pin: async () => {} });
    layers.push({ descriptor, diffId: descriptor.digest });
  }
  Object.assign(harness.parts, { bases: { open: async () => ({ ...base, layers }) } });
  const built = await harness.build(`FROM base\n${dockerfile}`, CONTEXTS.make(files));
  return built.layers.slice(tars.length);
}

const link = (name: string, target: string) => entry({ name, type: '2', link: target });

describe('links of a base image', () => {
  it.each<[what: string, members: Uint8Array[], line: string, expected: string[]]>([
    [
      'an absolute one',
      [link('d', OUTSIDE)],
      'COPY a /d/x',
      [`755 ${OUTSIDE.slice(1, 4)}/`, `755 ${OUTSIDE.slice(1)}/`, `644 ${OUTSIDE.slice(1)}/x A`],
    ],
    ['one that climbs', [link('d', '../../../../../../e')], 'COPY a /d/', ['755 e/', '644 e/a A']],
    [
      'one over another',
      [link('d', 'e/f'), entry({ name: 'e/', type: '5' }), link('e/f', '../../../g')],
      'COPY a /d/',
      ['755 g/', '644 g/a A'],
    ],
    ['one to the root', [link('d', '/')], 'COPY a /d/', ['644 a A']],
    ['one that is the destination', [link('d', '/etc/x')], 'COPY a /d', ['755 etc/', '644 etc/x A']],
    [
      'one to /proc',
      [link('d', '/proc/self/root')],
      'COPY a /d/',
      ['755 proc/', '755 proc/self/', '755 proc/self/root/', '644 proc/self/root/a A'],
    ],
    ['one for a working directory', [link('w', '../..')], 'WORKDIR /w/x', ['755 x/']],
  ])('%s stays inside', async (_, members, line, expected) => {
    expect((await onLayers([tar(...members)], line)).flat()).toEqual(expected);
    expect(readdirSync(OUTSIDE)).toEqual(['canary']);
  });

  it('that are copied from lead nowhere else', async () => {
    const members = [link('l', join(OUTSIDE, 'canary')), link('d', OUTSIDE), link('u', '../../..')];
    for (const path of ['l', 'd/canary', `u${OUTSIDE}/canary`]) {
      await expect(onLayers([tar(...members)], `COPY --from=base ${path} /x`)).rejects.toThrow('not found');
    }
    expect((await onLayers([tar(...members)], 'COPY --from=base / /x/')).flat()).toEqual([
      '755 x/',
      `777 x/d -> ${OUTSIDE}`,
      `777 x/l -> ${OUTSIDE}/canary`,
      '777 x/u -> ../../..',
    ]);
  });

  it('in a circle are refused', async () => {
    const circle = tar(link('p', 'q'), link('q', 'p'));
    for (const line of ['COPY a /p/x', 'WORKDIR /p/x', 'COPY --from=base /p/x /y']) {
      await expect(onLayers([circle], line)).rejects.toThrow('too many links');
    }
  });

  it('over one another, many at once, take no time to speak of', async () => {
    // Each doubles the way: 2^30 steps for who follows them all
    const members = Array.from({ length: 30 }, (_, i) => link(`l${i}`, i === 0 ? 'end' : `l${i - 1}/../l${i - 1}`));
    const started = Date.now();
    await onLayers([tar(...members, entry({ name: 'end/', type: '5' }))], 'COPY a /l29/x').catch((error: Error) => {
      expect(error.message).toContain('too many links');
    });
    expect(Date.now() - started).toBeLessThan(5000);
  });
});

describe('names and attributes of a base image', () => {
  it('passwd and group that are links, large or odd name nobody', async () => {
    const passwd = (data: string) => tar(entry({ name: 'etc/passwd', data }));
    for (const layer of [
      tar(link('etc/passwd', '/proc/self/environ')),
      tar(link('etc/passwd', '../../../../etc/passwd')),
      passwd('me:x:-1:0:::\nme:x:4294967295:0\n'),
      passwd('me:x:99999999999:0\n'),
      passwd(`${'x'.repeat(2 << 20)}\nme:x:5:5\n`),
    ]) {
      await expect(onLayers([layer], 'COPY --chown=me a /')).rejects.toThrow(/there is no user "me"|too many links/);
    }
  });

  it('devices and fifos are not copied, nor in the way', async () => {
    const devices = tar(
      entry({ name: 'd/null', type: '3', major: 1, minor: 3 }),
      entry({ name: 'd/p', type: '6' }),
      entry({ name: 'd/f', data: 'F' }),
    );
    expect((await onLayers([devices], 'COPY --from=base d /e')).flat()).toEqual(['755 e/', '644 e/f F']);
    expect((await onLayers([devices], 'COPY a /d/null')).flat()).toEqual(['644 d/null A']);
  });

  it('a name that is no text is said, not lost', async () => {
    const odd = tar(entry({ name: new Uint8Array([0x64, 0x2f, 0xff]), data: 'F' }));
    await expect(onLayers([odd], 'COPY --from=base d /e')).rejects.toMatchObject({ code: 'unsupported' });
  });

  it('setuid is kept as it is, and given no effect', async () => {
    const layer = tar(entry({ name: 'su', mode: 0o4755, data: 'S' }));
    expect((await onLayers([layer], 'COPY --from=base su /x')).flat()).toEqual(['4755 x S']);
  });
});

describe('a context', () => {
  it('gives away nothing outside it, whatever leads there', async () => {
    const root = CONTEXTS.make({ a: 'A' });
    symlinkSync(OUTSIDE, join(root, 'dir'));
    symlinkSync(join(OUTSIDE, 'canary'), join(root, 'file'));
    symlinkSync('..', join(root, 'up'));
    mkdirSync(join(root, 'sub'));
    symlinkSync('../../../../../../../../../../', join(root, 'sub/top'));
    for (const line of [
      'COPY dir/canary /x',
      'COPY file /x',
      'COPY dir /x',
      `COPY up${OUTSIDE}/canary /x`,
      `COPY sub/top${OUTSIDE}/canary /x`,
      `COPY ../../..${OUTSIDE}/canary /x`,
      `COPY ${OUTSIDE}/canary /x`,
      'ADD file /x',
      'COPY --parents sub/../dir/canary /x',
      'RUN --mount=source=dir/canary,target=/m x',
    ]) {
      const harness = buildHarness();
      await expect(harness.build(`FROM scratch\n${line}`, root), line).rejects.toMatchObject({ code: 'not-found' });
    }
    expect(readFileSync(join(OUTSIDE, 'canary'), 'utf8')).toBe('canary');
  });

  it('lends its Dockerfile and ignore file no way out', async () => {
    const root = CONTEXTS.make({ a: 'A' });
    writeFileSync(join(OUTSIDE, 'Dockerfile'), 'FROM scratch\nCOPY . /');
    symlinkSync(join(OUTSIDE, 'Dockerfile'), join(root, 'Dockerfile'));
    for (const path of ['Dockerfile', `../../..${OUTSIDE}/Dockerfile`, join(OUTSIDE, 'Dockerfile')]) {
      await expect(buildHarness().build('', root, { dockerfile: { path } })).rejects.toMatchObject({
        code: 'not-found',
      });
    }
  });

  it('may have many files', async () => {
    const root = CONTEXTS.make({});
    for (let d = 0; d < 4; d += 1) {
      mkdirSync(join(root, `d${d}`));
      for (let f = 0; f < 1000; f += 1) writeFileSync(join(root, `d${d}/f${f}`), '');
    }
    const { layers } = await buildHarness().build('FROM scratch\nCOPY . /', root);
    expect(layers[0]).toHaveLength(4004);
  }, 60_000);
});

describe('a Dockerfile', () => {
  it('of 10 MB is refused at once', async () => {
    const text = `FROM scratch\n${'# x\n'.repeat(2_600_000)}`;
    const root = CONTEXTS.make({ Dockerfile: text });
    await expect(buildHarness().build('', root, { dockerfile: { path: 'Dockerfile' } })).rejects.toMatchObject({
      code: 'limit-exceeded',
    });
    await expect(buildHarness().build(text, root)).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('with 2,000 stages one upon the other ends', async () => {
    const text = `FROM scratch AS s0\nCOPY a /\n${Array.from({ length: 2000 }, (_, i) => `FROM s${i} AS s${i + 1}\nENV e${i}=1`).join('\n')}`;
    const { layers } = await buildHarness().build(text, CONTEXTS.make({ a: 'A' }));
    expect(layers).toEqual([['644 a A']]);
  }, 60_000);

  it.each([
    ['stages', Array.from({ length: 3000 }, (_, i) => `FROM ${i === 0 ? 'scratch' : `s${i}`} AS s${i + 1}`)],
    ['variables', ['FROM scratch', ...Array.from({ length: 20_000 }, (_, i) => `ENV a${i}=1`)]],
    ['variables at once', ['FROM scratch', `ENV ${Array.from({ length: 5000 }, (_, i) => `a${i}=1`).join(' ')}`]],
    ['arguments', ['FROM scratch', ...Array.from({ length: 20_000 }, (_, i) => `ARG a${i}=1`)]],
    ['labels', ['FROM scratch', ...Array.from({ length: 20_000 }, (_, i) => `LABEL a${i}=1`)]],
    ['ports', ['FROM scratch', 'EXPOSE 1-60000']],
    ['instructions', ['FROM scratch', ...Array.from({ length: 20_000 }, () => 'CMD a')]],
  ])(
    'with more %s than anybody needs is refused',
    async (_, lines) => {
      const started = Date.now();
      await expect(
        buildHarness().build(lines.join('\n'), CONTEXTS.make({}), { onStatus: () => {} }),
      ).rejects.toMatchObject({
        code: 'limit-exceeded',
      });
      expect(Date.now() - started).toBeLessThan(20_000);
    },
    60_000,
  );

  it('with variables that grow is refused', async () => {
    const text = `FROM scratch\nENV a=${'x'.repeat(1000)}\n${'ENV a=$a$a$a$a$a$a$a$a\n'.repeat(20)}`;
    await expect(buildHarness().build(text, CONTEXTS.make({}))).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('whose trigger is a trigger, a FROM, or two lines is refused', async () => {
    for (const trigger of ['ONBUILD RUN x', 'FROM scratch', 'RUN a\nRUN b', '', 'NONSENSE', 'COPY --from=later a /']) {
      const harness = buildHarness();
      await harness.addImage('base', [], { config: { OnBuild: [trigger] } });
      const text = 'FROM base\nFROM scratch AS later\nCOPY a /';
      const failed = harness.build(text, CONTEXTS.make({ a: 'A' }), { target: '0' });
      await expect(failed, trigger).rejects.toMatchObject({
        code: expect.stringMatching(/invalid-dockerfile|not-found/),
      });
    }
  });
});

describe('an archive', () => {
  it.each<[what: string, members: Uint8Array[]]>([
    ['`..`', [entry({ name: '../../x', data: 'X' })]],
    ['an absolute name', [entry({ name: join(OUTSIDE, 'x'), data: 'X' })]],
    ['a link and a file through it', [link('l', OUTSIDE), entry({ name: 'l/x', data: 'X' })]],
    [
      'a link that a directory replaces',
      [link('l', OUTSIDE), entry({ name: 'l/', type: '5' }), entry({ name: 'l/x', data: 'X' })],
    ],
    ['a hard link out', [entry({ name: 'h', type: '1', link: join(OUTSIDE, 'canary') })]],
    ['whiteouts', [entry({ name: '.wh.a' }), entry({ name: '.wh..wh..opq' }), entry({ name: 'd/.wh.x' })]],
    ['an endless name', [entry({ name: `${'a/'.repeat(40)}x`, data: 'X' })]],
  ])('with %s stays in its place, and takes nothing away', async (_, members) => {
    const harness = buildHarness();
    const root = CONTEXTS.make({ x: tar(...members) });
    const made = await harness.build('FROM scratch\nADD x /in/', root).then(
      ({ layers }) => layers.flat(),
      (error: { code?: string }) => error.code,
    );
    if (typeof made === 'string') expect(made).toMatch(/^(?:invalid-layer|limit-exceeded)$/);
    else for (const member of made ?? []) expect(member).toMatch(/^\d+ in\/(?!.*\.wh\.)/);
    expect(readdirSync(OUTSIDE).sort()).toEqual(['Dockerfile', 'canary']);
  });
});
