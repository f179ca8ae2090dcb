import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { BuildJob } from '../../../../src/build/build.ts';
import { FilesTree } from '../../../../src/build/tree/files-tree.ts';
import { gzipWith } from '../../../../src/core/encode.ts';
import { parseReference } from '../../../../src/images/reference.ts';
import type { Digest } from '../../../../src/spec/image-spec.ts';
import { buildHarness, Contexts, members, vertexes, wrote } from '../../../support/build.ts';
import { tarOf } from '../../../support/image-store.ts';
import { core } from '../../../support/layers.ts';
import { removeTree } from '../../../support/remove-tree.ts';
import { entry, tar } from '../../../support/tar-builder.ts';

const CONTEXTS = new Contexts();
afterAll(() => removeTree(CONTEXTS.root));
const bytes = (text: string) => new TextEncoder().encode(text);

describe('building on an image', () => {
  it('has its layers, config, history and labels below its own', async () => {
    const harness = buildHarness();
    const base = await harness.addImage('base', [{ 'etc/passwd': 'me:x:7:8\n' }, { 'd/x': 'X' }], {
      author: 'them',
      config: {
        Env: ['a=1', 'PATH=/p'],
        Labels: { l: '1' },
        Cmd: ['c'],
        User: 'me',
        WorkingDir: '/d',
        ExposedPorts: { '1/tcp': {} },
      },
    });
    const { layers, config, manifest } = await harness.build(
      'FROM base\nCOPY a .\nCOPY --chown=me a /d/b\nENV e=$a\nLABEL m=2\nWORKDIR s',
      CONTEXTS.make({ a: 'A' }),
      { labels: { n: '3' } },
    );
    expect(manifest.layers.slice(0, 2)).toEqual(base.layers.map(({ descriptor }) => descriptor));
    expect(layers.slice(2)).toEqual([['644 d/a A'], ['644 d/b 7:8 A'], ['755 d/s/ 7:8']]);
    expect(config).toMatchObject({
      author: 'them',
      config: {
        ...{ Env: ['a=1', 'PATH=/p', 'e=1'], Labels: { l: '1', m: '2', n: '3' }, Cmd: ['c'], User: 'me' },
        ...{ WorkingDir: '/d/s', ExposedPorts: { '1/tcp': {} } },
      },
    });
    expect(config.history?.map(({ created_by }) => created_by)).toEqual([
      ...['layer 0', 'layer 1', 'COPY a .', 'COPY --chown=me a /d/b', 'ENV e=$a', 'LABEL m=2', 'WORKDIR s'],
    ]);
    expect(config.rootfs.diff_ids).toHaveLength(5);
  });

  it('runs its triggers first, and hands none on', async () => {
    const harness = buildHarness();
    await harness.addImage('base', [], {
      config: { OnBuild: ['ENV t=1', 'COPY a /t', 'ARG v=2', 'COPY a /$v'] },
    });
    const { layers, config, statuses } = await harness.build('FROM base\nCOPY a /own-$t', CONTEXTS.make({ a: 'A' }));
    expect(layers).toEqual([['644 t A'], ['644 2 A'], ['644 own-1 A']]);
    expect(config.config).not.toHaveProperty('OnBuild');
    expect(vertexes(statuses).map(({ name }) => name)).toContain('[2/4] COPY a /t');
  });

  it('runs the triggers of a stage, which may copy from stages above', async () => {
    const { layers } = await buildHarness().build(
      'FROM scratch AS files\nCOPY a /f\nFROM scratch AS x\nONBUILD COPY --from=files /f /g\nFROM x',
      CONTEXTS.make({ a: 'A' }),
    );
    expect(layers).toEqual([['644 g A']]);
  });

  it('says where in a trigger it went wrong', async () => {
    const harness = buildHarness();
    await harness.addImage('base', [], { config: { OnBuild: ['COPY none /'] } });
    await expect(harness.build('FROM base', CONTEXTS.make({}))).rejects.toMatchObject({
      code: 'not-found',
      data: { file: 'ONBUILD of docker.io/library/base:latest', line: 1, frame: expect.stringContaining('COPY none') },
    });
  });

  it('copies out of one, whatever it is for its config', async () => {
    const harness = buildHarness();
    await harness.addImage('other', [{ 'bin/a': 'old', 'bin/b': 'B' }, { 'bin/a': 'new' }]);
    const { layers } = await harness.build('FROM scratch\nCOPY --from=other /bin/ /x/', CONTEXTS.make({}));
    expect(layers).toEqual([['755 x/', '755 x/a new', '755 x/b B']]);
  });
});

