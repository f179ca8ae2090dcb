// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are Dockerfiles
import { dirname } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { BuildJob } from '../../../src/build/build.ts';
import { parseMode } from '../../../src/build/copy/mode.ts';
import { parseReference } from '../../../src/images/reference.ts';
import { buildHarness, Contexts } from '../../support/build.ts';
import { removeTree } from '../../support/remove-tree.ts';

const CONTEXTS = new Contexts();
afterAll(() => removeTree(CONTEXTS.root));

async function build(text: string, files: Record<string, string> = {}, more: Partial<BuildJob> = {}) {
  const { parts, build: run } = buildHarness();
  const built = await run(text, CONTEXTS.make(files), more);
  return { ...built, tags: (await parts.images.records()).map(({ reference }) => reference) };
}

describe('what COPY puts where', () => {
  const FILES = {
    a: 'A',
    'b.md': 'B',
    'd/x': 'X',
    'd/e/y.md': 'Y',
    'd/run.sh': 'S',
    'empty/': '',
    link: '-> a',
    dlink: '-> d',
  };
  it.each<[line: string, expected: string[]]>([
    ['COPY a /', ['644 a A']],
    ['COPY a /b', ['644 b A']],
    ['COPY a /b/', ['755 b/', '644 b/a A']],
    ['COPY a /b/c', ['755 b/', '644 b/c A']],
    ['COPY a /b/.', ['755 b/', '644 b/a A']],
    ['COPY a b/', ['755 b/', '644 b/a A']],
    ['COPY a .', ['644 a A']],
    ['COPY a b.md /d/', ['755 d/', '644 d/a A', '644 d/b.md B']],
    ['COPY d /', ['755 e/', '644 e/y.md Y', '755 run.sh S', '644 x X']],
    ['COPY d /o', ['755 o/', '755 o/e/', '644 o/e/y.md Y', '755 o/run.sh S', '644 o/x X']],
    ['COPY d/ /o/', ['755 o/', '755 o/e/', '644 o/e/y.md Y', '755 o/run.sh S', '644 o/x X']],
    ['COPY empty /o', ['755 o/']],
    ['COPY link /o', ['644 o A']],
    ['COPY dlink /o', ['755 o/', '755 o/e/', '644 o/e/y.md Y', '755 o/run.sh S', '644 o/x X']],
    ['COPY *.md /o/', ['755 o/', '644 o/b.md B']],
    ['COPY ?.md [a] /o/', ['755 o/', '644 o/a A', '644 o/b.md B']],
    ['COPY d/*/y* /o/', ['755 o/', '644 o/y.md Y']],
    ['COPY *.none /o/', []],
    ['COPY ../../a /', ['644 a A']],
    ['COPY --exclude=e d /o', ['755 o/', '755 o/run.sh S', '644 o/x X']],
    ['COPY --exclude=**/*.md d /o', ['755 o/', '755 o/e/', '755 o/run.sh S', '644 o/x X']],
    ['COPY --exclude=* --exclude=!x d /o', ['755 o/', '644 o/x X']],
    ['COPY --parents d/e/y.md /o/', ['755 o/', '755 o/d/', '755 o/d/e/', '644 o/d/e/y.md Y']],
    ['COPY --parents ./d/./e/y.md /o/', ['755 o/', '755 o/e/', '644 o/e/y.md Y']],
    ['COPY --parents d/**/*.md /o/', ['755 o/', '755 o/d/', '755 o/d/e/', '644 o/d/e/y.md Y']],
    ['COPY --parents ./d/./e /', ['755 e/', '644 e/y.md Y']],
    ['COPY --chmod=700 d/x /o/', ['755 o/', '700 o/x X']],
    ['COPY --chmod=u=rwX,go= d /o', ['755 o/', '700 o/e/', '600 o/e/y.md Y', '700 o/run.sh S', '600 o/x X']],
    ['COPY --chown=5 a /o/', ['755 o/ 5:5', '644 o/a 5:5 A']],
    ['COPY --chown=5:6 a /', ['644 a 5:6 A']],
    ['COPY <<x <<y /o/\n1\nx\n2\ny', ['755 o/', '644 o/x 1\n', '644 o/y 2\n']],
    ['COPY --chmod=755 <<x /o\n1\nx', ['755 o 1\n']],
    ['ADD a /', ['644 a A']],
    ['WORKDIR /w/x', ['755 w/', '755 w/x/']],
    ['WORKDIR /', []],
  ])('%s', async (line, expected) => {
    const { layers } = await build(`FROM scratch\n${line}\n`, FILES);
    expect(layers.flat()).toEqual(expected);
  });

  it('keeps links that are inside a directory, wherever they lead', async () => {
    const files = { 'd/in': '-> ../a', 'd/out': '-> ../../../etc/passwd', 'd/none': '-> none', a: 'A' };
    expect((await build('FROM scratch\nCOPY d /', files)).layers).toEqual([
      ['777 in -> ../a', '777 none -> none', '777 out -> ../../../etc/passwd'],
    ]);
  });

  it('follows links on the way to the destination, and never out of the image', async () => {
    const files = { 'd/real/': '', 'd/l': '-> /real', 'd/up': '-> ../../..', a: 'A' };
    const { layers } = await build('FROM scratch\nCOPY d /\nCOPY a /l/\nCOPY a /up/x', files);
    expect(layers.slice(1)).toEqual([['644 real/a A'], ['644 x A']]);
  });

  it('looks names up in the stage', async () => {
    const files = { 'etc/passwd': 'root:x:0:0\nme:x:7:8:::\n', 'etc/group': 'us:x:9:\n', a: 'A' };
    const { layers } = await build(
      'FROM scratch\nCOPY . /\nCOPY --chown=me a /b\nCOPY --chown=me:us a /c\nUSER me\nWORKDIR /w',
      files,
    );
    expect(layers.slice(1)).toEqual([['644 b 7:8 A'], ['644 c 7:9 A'], ['755 w/ 7:8']]);
  });

  it('writes a layer for each instruction, and none for one that changed nothing', async () => {
    const { layers, config } = await build('FROM scratch\nENV a=1\nCOPY a /\nCOPY *.none /\nWORKDIR /\nCOPY a /', {
      a: 'A',
    });
    expect(layers).toEqual([['644 a A'], ['644 a A']]);
    expect(config.history?.map(({ created_by, empty_layer }) => [created_by, empty_layer])).toEqual([
      ['ENV a=1', true],
      ['COPY a /', undefined],
      ['COPY *.none /', true],
      ['WORKDIR /', true],
      ['COPY a /', undefined],
    ]);
  });
});

