/** How blobs and manifests get into a registry that breaks, forgets and lies. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobOrigin } from '../../../../src/images/contracts.ts';
import type { PushTarget } from '../../../../src/images/registry/push-target.ts';
import type { UploadOptions } from '../../../../src/images/registry/upload.ts';
import type { Descriptor } from '../../../../src/spec/image-spec.ts';
import { answer, cutAfter, type PushRegistry, startPushRegistry } from '../../../support/push-registry.ts';
import { createTestClient } from '../../../support/registry-client.ts';
import { noise } from '../../../support/registry-images.ts';
import { sha256 } from '../../../support/registry-server.ts';

const SMALL = noise(1000);
const LARGE = noise(6_000_000, 2);

let registry: PushRegistry;
let target: PushTarget;
beforeEach(async () => {
  registry = await startPushRegistry();
  target = createTestClient().target({ domain: registry.host, path: 'team/app' });
});
afterEach(() => registry.close());

const describeBlob = (bytes: Uint8Array): Descriptor => ({
  mediaType: 'application/octet-stream',
  digest: sha256(bytes),
  size: bytes.length,
});

const originOf = (bytes: Uint8Array): BlobOrigin =>
  async function* (offset) {
    for (let at = offset; at < bytes.length; at += 100_000) yield bytes.slice(at, at + 100_000);
  };

const upload = (bytes: Uint8Array, options: UploadOptions = {}) =>
  target.upload(describeBlob(bytes), originOf(bytes), options);

const stored = (bytes: Uint8Array) => registry.blobs.get(sha256(bytes))?.equals(bytes);

describe('a blob', () => {
  it('that is small goes in one piece', async () => {
    expect(await upload(SMALL)).toBe('uploaded');
    expect(stored(SMALL)).toBe(true);
    expect(registry.requests(/uploads/).map(({ method }) => method)).toEqual(['POST', 'PUT']);
  });

  it('of no bytes goes too', async () => {
    expect(await upload(new Uint8Array())).toBe('uploaded');
    expect(stored(new Uint8Array())).toBe(true);
  });

  it('that is large is streamed with its length', async () => {
    expect(await upload(LARGE)).toBe('uploaded');
    expect(stored(LARGE)).toBe(true);
    const [put] = registry.requests(/PUT/);
    expect(put?.headers['content-length']).toBe(String(LARGE.length));
    expect(put?.headers['transfer-encoding']).toBeUndefined();
  });

  it('goes in chunks where the host cannot stream, as large as the registry wants them', async () => {
    registry.minChunkBytes = 2_500_000;
    await upload(LARGE, { canStream: false, chunkBytes: 1_000_000 });
    expect(stored(LARGE)).toBe(true);
    expect(registry.requests(/PATCH/).map(({ headers }) => headers['content-range'])).toEqual([
      '0-2499999',
      '2500000-4999999',
      '5000000-5999999',
    ]);
    expect(registry.requests(/PUT/)[0]?.bytes).toBe(0);
  });

  it('is mounted where that may be, and sent where not', async () => {
    registry.blobs.set(sha256(SMALL), Buffer.from(SMALL));
    expect(await upload(SMALL, { mountFrom: 'team/base' })).toBe('mounted');
    registry.canMount = false;
    expect(await upload(SMALL, { mountFrom: 'team/base' })).toBe('uploaded');
    expect(registry.requests(/POST/).map(({ url }) => url)).toEqual(
      Array(2).fill(`/v2/team/app/blobs/uploads/?mount=${encodeURIComponent(sha256(SMALL))}&from=team%2Fbase`),
    );
  });

  it("keeps a Location's query to the letter", async () => {
    await upload(SMALL);
    expect(registry.requests(/PUT/)[0]?.url).toContain('?_state=a%3Db%2Bc==&n=1&digest=sha256%3A');
  });

  it.each([
    ['relative', (path: string) => path],
    ['absolute', (path: string) => `http://${registry.host}${path}`],
    ['without a scheme', (path: string) => `//${registry.host}${path}`],
  ])('follows a Location that is %s', async (_kind, locate) => {
    registry.locate = locate;
    await upload(LARGE, { canStream: false, chunkBytes: 4_000_000 });
    expect(stored(LARGE)).toBe(true);
  });
});

describe('a broken connection', () => {
  it('is no loss where the registry says how much it has', async () => {
    registry.plan(/PUT/, cutAfter(registry, 2_000_000, true), 1);
    expect(await upload(LARGE)).toBe('uploaded');
    expect(stored(LARGE)).toBe(true);
    const [patch] = registry.requests(/PATCH/);
    expect(patch?.headers['content-range']).toBe(`2000000-${LARGE.length - 1}`);
  });

  it('starts anew where the session is lost, and in chunks', async () => {
    registry.plan(
      /PUT/,
      async (request, response) => {
        registry.uploads.clear();
        return cutAfter(registry, 1_000_000, false)(request, response);
      },
      1,
    );
    await upload(LARGE, { chunkBytes: 2_000_000 });
    expect(stored(LARGE)).toBe(true);
    expect(registry.requests(/POST/)).toHaveLength(2);
    expect(registry.requests(/PATCH/)).toHaveLength(3);
  });

  it('again and again is gone through as long as something arrives', async () => {
    registry.plan(/PUT|PATCH/, cutAfter(registry, 500_000, true), 8);
    await upload(LARGE, { chunkBytes: 1_000_000 });
    expect(stored(LARGE)).toBe(true);
  });

  it('again and again for nothing is given up, and nothing is left behind', async () => {
    registry.plan(/PUT|PATCH/, cutAfter(registry, 1000, false));
    await expect(upload(LARGE)).rejects.toMatchObject({
      code: 'registry-unreachable',
      message: expect.stringMatching(/the upload of blob sha256:\w+ broke off after 0 of 6000000 bytes/),
      hint: 'push again: what the registry has is not sent twice',
    });
    expect(registry.uploads.size).toBe(0);
    expect(registry.blobs.size).toBe(0);
  });

  it('on which nothing moves is one too', async () => {
    registry.plan(/PUT/, (request) => request.pause() !== undefined, 1);
    expect(await upload(LARGE)).toBe('uploaded');
    registry.plan(/PUT/, (request) => request.pause() !== undefined, 1);
    expect(await upload(SMALL)).toBe('uploaded');
    expect(stored(LARGE) && stored(SMALL)).toBe(true);
  });

  it('after the last byte is no reason to send it again', async () => {
    registry.plan(
      /PUT/,
      async (request, response) => {
        for await (const _ of request) {
          // The bytes arrive; their acknowledgement does not.
        }
        registry.blobs.set(sha256(LARGE), Buffer.from(LARGE));
        response.destroy();
        return true;
      },
      1,
    );
    expect(await upload(LARGE)).toBe('uploaded');
    expect(registry.requests(/POST/)).toHaveLength(1);
  });

  it.each([500, 503, 404, 416])('or an answer %i on the way is gone through', async (code) => {
    registry.plan(/PATCH/, answer(code), 2);
    await upload(LARGE, { canStream: false, chunkBytes: 1_000_000 });
    expect(stored(LARGE)).toBe(true);
  });

  it('or a server that is too busy is waited for', async () => {
    registry.plan(/PUT/, answer(429, { 'retry-after': '1' }), 1);
    await upload(SMALL);
    expect(stored(SMALL)).toBe(true);
  });
});

describe('what is cancelled', () => {
  it('leaves no session behind', async () => {
    const leave = new AbortController();
    registry.plan(
      /PATCH/,
      (request) => {
        request.resume();
        leave.abort();
        return true;
      },
      1,
    );
    await expect(upload(LARGE, { canStream: false, signal: leave.signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect.poll(() => registry.uploads.size).toBe(0);
  });
});

describe('bytes that cannot be read', () => {
  it.each([true, false])('are the error, not the network (streamed: %s)', async (canStream) => {
    const failing: BlobOrigin = async function* () {
      yield LARGE.slice(0, 100_000);
      throw new Error('disk is gone');
    };
    await expect(target.upload(describeBlob(LARGE), failing, { canStream })).rejects.toThrow('disk is gone');
    expect(registry.uploads.size).toBe(0);
  });

  it('are too few', async () => {
    await expect(target.upload(describeBlob(LARGE), originOf(LARGE.slice(0, 1000)))).rejects.toMatchObject({
      code: expect.stringMatching(/size-mismatch|registry-unreachable|digest-mismatch/),
    });
    expect(registry.blobs.size).toBe(0);
  });

  it('are others than they should be', async () => {
    const wrong = new Uint8Array(SMALL).fill(1);
    await expect(target.upload(describeBlob(SMALL), originOf(wrong))).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });
});

describe('tokens', () => {
  beforeEach(() => {
    registry.login = { kind: 'bearer', username: 'me', password: 'secret' };
    const credentials = async () => ({ username: 'me', password: 'secret' });
    target = createTestClient({ credentials }).target({ domain: registry.host, path: 'team/app' });
  });

  it('are for writing to the one repository', async () => {
    await target.hasBlob(describeBlob(SMALL));
    await upload(SMALL);
    expect(registry.scopes).toEqual([['repository:team/app:pull,push']]);
  });

  it('let the source of a mount be read as well', async () => {
    await upload(SMALL, { mountFrom: 'team/base' });
    expect(registry.scopes).toContainEqual(['repository:team/app:pull,push', 'repository:team/base:pull']);
  });
});
