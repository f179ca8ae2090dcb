import { describe, expect, it } from 'vitest';
import { layerTar } from '../../../../src/build/stage/write-layer.ts';
import type { TreeEntry } from '../../../../src/build/tree/file-tree.ts';
import type { ChangedEntry } from '../../../../src/build/tree/stage-tree.ts';
import { readTar } from '../../../../src/containers/files/tar-reader.ts';
import { collect } from '../../../../src/images/archive/files.ts';

const attributes = { mode: 0o644, uid: 1, gid: 2 };
const contentOf = (size: number) => new Uint8Array(size).map((_, i) => (i * 7 + size) % 251);

/** A file that is read in pieces, or lent as a whole out of memory that others are lent too. */
function file(size: number, how: 'pieces' | 'lent', lent?: Uint8Array): TreeEntry {
  const content = contentOf(size);
  const read = async function* () {
    for (let at = 0; at < size; at += 300_000) yield content.subarray(at, at + 300_000);
  };
  const readNow = () => {
    lent?.set(content);
    return lent?.subarray(0, size) ?? content;
  };
  return { kind: 'file', ...attributes, size, read, ...(how === 'lent' ? { readNow } : {}) };
}

async function written(changes: readonly ChangedEntry[]) {
  const found: { name: string; type: string; bytes: Uint8Array }[] = [];
  // A copy each, at once: pieces are lent
  const chunks = async function* () {
    for await (const chunk of layerTar(changes, 5)) yield chunk.slice();
  };
  for await (const { name, type, data, mtimeNs, uid, gid } of readTar(chunks())) {
    expect([mtimeNs, uid, gid]).toEqual([5_000_000_000n, 1, 2]);
    found.push({ name, type, bytes: await collect(data) });
  }
  return found;
}

const SIZES = [0, 1, 511, 512, 513, 200_000, 524_287, 524_288, 524_289, 1_048_575, 1_048_576, 1_048_577, 3_000_000];

describe('the tar of a layer', () => {
  it.each(['pieces', 'lent'] as const)('holds files of any size, %s', async (how) => {
    const lent = new Uint8Array(4_000_000);
    const changes = SIZES.flatMap((size) =>
      [size, size].map((s, i) => ({ path: `f${s}-${i}`, entry: file(s, how, lent) })),
    );
    const found = await written(changes);
    expect(found.map(({ name }) => name)).toEqual(changes.map(({ path }) => path));
    found.forEach(({ bytes, name }, i) => {
      expect(Buffer.from(contentOf(changes[i]!.entry.size)).equals(bytes), name).toBe(true);
    });
  });

  it('is whole blocks, with two empty ones at its end', async () => {
    const bytes = await collect(layerTar([{ path: 'a', entry: file(1, 'lent') }], 0));
    expect(bytes.length).toBe(4 * 512);
    expect(bytes.subarray(1024).every((byte) => byte === 0)).toBe(true);
  });

  it('holds directories, links, and names that need more than a header', async () => {
    const long = 'n'.repeat(300);
    const found = await written([
      { path: 'd', entry: { kind: 'directory', ...attributes, size: 0 } },
      { path: `d/${long}`, entry: { kind: 'symlink', ...attributes, size: 0, target: long } },
      { path: 'd/\u00fc', entry: file(3, 'lent') },
    ]);
    expect(found.map(({ type, name }) => `${type} ${Buffer.from(name, 'latin1').toString()}`)).toEqual([
      '5 d/',
      `2 d/${long}`,
      '0 d/\u00fc',
    ]);
  });

  it.each<[string, Partial<TreeEntry>]>([
    ['shorter, at once', { size: 9, readNow: () => new Uint8Array(8) }],
    ['longer, at once', { size: 9, readNow: () => new Uint8Array(10) }],
    ['shorter', { size: 9, read: () => file(8, 'pieces').read!() }],
    ['longer', { size: 9, read: () => file(10, 'pieces').read!() }],
  ])('notices a file that is %s than it was', async (_, more) => {
    const entry: TreeEntry = { kind: 'file', ...attributes, size: 9, ...more };
    await expect(collect(layerTar([{ path: 'a', entry }], 0))).rejects.toMatchObject({ code: 'conflict' });
  });

  it.each(['.wh.a', 'd/.wh..wh..opq'])('takes no %s, which would hide others', async (path) => {
    await expect(collect(layerTar([{ path, entry: file(0, 'lent') }], 0))).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