describe('contexts beside the build context', () => {
  const tree = new FilesTree('extra', new Map([['e', { content: bytes('E'), mode: 0o600 }]]));
  const contexts = new Map([
    ['extra', { tree }],
    ['base', { image: 'real' }],
  ] as const);

  it('are copied from, before stages and images of their name', async () => {
    const more = { contexts: contexts as BuildJob['contexts'] } as Partial<BuildJob>;
    const { layers } = await buildHarness().build('FROM scratch AS x\nCOPY --from=extra e /f', CONTEXTS.make({}), more);
    expect(layers).toEqual([['600 f E']]);
  });

  it('stand in for what FROM names: files, and images', async () => {
    const harness = buildHarness();
    await harness.addImage('real', [{ r: 'R' }]);
    const more = { contexts: contexts as BuildJob['contexts'] } as Partial<BuildJob>;
    const files = await harness.build('FROM extra\nCOPY a /', CONTEXTS.make({ a: 'A' }), more);
    expect(files.layers).toEqual([['600 e E'], ['644 a A']]);
    expect(vertexes(files.statuses).map(({ name }) => name)).toContain('[1/2] FROM extra');
    expect((await harness.build('FROM base', CONTEXTS.make({}), more)).layers).toEqual([['755 r R']]);
  });

  it('leave out what their own ignore files say', async () => {
    const made = (content: string) => ({ content: bytes(content), mode: 0o644 });
    const tree = new FilesTree(
      'x',
      new Map([
        ['.dockerignore', made('a\n.d*')],
        ['a', made('A')],
        ['b', made('B')],
      ]),
    );
    const { layers } = await buildHarness().build('FROM scratch\nCOPY --from=x . /', CONTEXTS.make({}), {
      contexts: new Map([['x', { tree }]]),
    });
    expect(layers).toEqual([['644 b B']]);
  });

  it('stand in for whole stages', async () => {
    const more = { contexts: contexts as BuildJob['contexts'] } as Partial<BuildJob>;
    const text = 'FROM none AS extra\nRUN never\nFROM scratch\nCOPY --from=extra e /';
    expect((await buildHarness().build(text, CONTEXTS.make({}), more)).layers).toEqual([['600 e E']]);
  });
});