describe('stages', () => {
  it('build on each other, and copy from each other with their owners', async () => {
    const { layers, config } = await build(
      `FROM scratch AS x
       ENV v=1
       COPY --chown=5:6 a /in/
       FROM scratch AS unused
       COPY none /
       FROM x AS y
       COPY a /y
       FROM x
       COPY --from=x /in /out
       COPY --from=1 / /
       COPY --from=y /y /$v`.replace('COPY --from=1 / /\n', ''),
      { a: 'A' },
    );
    expect(layers).toEqual([['755 in/ 5:6', '644 in/a 5:6 A'], ['755 out/', '644 out/a 5:6 A'], ['644 1 A']]);
    expect(config.config?.Env).toContain('v=1');
  });

  it('stop at the target', async () => {
    const { layers } = await build('FROM scratch AS x\nCOPY a /\nFROM x\nCOPY none /', { a: 'A' }, { target: 'x' });
    expect(layers).toEqual([['644 a A']]);
  });
});

it('leaves out what .dockerignore says', async () => {
  const files = { a: 'A', 'b.log': 'B', 'd/keep': 'K', 'd/x': 'X', 'n/m/z': 'Z' };
  const { layers } = await build('FROM scratch\nCOPY . /', files, { ignore: '*.log\nd\n!d/keep\nn' });
  expect(layers).toEqual([['644 a A', '755 d/', '644 d/keep K']]);
  await expect(build('FROM scratch\nCOPY b.log /', files, { ignore: '*.log' })).rejects.toThrow('"/b.log": not found');
});

describe('the config', () => {
  it('is what the instructions say', async () => {
    const { config } = await build(`FROM scratch
      ARG v=2
      ENV a=1 b="x y" PATH=/bin
      ENV a=$v
      LABEL l="$a" m=n
      USER 5:6
      WORKDIR /w
      WORKDIR x/../y
      EXPOSE 80 53/udp
      VOLUME /data
      STOPSIGNAL SIGINT
      SHELL ["/sh", "-e"]
      CMD run me
      ENTRYPOINT ["/app.wasm"]
      HEALTHCHECK --interval=5s --retries=2 CMD ["/ok"]
      ONBUILD COPY . /app
      MAINTAINER me
    `);
    expect(config).toMatchObject({
      os: 'wasi',
      architecture: 'wasm',
      author: 'me',
      created: '1970-01-01T00:00:00.000Z',
    });
    expect(config.config).toEqual({
      Env: ['PATH=/bin', 'a=2', 'b=x y'],
      Labels: { l: '2', m: 'n' },
      User: '5:6',
      WorkingDir: '/w/y',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
      Shell: ['/sh', '-e'],
      Entrypoint: ['/app.wasm'],
      Cmd: ['/sh', '-e', 'run me'],
      Healthcheck: { Test: ['CMD', '/ok'], Interval: 5e9, Retries: 2 },
      OnBuild: ['COPY . /app'],
    });
  });

  it('drops the CMD of the stage below with a new ENTRYPOINT', async () => {
    const { config } = await build('FROM scratch AS x\nCMD ["a"]\nFROM x\nENTRYPOINT ["b"]');
    expect(config.config).not.toHaveProperty('Cmd');
  });

  it('has a PATH, the labels asked for, and the names', async () => {
    const { config, tags } = await build(
      'FROM scratch',
      {},
      { labels: { a: 'b' }, references: [parseReference('x:1')] },
    );
    expect(config.config?.Labels).toEqual({ a: 'b' });
    expect(config.config?.Env?.[0]).toMatch(/^PATH=\/usr/);
    expect(tags).toHaveLength(1);
  });
});

