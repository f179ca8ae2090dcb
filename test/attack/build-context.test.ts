/** Contexts of a build made to reach out of themselves, to hang, to grow or to crash the builder. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checksumSources } from '../../src/build/cache/source-checksum.ts';
import { type ContextFiles, DirectoryTree } from '../../src/build/context/directory-tree.ts';
import { readTar } from '../../src/containers/files/tar-reader.ts';
import type { BuildContextSource, BuildRequest } from '../../src/engine/builds.ts';
import type { LocalEngine } from '../../src/engine/local-engine.ts';
import { openEngine } from '../../src/node.ts';
import { chunks, createNodeHasher } from '../support/image-store.ts';
import { removeTree } from '../support/remove-tree.ts';
import { entry, pax, tar } from '../support/tar-builder.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'wctr-hostile-'));
const SECRET = 'what is outside';
let engine: LocalEngine;
let count = 0;
const sockets: Server[] = [];
beforeAll(async () => {
  writeFileSync(join(ROOT, 'secret'), SECRET);
  engine = await openEngine({ dataRoot: join(ROOT, 'store'), env: { HOME: ROOT } });
});
afterAll(async () => {
  for (const socket of sockets) socket.close();
  await engine.close();
  removeTree(ROOT);
});

/** A directory that `make` fills, given its path. */
function directory(make: (path: string) => void): { directory: string } {
  count += 1;
  const path = join(ROOT, `context-${count}`);
  mkdirSync(path);
  make(path);
  return { directory: path };
}

/** The members of the layers that were made as `kind path`, or the code it was refused with; no temp file is left. */
async function outcome(
  context: BuildContextSource,
  text = 'FROM scratch\nCOPY . /\n',
  more: Partial<BuildRequest> = {},
): Promise<string[] | string> {
  let result: string[] | string;
  try {
    const { digest = '' } = await engine.builds.build({ context, dockerfile: { text, name: 'Dockerfile' }, ...more });
    result = await membersOf(digest);
  } catch (error) {
    const { name, code, message } = error as { name: string; code: string; message: string };
    expect([name, message]).toEqual(['WctrError', expect.stringMatching(/^[^\n]+$/)]);
    result = code;
  }
  expect(readdirSync(join(ROOT, 'store/tmp'))).toEqual([]);
  return result;
}

async function membersOf(digest: string): Promise<string[]> {
  const blob = (name: string) => join(ROOT, 'store/blobs', name.replace(':', '/'));
  const { layers } = JSON.parse(readFileSync(blob(digest), 'utf8')) as { layers: { digest: string }[] };
  const members: string[] = [];
  for (const layer of layers) {
    const bytes = readFileSync(blob(layer.digest));
    expect(bytes.includes(SECRET)).toBe(false);
    for await (const { name, type } of readTar(chunks(bytes, 1 << 20))) members.push(`${type} ${name}`);
  }
  return members;
}