describe('the cache', () => {
  const TEXT = 'FROM base\nARG v=1\nRUN a $v\nCOPY x /x\nWORKDIR /w\nRUN b';
  const opened = async () => {
    const harness = buildHarness((step) => wrote({ out: step.args.join(' ') }));
    await harness.addImage('base', [{ b: 'B' }]);
    const context = CONTEXTS.make({ x: 'X' });
    const cached = async (text: string, more: Partial<BuildJob> = {}, at = context) => {
      const before = harness.runs.length;
      const { statuses, imageId } = await harness.build(text, at, more);
      const steps = vertexes(statuses).filter(({ name }) => /^\[\d/.test(name));
      return { imageId, ran: harness.runs.length - before, cached: steps.map((vertex) => vertex.cached === true) };
    };
    return { ...harness, cached };
  };

  it('knows what was built before', async () => {
    const { cached } = await opened();
    const first = await cached(TEXT);
    expect(first).toMatchObject({ ran: 2, cached: [true, false, false, false, false] });
    expect(await cached(TEXT)).toEqual({ imageId: first.imageId, ran: 0, cached: [true, true, true, true, true] });
  });

  it.each<[what: string, text: string, more: Partial<BuildJob>, files: Record<string, string>, expected: boolean[]]>([
    ['another command', TEXT.replace('RUN b', 'RUN c'), {}, { x: 'X' }, [true, true, true, true, false]],
    ['another file', TEXT, {}, { x: 'Y' }, [true, true, false, false, false]],
    ['another file that nothing takes', TEXT, {}, { x: 'X', y: 'Y' }, [true, true, true, true, true]],
    ['another argument', TEXT, { buildArgs: { v: '2' } }, { x: 'X' }, [true, false, true, true, false]],
    ['a proxy', TEXT, { buildArgs: { http_proxy: 'p' } }, { x: 'X' }, [true, true, true, true, true]],
    ['no cache', TEXT, { noCache: true }, { x: 'X' }, [true, false, false, false, false]],
    ['no cache for another stage', TEXT, { noCache: ['other'] }, { x: 'X' }, [true, true, true, true, true]],
    ['a fixed clock', TEXT, { reproducible: true }, { x: 'X' }, [true, false, true, true, false]],
    ['a comment', `# c\n${TEXT}`, {}, { x: 'X' }, [true, true, true, true, true]],
  ])('%s', async (_, text, more, files, expected) => {
    const { cached } = await opened();
    await cached(TEXT);
    expect((await cached(text, more, CONTEXTS.make(files))).cached).toEqual(expected);
  });

  it('keeps what is made without it', async () => {
    const counts = ['1', '2', '3'].values();
    const harness = buildHarness(() => wrote({ out: counts.next().value ?? '' }));
    await harness.addImage('base', []);
    const ids = [];
    for (const noCache of [false, true, false]) {
      ids.push((await harness.build('FROM base\nRUN a', CONTEXTS.make({}), { noCache })).imageId);
    }
    expect(ids[1]).not.toBe(ids[0]);
    expect(ids[2]).toBe(ids[1]);
  });

  it('sees what a stage is, not how it was made', async () => {
    const harness = buildHarness((step) => wrote({ out: step.args[2] === 'c' ? 'other' : 'same' }));
    await harness.addImage('base', []);
    const of = (line: string) => `FROM base AS x\nRUN ${line}\nFROM base\nCOPY --from=x out /\nRUN d`;
    await harness.build(of('a'), CONTEXTS.make({}));
    expect(harness.runs).toHaveLength(2);
    await harness.build(of('b'), CONTEXTS.make({}));
    expect(harness.runs).toHaveLength(3);
    await harness.build(of('c'), CONTEXTS.make({}));
    expect(harness.runs).toHaveLength(5);
  });

  it('makes a step once that two stages need', async () => {
    const harness = buildHarness(() => wrote({ out: 'o' }));
    await harness.addImage('base', []);
    const text =
      'FROM base AS x\nRUN a\nFROM base AS y\nRUN a\nFROM scratch\nCOPY --from=x out /x\nCOPY --from=y out /y';
    const { layers } = await harness.build(text, CONTEXTS.make({}));
    expect(harness.runs).toHaveLength(1);
    expect(layers).toEqual([['755 x o'], ['755 y o']]);
  });

  it('tells secrets apart from what makes a difference', async () => {
    const { cached } = await opened();
    const text = 'FROM base\nRUN --mount=type=secret,id=s a';
    await cached(text, { secret: async () => bytes('one') });
    expect(await cached(text, { secret: async () => bytes('two') })).toMatchObject({ ran: 0 });
  });
});

describe('stages', () => {
  it('are built at once', async () => {
    let both = 0;
    let release: () => void = () => {};
    const met = new Promise<void>((resolve) => {
      release = resolve;
    });
    const harness = buildHarness(async (step) => {
      both += 1;
      if (both === 2) release();
      await met;
      return wrote({ [step.args[2]!]: '' });
    });
    await harness.addImage('base', []);
    const text = 'FROM base AS x\nRUN a\nFROM base AS y\nRUN b\nFROM scratch\nCOPY --from=x a /\nCOPY --from=y b /';
    expect((await harness.build(text, CONTEXTS.make({}))).layers).toHaveLength(2);
  });

  it('are given up when another fails, and have ended then', async () => {
    let ended = false;
    const harness = buildHarness(async (step) => {
      if (step.args[2] === 'bad') return { exitCode: 1 };
      await new Promise((_, reject) => {
        step.signal?.addEventListener('abort', () => setTimeout(() => reject(step.signal?.reason), 20));
      }).finally(() => {
        ended = true;
      });
      return {};
    });
    await harness.addImage('base', []);
    const statuses: never[] = [];
    const text =
      'FROM base AS x\nRUN slow\nFROM base AS y\nRUN bad\nFROM scratch\nCOPY --from=x / /\nCOPY --from=y / /';
    const failed = harness.build(text, CONTEXTS.make({}), { onStatus: (one) => statuses.push(one as never) });
    await expect(failed).rejects.toMatchObject({ code: 'build-failed' });
    expect(ended).toBe(true);
    const slow = vertexes(statuses).find(({ name }) => name.includes('slow'));
    expect(slow?.error).toBe('[x 2/2] RUN slow: context canceled');
  });

  it('are left out where nothing needs them', async () => {
    const harness = buildHarness();
    await harness.addImage('base', []);
    await harness.build('FROM none AS x\nRUN a\nFROM base', CONTEXTS.make({}));
    expect(harness.runs).toEqual([]);
  });
});

describe('what is told', () => {
  it('has the names BuildKit has', async () => {
    const harness = buildHarness();
    const { digest } = await harness.addImage('base:1', []);
    const text = 'FROM base:1 AS one\nWORKDIR /w\nrun a\nENV b=c\nFROM scratch\nCOPY --from=one w /\nADD x /';
    const steps: unknown[] = [];
    const { statuses, imageId } = await harness.build(text, CONTEXTS.make({ x: '' }), {
      references: [parseReference('me/app')],
      onPlan: (plan) => steps.push(...plan),
    });
    const told = vertexes(statuses);
    expect(told.map(({ name }) => name).sort()).toEqual(
      [
        '[internal] load build definition from Dockerfile',
        '[internal] load .dockerignore',
        '[internal] load metadata for docker.io/library/base:1',
        `[one 1/3] FROM docker.io/library/base:1@${digest}`,
        '[one 2/3] WORKDIR /w',
        '[one 3/3] RUN a',
        '[stage-1 1/2] COPY --from=one w /',
        '[stage-1 2/2] ADD x /',
        'exporting to image',
      ].sort(),
    );
    expect(told.every(({ started, completed }) => /Z$/.test(started ?? '') && /Z$/.test(completed ?? ''))).toBe(true);
    const copy = told.find(({ name }) => name.includes('COPY'));
    expect(copy?.inputs).toEqual([told.find(({ name }) => name.includes('RUN a'))?.digest]);
    const exported = statuses.flatMap((status) => status.statuses ?? []).map(({ id }) => id);
    expect([...new Set(exported)]).toEqual([
      'exporting layers',
      `writing image ${imageId}`,
      'naming to docker.io/me/app:latest',
    ]);
    const known = new Map(told.map((vertex) => [vertex.digest, vertex.name]));
    expect(
      steps.map((step) => (step as { vertex?: string }).vertex ?? '').map((vertex) => known.get(vertex) ?? '-'),
    ).toEqual([
      `[one 1/3] FROM docker.io/library/base:1@${digest}`,
      ...[
        '[one 2/3] WORKDIR /w',
        '[one 3/3] RUN a',
        '-',
        '-',
        '[stage-1 1/2] COPY --from=one w /',
        '[stage-1 2/2] ADD x /',
      ],
    ]);
  });

  it('has what a check would say', async () => {
    const { statuses } = await buildHarness().build('FROM scratch AS X\nMAINTAINER me', CONTEXTS.make({}));
    const warnings = statuses.flatMap((status) => status.warnings ?? []);
    expect(warnings.map(({ short }) => short)).toEqual([
      expect.stringMatching(/^StageNameCasing: .* \(line 1\)$/),
      expect.stringMatching(/^MaintainerDeprecated: .* \(line 2\)$/),
    ]);
    expect(warnings[1]).toMatchObject({
      url: expect.stringContaining('https://'),
      range: [{ start: { line: 2, character: 0 } }],
    });
  });

  it('fails where the file wants a check to', async () => {
    await expect(
      buildHarness().build('# check=error=true\nFROM scratch AS X', CONTEXTS.make({})),
    ).rejects.toMatchObject({
      message: 'lint violation found for rules: StageNameCasing',
    });
  });
});

describe('ADD', () => {
  const archive = tar(
    entry({ name: 'd/', type: '5', mode: 0o700, uid: 5, gid: 6 }),
    entry({ name: 'd/f', data: 'F', mode: 0o640, uid: 5, gid: 6 }),
    entry({ name: 'd/h', type: '1', link: 'd/f' }),
    entry({ name: 'l', type: '2', link: '../../etc' }),
  );
  const EXPECTED = ['755 o/', '700 o/d/ 5:6', '640 o/d/f 5:6 F', '640 o/d/h 5:6 F', '777 o/l -> ../../etc'];

  it.each<[what: string, line: string, files: Record<string, Uint8Array>, expected: string[]]>([
    ['unpacks a tar', 'ADD a /o', { a: archive }, EXPECTED],
    ['unpacks gzip', 'ADD a.x /o/', { 'a.x': gzipSync(archive) }, EXPECTED],
    ['finds it by a pattern', 'ADD *.x /o/', { 'a.x': gzipSync(archive) }, EXPECTED],
    [
      'copies what is packed but no archive',
      'ADD a /o',
      { a: gzipSync('x') },
      [expect.stringContaining('644 o') as never],
    ],
    [
      'leaves one packed when told to',
      'ADD --unpack=false a /o',
      { a: archive },
      [expect.stringContaining('644 o d/') as never],
    ],
    [
      'leaves what is in it to its owners, with --chown and --chmod too',
      'ADD --chown=1:2 --chmod=777 a /o',
      { a: archive },
      EXPECTED.map((line) => line.replace(/^755 o\/$/, '755 o/ 1:2')),
    ],
    [
      'replaces what is in the way',
      'COPY b /o/d\nADD a /o',
      { a: archive, b: bytes('B') },
      ['755 o/', '644 o/d B', ...EXPECTED.slice(1)],
    ],
  ])('%s', async (_, line, files, expected) => {
    const { layers } = await buildHarness().build(`FROM scratch\n${line}`, CONTEXTS.make(files));
    expect(layers.flat()).toEqual(expected);
  });

  it.each([
    ['a name that leads out', [entry({ name: '../x', data: 'X' })]],
    [
      'a link that leads out, and a file through it',
      [entry({ name: 'l', type: '2', link: '/etc' }), entry({ name: 'l/x', data: 'X' })],
    ],
    ['a hard link to nothing', [entry({ name: 'h', type: '1', link: '../../etc/passwd' })]],
  ])('keeps %s inside', async (_, entries) => {
    const harness = buildHarness();
    const made = await harness.build('FROM scratch\nADD a /o', CONTEXTS.make({ a: tar(...entries) })).then(
      ({ layers }) => layers.flat(),
      (error: Error) => error.message,
    );
    if (typeof made === 'string') expect(made).toMatch(/layer|archive|link|path/i);
    else for (const member of made) expect(member).toMatch(/^\d+ o\//);
  });

  const served = (content: string, asked: string[] = []) => {
    const harness = buildHarness();
    const download = async (address: string) => {
      asked.push(address);
      return {
        body: (async function* () {
          yield bytes(content);
        })(),
      };
    };
    return { ...harness, parts: Object.assign(harness.parts, { download }), asked };
  };
  const SUM = 'sha256:559aead08264d5795d3909718cdd05abd49572e84fe55590eef31a88a08fdffd';

  it('fetches an address', async () => {
    const { build, asked } = served('A');
    const { layers } = await build('FROM scratch\nADD https://h/p/f%20g?q /o/', CONTEXTS.make({}));
    expect(layers).toEqual([['755 o/', '600 o/f g A']]);
    expect(asked).toEqual(['https://h/p/f%20g?q']);
  });

  it('keeps the order of files and addresses', async () => {
    const { build } = served('A');
    const context = CONTEXTS.make({ f: 'B' });
    expect((await build('FROM scratch\nADD f https://h/f /o/', context)).layers).toEqual([['755 o/', '600 o/f A']]);
    expect((await build('FROM scratch\nADD https://h/f f /o/', context)).layers).toEqual([['755 o/', '644 o/f B']]);
  });

  it('knows what it fetched by its checksum, and asks no more', async () => {
    const { build, asked } = served('A');
    const text = `FROM scratch\nADD --checksum=${SUM} --chmod=644 https://h/f /`;
    expect((await build(text, CONTEXTS.make({}))).layers).toEqual([['644 f A']]);
    const again = await build(text, CONTEXTS.make({}));
    expect([asked.length, vertexes(again.statuses).find(({ name }) => name.includes('ADD'))?.cached]).toEqual([
      1,
      true,
    ]);
  });

  it.each([
    [`ADD --checksum=${SUM.replace(':5', ':6')} https://h/f /`, 'digest-mismatch', 'digest mismatch'],
    ['ADD --checksum=sha256:1 https://h/f /', 'invalid-dockerfile', 'invalid checksum'],
    [`ADD --checksum=${SUM} a /`, 'invalid-dockerfile', 'checksum requires HTTP(S) or Git sources'],
    ['ADD https://h/x.git /', 'unsupported', 'nothing here fetches'],
    ['ADD --keep-git-dir=true git@h:x /', 'unsupported', '--keep-git-dir is not supported'],
    [`ADD --checksum=${SUM} https://h/x.git#v1 /`, 'unsupported', '--checksum is not supported'],
  ])('refuses %s', async (line, code, message) => {
    const { build } = served('A');
    await expect(build(`FROM scratch\n${line}`, CONTEXTS.make({ a: 'A' }))).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      data: { line: 2 },
    });
  });

  it('takes the files of a repository, and knows them again by what they are', async () => {
    const { build, parts } = served('A');
    const asked: string[] = [];
    Object.assign(parts, {
      repository: async (address: string, what: string) => {
        asked.push(address);
        return new FilesTree(what, new Map([['f', { content: bytes('F'), mode: 0o755 }]]));
      },
    });
    const text = 'FROM scratch\nADD --chown=5 git@h:x.git#v1:d /r';
    expect((await build(text, CONTEXTS.make({}))).layers).toEqual([['755 r/ 5:5', '755 r/f 5:5 F']]);
    const again = await build(text.replace('v1', 'v2'), CONTEXTS.make({}));
    expect(vertexes(again.statuses).find(({ name }) => name.includes('ADD'))?.cached).toBe(true);
    expect(asked).toEqual(['git@h:x.git#v1:d', 'git@h:x.git#v2:d']);
    await expect(build('FROM scratch\nADD github.com/x/y /', CONTEXTS.make({}))).rejects.toThrow('not found');
  });

  it('leaves nothing of what it fetched behind', async () => {
    const { build, parts } = served('A');
    await build('FROM scratch\nADD https://h/f /', CONTEXTS.make({}));
    expect((await parts.fs.readdir(parts.layout.tmp)).filter((name) => name.includes('spool'))).toEqual([]);
  });
});

