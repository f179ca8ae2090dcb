/** A disk that fails, or loses power, at each thing a build writes: what is there is whole, and the next build is the same. */
import { memfs } from 'memfs';
import { afterAll, describe, expect, it } from 'vitest';
import { isWctrError } from '../../src/errors.ts';
import type { FileSystem } from '../../src/host/ports.ts';
import { parseReference } from '../../src/images/reference.ts';
import { buildHarness, Contexts, wrote } from '../support/build.ts';
import { type Fault, FaultyFileSystem } from '../support/faulty-file-system.ts';
import { removeTree } from '../support/remove-tree.ts';

const CONTEXTS = new Contexts();
afterAll(() => removeTree(CONTEXTS.root));
const CONTEXT = CONTEXTS.make({ a: 'A', 'd/b': 'B' });
const TEXT = `FROM scratch AS one
COPY a /x
RUN program
FROM scratch
COPY --from=one / /y/
WORKDIR /w`;
const REFERENCES = [parseReference('app:new')];

const EVERY = 5;

const newDisk = () => memfs().fs.promises as unknown as FileSystem;
const on = (fs: FileSystem) => buildHarness(() => wrote({ out: 'O' }), fs);
const work = async (fs: FileSystem) => (await on(fs).build(TEXT, CONTEXT, { references: REFERENCES })).imageId;

async function assertSound(disk: FileSystem): Promise<void> {
  const { images } = on(disk).parts;
  for (const record of await images.records()) {
    await images.openRecord(record);
    for (const digest of record.blobs) await images.content.read(digest);
    for (const diffId of record.diffIds) expect(await images.layers.get(diffId)).toBeDefined();
  }
}

/** From the `first` operation on, those that are `EVERY` apart. */
async function eachFault(
  first: number,
  fault: Omit<Fault, 'at'>,
  check: (disk: FileSystem, faulty: FaultyFileSystem, error: unknown) => Promise<void>,
) {
  const counting = new FaultyFileSystem(newDisk(), { at: Number.POSITIVE_INFINITY, kind: 'fail', code: 'EIO' });
  const expected = await work(counting);
  expect(counting.count).toBeGreaterThan(40);
  for (let at = first; at <= counting.count; at += EVERY) {
    const disk = newDisk();
    const faulty = new FaultyFileSystem(disk, { ...fault, at });
    const error = await work(faulty).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await check(disk, faulty, error);
    await assertSound(disk);
    expect(await work(disk), `after operation ${at}`).toBe(expected);
    await assertSound(disk);
  }
}

describe('at every operation', () => {
  it.each([
    ['fail', 1],
    ['fail-for-good', 2],
  ] as const)(
    'a full disk (%s) is a clear error',
    async (kind, first) => {
      await eachFault(first, { kind, code: 'ENOSPC' }, async (disk, _, error) => {
        if (error !== undefined) expect(isWctrError(error, 'no-space'), String(error)).toBe(true);
        if (kind === 'fail')
          expect((await disk.readdir('/store/tmp').catch(() => [])).filter((name) => name.includes('spool'))).toEqual(
            [],
          );
      });
    },
    120_000,
  );

  it('a power cut leaves a whole image or none', async () => {
    await eachFault(3, { kind: 'crash', code: 'EIO' }, async (_, faulty) => {
      expect(faulty.dead).toBe(true);
      await faulty.losePower();
    });
  }, 120_000);
});