describe('a directory that reaches out', () => {
  it.each<[string, string, string[] | string]>([
    ['by a link that is copied', 'COPY . /c', ['5 c/', '2 c/abs', '2 c/dir', '2 c/out']],
    ['by a link that is named', 'COPY out /x', 'not-found'],
    ['by an absolute link that is named', 'COPY abs /x', 'not-found'],
    ['by a directory that is a link', 'COPY dir/secret /x', 'not-found'],
    ['by a directory that is a link, and a pattern', 'COPY dir/* /x', 'not-found'],
    ['by a path', 'COPY ../secret /x', 'not-found'],
    ['by a path through a directory', 'COPY d/../../secret /x', 'not-found'],
    ['by an absolute path', `COPY ${ROOT}/secret /x`, 'not-found'],
    ['by --parents', 'COPY --parents ./.././../secret /x', 'not-found'],
    ['by ADD', 'ADD out /x', 'not-found'],
    ['by a link onto which is copied', 'COPY . /c\nCOPY ok /c/out', 'not-found'],
  ])('%s', async (_, line, expected) => {
    const context = directory((path) => {
      symlinkSync('../secret', join(path, 'out'));
      symlinkSync(join(ROOT, 'secret'), join(path, 'abs'));
      symlinkSync('..', join(path, 'dir'));
    });
    expect(await outcome(context, `FROM scratch\n${line}\n`)).toEqual(expected);
  });

  it('by its Dockerfile, or what it ignores', async () => {
    for (const name of ['Dockerfile', '.dockerignore']) {
      const context = directory((path) => {
        writeFileSync(join(path, 'Dockerfile.real'), 'FROM scratch\n');
        symlinkSync('../secret', join(path, name));
      });
      const dockerfile = name === 'Dockerfile' ? {} : { path: 'Dockerfile.real' };
      const built = await outcome(context, undefined, { dockerfile: { path: 'Dockerfile', ...dockerfile } });
      expect(built).toEqual(name === 'Dockerfile' ? 'not-found' : []);
    }
  });

  it('by what was copied: a link in the image leads nowhere else', async () => {
    const context = directory((path) => {
      symlinkSync('../../../../../../../../tmp', join(path, 'up'));
      writeFileSync(join(path, 'ok'), 'ok');
    });
    const built = await outcome(context, 'FROM scratch\nCOPY . /c/\nCOPY ok /c/up/ok\n');
    expect(built).toEqual(['5 c/', '0 c/ok', '2 c/up', '5 tmp/', '0 tmp/ok']);
  });
});

describe('a directory of other things than files', () => {
  const strange = (path: string) => {
    writeFileSync(join(path, 'a'), 'A');
    execFileSync('mkfifo', [join(path, 'fifo')]);
    sockets.push(createServer().listen(join(path, 'sock')));
    symlinkSync('/dev/zero', join(path, 'zero'));
    symlinkSync('loop', join(path, 'loop'));
  };

  it('is copied without them, and hangs nobody', async () => {
    expect(await outcome(directory(strange))).toEqual(['0 a', '2 loop', '2 zero']);
  });

  it.each(['fifo', 'sock', 'zero', 'loop'])('has no %s to copy', async (name) => {
    const code = await outcome(directory(strange), `FROM scratch\nCOPY ${name} /x\n`);
    expect(['not-found', 'invalid-argument']).toContain(code);
  });

  it('has no Dockerfile that is a pipe or a directory', async () => {
    const dockerfile = { path: 'Dockerfile' };
    const pipe = directory((path) => execFileSync('mkfifo', [join(path, 'Dockerfile')]));
    expect(await outcome(pipe, undefined, { dockerfile })).toBe('not-found');
    const folder = directory((path) => mkdirSync(join(path, 'Dockerfile')));
    expect(['not-found', 'invalid-argument']).toContain(await outcome(folder, undefined, { dockerfile }));
  });
});