it('copies --link as if nothing were below', async () => {
  const harness = buildHarness();
  await harness.addImage('one', [{ 'd/x': 'X' }]);
  await harness.addImage('two', [{ y: 'Y' }]);
  const context = CONTEXTS.make({ a: 'A' });
  const one = await harness.build('FROM one\nCOPY --link a /d/', context);
  const two = await harness.build('FROM two\nCOPY --link a /d/', context);
  expect(one.layers[1]).toEqual(['755 d/', '644 d/a A']);
  expect(two.manifest.layers[1]).toEqual(one.manifest.layers[1]);
  expect(vertexes(two.statuses).find(({ name }) => name.includes('COPY'))?.cached).toBe(true);
});

describe('several platforms', () => {
  const platforms = [
    { os: 'wasi', architecture: 'wasm' },
    { os: 'linux', architecture: 'arm64' },
  ];
  const TEXT = 'FROM scratch\nARG TARGETPLATFORM\nCOPY a /$TARGETPLATFORM/';

  it('make an index, all of which stays', async () => {
    const harness = buildHarness();
    const { index, digest, statuses } = await harness.build(TEXT, CONTEXTS.make({ a: 'A' }), { platforms });
    expect(index?.manifests.map(({ platform }) => platform)).toEqual(platforms);
    const [record] = await harness.parts.images.records();
    expect(record?.target.digest).toBe(digest);
    expect(record?.blobs).toEqual(expect.arrayContaining(index?.manifests.map((one) => one.digest) ?? []));
    expect(vertexes(statuses).map(({ name }) => name)).toContain('[linux/arm64 1/1] COPY a /$TARGETPLATFORM/');
  });

  it('have files in a directory each', async () => {
    const written: string[] = [];
    await buildHarness().build(TEXT, CONTEXTS.make({ a: 'A' }), {
      platforms,
      outputs: [{ type: 'files', write: async (made) => void written.push(...(await members(made))) }],
    });
    expect(written.filter((line) => line.startsWith('644'))).toEqual([
      '644 wasi_wasm/wasi/wasm/a A',
      '644 linux_arm64/linux/arm64/a A',
    ]);
  });
});

