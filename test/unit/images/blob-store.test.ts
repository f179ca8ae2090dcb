import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WctrError } from '../../../src/errors.ts';
import type { BlobOrigin, Descriptor } from '../../../src/images/contracts.ts';
import { chunks, diskStore, memoryStore, sha256, type TestStore } from '../../support/image-store.ts';
import { removeTree } from '../../support/remove-tree.ts';

const dir = mkdtempSync(join(tmpdir(), 'wctr-blobs-'));
afterAll(() => removeTree(dir));
let stores = 0;

function describeBlob(bytes: Uint8Array): Descriptor {
  return { mediaType: 'application/octet-stream', digest: sha256(bytes), size: bytes.length };
}

const from =
  (bytes: Uint8Array): BlobOrigin =>
  (offset) =>
    chunks(bytes.subarray(offset));

describe.each<[string, () => TestStore]>([
  ['on disk', () => diskStore(join(dir, String(++stores)))],
  ['in memory', memoryStore],
])('content store %s', (_, open) => {
  it('gives back what it took in', async () => {
    const { content } = open();
    const bytes = randomBytes(300_000);
    const descriptor = describeBlob(bytes);
    const progress: number[] = [];
    await content.ingest(descriptor, from(bytes), { onProgress: (received) => progress.push(received) });
    expect(progress.at(-1)).toBe(bytes.length);
    expect(await content.size(descriptor.digest)).toBe(bytes.length);
    expect(Buffer.from(await content.read(descriptor.digest)).equals(bytes)).toBe(true);
    const rest: Uint8Array[] = [];
    for await (const chunk of content.stream(descriptor.digest, { offset: 299_990, verify: true })) rest.push(chunk);
    expect(Buffer.concat(rest).equals(bytes.subarray(299_990))).toBe(true);
    const location = await content.locate(descriptor.digest);
    expect(Buffer.from('path' in location ? readFileSync(location.path) : location.bytes).equals(bytes)).toBe(true);
  });

  it('takes an empty blob', async () => {
    const { content } = open();
    await content.ingest(describeBlob(new Uint8Array()), from(new Uint8Array()));
    expect(await content.read(sha256(''))).toHaveLength(0);
  });

  it('shares one transfer between callers', async () => {
    const { content } = open();
    const bytes = randomBytes(200_000);
    let transfers = 0;
    const origin: BlobOrigin = (offset) => {
      transfers += 1;
      return from(bytes)(offset);
    };
    await Promise.all(Array.from({ length: 20 }, () => content.ingest(describeBlob(bytes), origin)));
    expect(transfers).toBe(1);
  });

  it('lets one caller give up without hurting the others', async () => {
    const { content } = open();
    const bytes = randomBytes(100_000);
    const gate = deferred();
    const origin: BlobOrigin = async function* () {
      yield bytes.subarray(0, 50_000);
      await gate.promise;
      yield bytes.subarray(50_000);
    };
    const abort = new AbortController();
    const first = content.ingest(describeBlob(bytes), origin, { signal: abort.signal });
    const second = content.ingest(describeBlob(bytes), origin);
    first.catch(() => {});
    abort.abort();
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    gate.resolve();
    await second;
    expect(await content.has(sha256(bytes))).toBe(true);
  });

  it('ends a transfer whose origin hangs when it is cancelled', async () => {
    const { content } = open();
    const bytes = randomBytes(10);
    const never: BlobOrigin = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });
    await expect(content.ingest(describeBlob(bytes), never, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject(
      {
        code: 'cancelled',
      },
    );
    await content.ingest(describeBlob(bytes), from(bytes));
  });

  it('goes on where a broken transfer stopped, in one call and over two', async () => {
    const { content } = open();
    const bytes = randomBytes(400_000);
    const offsets: number[] = [];
    const seen: number[] = [];
    const breaking = (error: Error, at: number): BlobOrigin =>
      async function* (offset) {
        offsets.push(offset);
        if (offset > at) {
          yield* from(bytes)(offset);
          return;
        }
        yield bytes.subarray(offset, offset + 150_000);
        throw error;
      };
    await expect(content.ingest(describeBlob(bytes), breaking(new Error('cable cut'), 0))).rejects.toThrow('cable cut');
    const retryable = new WctrError('registry-unreachable', 'reset');
    await content.ingest(describeBlob(bytes), breaking(retryable, 200_000), {
      createVerifier: () => ({
        update: (chunk) => void seen.push(chunk.length),
        digestHex: () => sha256(bytes).slice(7),
      }),
    });
    expect(offsets).toEqual([0, 150_000, 300_000]);
    expect(seen.reduce((a, b) => a + b)).toBe(bytes.length);
  });

  it('starts again when the prefix on disk was bad', async () => {
    const store = open();
    const bytes = randomBytes(100_000);
    const descriptor = describeBlob(bytes);
    await store.fs.mkdir(store.layout.tmp, { recursive: true });
    await store.fs.writeFile(store.layout.partial(descriptor.digest), new Uint8Array(40_000));
    const offsets: number[] = [];
    await store.content.ingest(descriptor, (offset) => {
      offsets.push(offset);
      return from(bytes)(offset);
    });
    expect(offsets).toEqual([40_000, 0]);
    expect(await store.content.verifyAll()).toEqual([]);
  });

  const bytes = randomBytes(5_000);
  it.each<[string, Descriptor, BlobOrigin, { code: string; message: RegExp }]>([
    [
      'wrong bytes',
      describeBlob(bytes),
      from(randomBytes(5_000)),
      { code: 'digest-mismatch', message: /^blob sha256:[0-9a-f]{64}: the bytes received are sha256:[0-9a-f]{64}$/ },
    ],
    [
      'too many bytes',
      describeBlob(bytes),
      from(Buffer.concat([bytes, bytes])),
      { code: 'size-mismatch', message: /^blob sha256:[0-9a-f]{64}: more than the 5000 bytes its descriptor states$/ },
    ],
    [
      'too few bytes',
      describeBlob(bytes),
      from(bytes.subarray(0, 4_999)),
      { code: 'size-mismatch', message: /^blob sha256:[0-9a-f]{64}: ended after 4999 of 5000 bytes$/ },
    ],
    ['a lying size', { ...describeBlob(bytes), size: 4_000 }, from(bytes), { code: 'size-mismatch', message: /4000/ }],
    ['a negative size', { ...describeBlob(bytes), size: -1 }, from(bytes), { code: 'size-mismatch', message: /-1/ }],
    [
      'a digest that is a path',
      { ...describeBlob(bytes), digest: 'sha256:../../../etc/passwd' },
      from(bytes),
      { code: 'invalid-argument', message: /is not a digest$/ },
    ],
  ])('refuses %s and keeps nothing', async (_name, descriptor, origin, expected) => {
    const store = open();
    await expect(store.content.ingest(descriptor, origin)).rejects.toMatchObject({
      code: expected.code,
      message: expect.stringMatching(expected.message),
    });
    expect(await store.content.list()).toEqual([]);
    expect(await store.fs.readdir(store.layout.tmp).catch(() => [])).toEqual([]);
  });

  it('finds a flipped bit when a blob is read', async () => {
    const store = open();
    const { digest } = await store.content.put('text/plain', bytes);
    const flipped = Buffer.from(bytes);
    flipped[1234]! ^= 0x10;
    await store.fs.writeFile(store.layout.blob(digest), flipped);
    await expect(store.content.read(digest)).rejects.toMatchObject({ code: 'store-corrupt' });
    expect(await store.content.verifyAll()).toEqual([digest]);
  });

  it('reads no document above its limit, and says what is missing', async () => {
    const { content } = open();
    const { digest } = await content.put('text/plain', bytes);
    await expect(content.read(digest, 4_999)).rejects.toMatchObject({ code: 'limit-exceeded' });
    await expect(content.read(sha256('nothing'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

it('takes no lock and writes nothing when a blob is only read', async () => {
  const root = join(dir, 'read-only');
  const { content } = diskStore(root);
  const { digest } = await content.put('text/plain', new TextEncoder().encode('x'));
  removeTree(join(root, 'locks'));
  await content.ingest({ mediaType: 'text/plain', digest, size: 1 }, () => {
    throw new Error('must not be asked');
  });
  await content.read(digest);
  expect(readdirSync(root).sort()).toEqual(['blobs', 'tmp']);
  writeFileSync(join(root, 'blobs', 'sha256', 'not-a-digest'), '');
  expect(await content.list()).toHaveLength(1);
});

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