describe('the same', () => {
  const text = 'FROM scratch\nCOPY . /app/\nENV a=1\nCMD ["/app/a"]';
  it('files make the same image, whenever they were written', async () => {
    const one = await build(text, { a: 'A', 'd/b': 'B' });
    const two = await build(text, { 'd/b': 'B', a: 'A' });
    expect(two.imageId).toBe(one.imageId);
    expect((await build(text, { a: 'A', 'd/b': 'C' })).imageId).not.toBe(one.imageId);
  });

  it('time is on everything, when one is given', async () => {
    const { layers, config } = await build(text, { a: 'A' }, { buildArgs: { SOURCE_DATE_EPOCH: '1700000000' } });
    expect(layers).toEqual([['755 app/ @1700000000', '644 app/a @1700000000 A']]);
    expect([config.created, config.history?.[0]?.created]).toEqual(Array(2).fill('2023-11-14T22:13:20.000Z'));
    await expect(build(text, {}, { buildArgs: { SOURCE_DATE_EPOCH: 'now' } })).rejects.toThrow('SOURCE_DATE_EPOCH');
  });
});

describe('what is refused, with its place', () => {
  it.each([
    ['FROM scratch\nCOPY none /', 'not-found', 2, '"/none": not found in the build context'],
    ['FROM scratch AS x\nFROM scratch\nCOPY --from=x /none /', 'not-found', 3, 'not found in stage "x"'],
    ['FROM scratch\nCOPY --parents a/none /', 'not-found', 2, '"/a/none": not found'],
    ['FROM scratch\nCOPY d /\nCOPY f /', 'conflict', 3, 'cannot replace to directory with file: "/e"'],
    ['FROM scratch\nCOPY a /e\nCOPY d /', 'conflict', 3, 'cannot copy to non-directory: "/e"'],
    ['FROM scratch\nCOPY a /x\nCOPY a /x/y', 'conflict', 3, 'is in the way'],
    ['FROM scratch\nCOPY --chmod=999 a /', 'invalid-argument', 2, 'invalid chmod parameter'],
    ['FROM scratch\nCOPY --chown=me a /', 'invalid-argument', 2, 'there is no user "me"'],
    ['FROM scratch\nCOPY [ /', 'invalid-dockerfile', 2, 'syntax error in pattern'],
    ['FROM scratch\nSTOPSIGNAL a/b', 'invalid-argument', 2, 'Invalid signal'],
    ['FROM scratch\nADD z /', 'unsupported', 2, 'cannot unpack "z": nothing here reads bzip2'],
    ['FROM alpine', 'no-such-image', 1, 'no such image: alpine'],
    ['FROM scratch\nCOPY --from=alpine a /', 'no-such-image', 2, 'no such image: alpine'],
  ])('%s', async (text, code, line, message) => {
    const files = { a: 'A', 'd/x': 'X', 'd/e/y': 'Y', 'f/e': 'E', z: '\u001f' };
    const bytes = { ...files, z: 'BZh91AY' };
    await expect(build(text, text.includes(' z ') ? bytes : files)).rejects.toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(message),
        data: expect.objectContaining({ line }),
      }),
    );
  });

  it('a link that leads in a circle', async () => {
    await expect(build('FROM scratch\nCOPY a /', { a: '-> b', b: '-> a' })).rejects.toThrow('too many links');
  });
});

it('takes no more than the context: a link that leads out finds nothing', async () => {
  for (const target of ['/etc/passwd', '../../../../../../etc/passwd', '../outside']) {
    const files = { l: `-> ${target}`, 'd/l': `-> ${dirname(target)}` };
    await expect(build('FROM scratch\nCOPY l /x', files)).rejects.toThrow('not found');
  }
});

describe('modes', () => {
  it.each([
    ['644', 0o777, 0o644],
    ['0', 0o777, 0],
    ['4755', 0, 0o4755],
    ['u+x', 0o644, 0o744],
    ['+x', 0o644, 0o755],
    ['a-w', 0o666, 0o444],
    ['go=', 0o777, 0o700],
    ['u=rw,go=r', 0o777, 0o644],
    ['a+X', 0o644, 0o644],
    ['a+X', 0o744, 0o755],
    ['g=u', 0o750, 0o770],
    ['u+s,g+s,+t', 0o755, 0o7755],
    ['u=rwx', 0o4000, 0o700],
    ['u+r-w', 0o200, 0o400],
  ])('%s of %o', (text, before, after) => expect(parseMode(text)(before, false)).toBe(after));

  it('knows a directory', () => expect(parseMode('a=rX')(0o600, true)).toBe(0o555));
  it.each(['', '8', '10000', 'x', 'u', 'u+q', 'z=r', ','])('not %j', (text) =>
    expect(() => parseMode(text)).toThrow('chmod'),
  );
});