describe('outputs', () => {
  const TEXT = 'FROM scratch\nCOPY . /';
  it('are tars for the caller', async () => {
    const harness = buildHarness();
    await harness.addImage('base', [{ 'd/b': 'B' }]);
    const tars: Record<string, string[]> = {};
    const output = (type: 'oci' | 'docker' | 'files') => ({
      type,
      write: async (made: AsyncIterable<Uint8Array>) => {
        tars[type] = await members(made);
      },
    });
    const { digest } = await harness.build(`FROM base\nCOPY a /d/`, CONTEXTS.make({ a: 'A' }), {
      outputs: [output('oci'), output('docker'), output('files')],
      references: [parseReference('x:1')],
    });
    expect(tars.files).toEqual(['755 d/', '644 d/a A', '755 d/b B']);
    const index = tars.oci?.find((line) => line.includes('index.json'));
    expect(index).toContain(digest);
    expect(index).toContain('docker.io/library/x:1');
    expect(tars.oci?.some((line) => line.includes('manifest.json'))).toBe(false);
    expect(tars.docker?.find((line) => line.includes('manifest.json'))).toContain('"RepoTags":["x:1"]');
    expect(await harness.parts.images.records()).toEqual([]);
  });

  it('are none but the cache, or a name', async () => {
    const harness = buildHarness();
    const context = CONTEXTS.make({ a: 'A' });
    const none = await harness.build(TEXT, context, { outputs: [{ type: 'none' }] });
    expect([none.imageId, none.digest, (await harness.parts.images.records()).length]).toEqual([
      undefined,
      undefined,
      0,
    ]);
    const pushed: string[] = [];
    await harness.build(TEXT, context, {
      outputs: [{ type: 'image', push: true }],
      references: [parseReference('r.io/x:1')],
      push: async ({ path, tag }) => void pushed.push(`${path}:${tag}`),
    });
    expect(pushed).toEqual(['x:1']);
  });
});