describe('a large context', () => {
  it.each([
    ['Dockerfile', { dockerfile: { path: 'Dockerfile' } }],
    ['.dockerignore', {}],
  ])('has a %s of 10 MB', async (name, more) => {
    const context = directory((path) => writeFileSync(join(path, name), '# no end of it\n'.repeat(700_000)));
    expect(await outcome(context, undefined, more)).toBe('limit-exceeded');
  });

  it('has 100,000 files, in a tar', async () => {
    const one = (i: number) => entry({ name: `d${i % 100}/file-${i}` });
    const members = tar(...Array.from({ length: 100_000 }, (_, i) => one(i)));
    const built = (await outcome({ tar: chunks(members, 1 << 20) })) as string[];
    expect(built).toHaveLength(100_100);
  }, 60_000);

  /** A directory with that many files, of which none is on disk. */
  const pretended = (files: number): ContextFiles => {
    const stat = (mode: bigint) => ({ mode, size: 0n, mtimeNs: 0n, ctimeNs: 0n, ino: 1n, dev: 1n }) as never;
    return {
      readdirSync: (path) =>
        Array.from({ length: path.endsWith('/d') ? files : 1 }, (_, i) =>
          files > 0 && path.endsWith('/d') ? `${i}` : 'd',
        ),
      lstatSync: (path) => stat(path.endsWith('/d') ? 0o040755n : 0o100644n),
      fstatSync: () => stat(0o100644n),
      openSync: () => 3,
      closeSync: () => {},
      readSync: () => 0,
      readlinkSync: () => '',
    };
  };

  it('has 100,000 files, in a directory', async () => {
    const tree = new DirectoryTree(pretended(100_000), '/ctx');
    expect(await tree.list('d')).toHaveLength(100_000);
    expect(await checksumSources(tree, ['.'], { createHasher: createNodeHasher })).toMatch(/^sha256:/);
  }, 30_000);

  it('has more files than anybody needs', async () => {
    const tree = new DirectoryTree(pretended(1_000_001), '/ctx');
    await expect(tree.list('d')).rejects.toMatchObject({ code: 'limit-exceeded' });
  });

  it('is as deep as a path may be', async () => {
    const deep = `${'d/'.repeat(2000)}x`;
    const built = await outcome({ tar: chunks(tar(pax([['path', deep]]), entry({ data: 'X' }))) });
    expect(built).toHaveLength(2001);
    const local = directory((path) => mkdirSync(join(path, 'd/'.repeat(1500)), { recursive: true }));
    expect(await outcome(local)).toHaveLength(1500);
  }, 30_000);

  it('is slow to match what it ignores', async () => {
    const ignore = `${'**/*a*a*a*a*b\n'.repeat(20)}`;
    const context = directory((path) => {
      for (let i = 0; i < 100; i += 1) writeFileSync(join(path, `${'a'.repeat(100)}${i}`), '');
    });
    expect(await outcome(context, undefined, { ignore })).toHaveLength(100);
  }, 30_000);
});

describe('a tar', () => {
  it.each<[string, Uint8Array[], string[] | string]>([
    ['with names that climb', [entry({ name: '../../../tmp/x', data: 'X' })], ['5 tmp/', '0 tmp/x']],
    ['with absolute names', [entry({ name: '/etc/x', data: 'X' })], ['5 etc/', '0 etc/x']],
    [
      'that writes through a link',
      [entry({ name: 'l', type: '2', link: '/tmp' }), entry({ name: 'l/x', data: 'X' })],
      ['5 l/', '0 l/x'],
    ],
    ['that links to a file outside', [entry({ name: 'h', type: '1', link: '../secret' })], []],
    [
      'of devices',
      [
        entry({ name: 'sda', type: '4', major: 8 }),
        entry({ name: 'null', type: '3', major: 1 }),
        entry({ name: 'f', type: '6' }),
      ],
      [],
    ],
    [
      'that hides files of the layers below',
      [entry({ name: '.wh.etc' }), entry({ name: 'd/.wh..wh..opq' })],
      'invalid-argument',
    ],
    ['with a size it does not have', [entry({ name: 'x', data: 'X', size: 1 << 30 })], 'invalid-layer'],
    ['with a size that is none', [entry({ name: 'x', size: -1n })], 'invalid-layer'],
  ])('%s', async (_, entries, expected) => {
    expect(await outcome({ tar: chunks(tar(...entries)) })).toEqual(expected);
  });

  it('that breaks off, or fails', async () => {
    const failing = async function* () {
      yield tar(entry({ name: 'a', data: 'A' })).subarray(0, 512);
      throw new Error('the connection broke');
    };
    await expect(
      engine.builds.build({ context: { tar: failing() }, dockerfile: { text: 'FROM scratch', name: 'D' } }),
    ).rejects.toThrow('the connection broke');
    expect(readdirSync(join(ROOT, 'store/tmp'))).toEqual([]);
  });

  it('that is a bomb', async () => {
    const bomb = execFileSync('sh', ['-c', 'head -c 700M /dev/zero | gzip -9'], { maxBuffer: 1 << 24 });
    expect(await outcome({ tar: chunks(bomb) })).toBe('limit-exceeded');
  }, 30_000);
});

it('keeps what was outside as it was', () => {
  expect(readFileSync(join(ROOT, 'secret'), 'utf8')).toBe(SECRET);
});