describe('annotations', () => {
  const platforms = [
    { os: 'wasi', architecture: 'wasm' },
    { os: 'linux', architecture: 'arm64' },
  ];
  it('go where they say', async () => {
    const harness = buildHarness();
    const annotations = { a: '1', 'manifest-descriptor,index:b': '2', 'manifest[linux/arm64]:c': '3' };
    const { index, manifest } = await harness.build('FROM scratch', CONTEXTS.make({}), { platforms, annotations });
    expect(index?.annotations).toEqual({ b: '2' });
    expect(index?.manifests.map((one) => one.annotations)).toEqual([{ b: '2' }, { b: '2' }]);
    expect(manifest.annotations).toEqual({ a: '1' });
  });
  it.each([[{ 'x:a': '1' }], [{ 'index:a': '1' }]])('refuses %j', async (annotations) => {
    await expect(buildHarness().build('FROM scratch', CONTEXTS.make({}), { annotations })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});

it('reads the Dockerfile and what it ignores from the context', async () => {
  const files = {
    'f/Dockerfile': 'FROM scratch\nCOPY . /',
    'f/Dockerfile.dockerignore': 'x\nf',
    '.dockerignore': 'y',
    x: 'X',
    y: 'Y',
  };
  const more = { dockerfile: { path: 'f/Dockerfile' } };
  expect((await buildHarness().build('', CONTEXTS.make(files), more)).layers).toEqual([
    ['644 .dockerignore y', '644 y Y'],
  ]);
  const ignored = { ...more, ignore: 'y\nf\n.d*' };
  expect((await buildHarness().build('', CONTEXTS.make(files), ignored)).layers).toEqual([['644 x X']]);
  await expect(buildHarness().build('', CONTEXTS.make({}), { dockerfile: undefined })).rejects.toThrow(
    'failed to read dockerfile: open Dockerfile: no such file or directory',
  );
});

it('refuses a stage with more layers than a manifest holds', async () => {
  const harness = buildHarness();
  const base = await harness.addImage('base', [{ a: 'A' }]);
  const layers = Array.from({ length: 1001 }, () => base.layers[0]!);
  Object.assign(harness.parts, { bases: { open: async () => ({ ...base, layers }) } });
  await expect(harness.build('FROM base\nWORKDIR /', CONTEXTS.make({}))).rejects.toMatchObject({
    code: 'limit-exceeded',
  });
});

describe('layers that leave', () => {
  const gzip = (chunks: AsyncIterable<Uint8Array>) => gzipWith(core, chunks);
  const TEXT = 'FROM scratch\nCOPY a /';
  const tars = async (type: 'oci' | 'docker', more: Partial<BuildJob> = {}) => {
    const harness = buildHarness();
    Object.assign(harness.parts, { gzip });
    const found: string[] = [];
    const write = async (made: AsyncIterable<Uint8Array>) => void found.push(...(await members(made)));
    const built = await harness.build(TEXT, CONTEXTS.make({ a: 'A' }), { outputs: [{ type, write }], ...more });
    return { ...built, found };
  };

  it.each([
    ['oci', undefined, 'tar+gzip'],
    ['oci', 'uncompressed', 'tar'],
    ['docker', undefined, 'tar'],
    ['docker', 'gzip', 'tar+gzip'],
  ] as const)('for %s, asked for %s, are %s', async (type, compression, expected) => {
    const { manifest, layers, config } = await tars(type, compression === undefined ? {} : { compression });
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      `application/vnd.oci.image.layer.v1.${expected}`,
    ]);
    expect(config.rootfs.diff_ids).toHaveLength(1);
    if (expected === 'tar') expect(layers).toEqual([['644 a A']]);
  });

  it('are the same image, and compressed once', async () => {
    let count = 0;
    const harness = buildHarness();
    const counting = (chunks: AsyncIterable<Uint8Array>) => {
      count += 1;
      return gzip(chunks);
    };
    Object.assign(harness.parts, { gzip: counting });
    const context = CONTEXTS.make({ a: 'A' });
    const plain = await harness.build(TEXT, context);
    const packed = await harness.build(TEXT, context, { compression: 'gzip' });
    await harness.build(TEXT, context, { compression: 'gzip' });
    expect([count, packed.imageId, packed.digest === plain.digest]).toEqual([1, plain.imageId, false]);
  });
});

describe('provenance', () => {
  const builtWith = async (provenance: 'min' | 'max', more: Partial<BuildJob> = {}) => {
    const harness = buildHarness();
    const base = await harness.addImage('base', []);
    const { index, digest, statuses } = await harness.build('FROM base\nARG a\nCOPY x /', CONTEXTS.make({ x: 'X' }), {
      ...{ provenance, buildArgs: { a: 'word' }, labels: { l: 'm' }, secret: async () => bytes('hush') },
      references: [parseReference('me/app')],
      ...more,
    });
    const { content } = harness.parts.images;
    const json = async (at: Digest) => JSON.parse(new TextDecoder().decode(await content.read(at)));
    const attestation = await json(index!.manifests[1]!.digest);
    const statement = await json(attestation.layers[0].digest);
    return { ...harness, base, index, digest, statement, attestation, statuses };
  };

  it('has no login of an address', async () => {
    const harness = buildHarness();
    const download = async () => ({ body: (async function* () {})() });
    Object.assign(harness.parts, { download });
    const text = 'FROM scratch\nADD https://me:hush@h/f /';
    const { index } = await harness.build(text, CONTEXTS.make({}), { provenance: 'min' });
    const { content } = harness.parts.images;
    const read = async (at: Digest) => new TextDecoder().decode(await content.read(at));
    const statement = await read(JSON.parse(await read(index!.manifests[1]!.digest)).layers[0].digest);
    expect(statement).toContain('https://xxxxx@h/f');
    expect(statement).not.toContain('hush');
  });

  it('is a manifest beside the image, which stays with it', async () => {
    const { index, digest, statement, base, parts } = await builtWith('max');
    expect(index?.manifests[1]).toMatchObject({
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.digest': index?.manifests[0]?.digest },
    });
    expect(statement.subject[0]).toMatchObject({ name: expect.stringContaining('pkg:docker/me/app@latest') });
    expect(statement.predicate.materials).toEqual([
      { uri: 'pkg:docker/base@latest?platform=wasi%2Fwasm', digest: { sha256: base.digest.slice(7) } },
    ]);
    expect(statement.predicate.invocation.parameters.args).toEqual({ 'build-arg:a': 'word', 'label:l': 'm' });
    const [record] = await parts.images.records();
    expect(record?.target.digest).toBe(digest);
    expect(record?.blobs).toContain(index?.manifests[1]?.digest);
  });

  it('tells no arguments unless asked for all, and the same for the same build', async () => {
    const one = await builtWith('min', { reproducible: true });
    const two = await builtWith('min', { reproducible: true });
    expect(JSON.stringify(one.statement)).not.toContain('word');
    expect(one.digest).toBe(two.digest);
  });
});

it('hands an image on as a bundle for edge hosts, where there is one to make it', async () => {
  const harness = buildHarness();
  const written: string[] = [];
  const write = async (made: AsyncIterable<Uint8Array>) => void written.push(...(await members(made)));
  const more = { outputs: [{ type: 'edge' as const, write }], references: [parseReference('app')] };
  const context = CONTEXTS.make({ a: 'A' });
  await expect(harness.build('FROM scratch\nCOPY a /', context, more)).rejects.toMatchObject({ code: 'unsupported' });
  Object.assign(harness.parts, {
    edge: async ({ diffIds }: { diffIds: readonly string[] }, name: string) => {
      const tarred = await tarOf({ bundle: `${name} of ${diffIds.length}` });
      return (async function* () {
        yield tarred;
      })();
    },
  });
  await harness.build('FROM scratch\nCOPY a /', context, more);
  expect(written).toEqual(['755 bundle app:latest of 1']);
});
