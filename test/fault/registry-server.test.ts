/** kill -9 of the registry while clients push: what was acknowledged is whole, what was not cannot be seen. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeHasher } from '../../src/host/node/hasher.ts';
import { openLocalStorage } from '../../src/registry/node/store.ts';
import { createRegistry } from '../../src/registry/registry.ts';
import { openCli } from '../support/cli.ts';
import { DistributionClient, digestOf, image, OCTETS } from '../support/distribution-client.ts';
import { startRegistryChild } from '../support/registry-child.ts';

const KILLS = Number(process.env.WCTR_TEST_KILLS ?? 6);
const PUSHES = Number(process.env.WCTR_TEST_PUSHES ?? 40);
const WORKERS = 4;
const LAYER_BYTES = 400_000;

interface Acknowledged {
  readonly blobs: Map<string, number>;
  readonly manifests: Map<string, string>;
}

function filesUnder(dir: string): { path: string; bytes: number }[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [{ path, bytes: statSync(path).size }];
  });
}

/** One image with a layer in two chunks; notes each step the registry has confirmed. */
async function push(client: DistributionClient, repository: string, tag: string, done: Acknowledged): Promise<void> {
  const parts = image({ layers: 1, fields: { annotations: { tag } } });
  const layer = new Uint8Array(LAYER_BYTES).map((_, i) => (i * 7 + tag.length + tag.charCodeAt(tag.length - 1)) & 0xff);
  const manifest = JSON.parse(new TextDecoder().decode(parts.manifest.bytes));
  manifest.layers = [{ mediaType: 'application/x', digest: digestOf(layer), size: layer.length }];
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  done.blobs.set(await client.pushBlob(repository, parts.config.bytes), parts.config.bytes.length);
  const half = LAYER_BYTES / 2;
  const first = await client.send('PATCH', await client.start(repository), OCTETS, layer.subarray(0, half));
  if (first.status !== 202) throw new Error(`chunk: ${first.status}`);
  const closed = await client.put(first.headers.get('location')!, digestOf(layer), layer.subarray(half));
  if (closed.status !== 201) throw new Error(`layer: ${closed.status}`);
  done.blobs.set(digestOf(layer), layer.length);
  const answer = await client.pushManifest(repository, tag, { mediaType: parts.manifest.mediaType, bytes });
  if (answer.status !== 201) throw new Error(`manifest: ${answer.status}`);
  done.manifests.set(`${repository}:${tag}`, digestOf(bytes));
}

describe('a registry that is killed', () => {
  it(`keeps all it has acknowledged over ${KILLS} kills during ${PUSHES} pushes, and gives the rest back`, async () => {
    const root = mkdtempSync(join(tmpdir(), 'wctr-killed-registry-'));
    const done: Acknowledged = { blobs: new Map(), manifests: new Map() };
    let child = await startRegistryChild(root);
    let pushes = 0;
    let isOver = false;
    let failures = 0;
    const workers = Array.from({ length: WORKERS }, async (_, worker) => {
      while (pushes < PUSHES) {
        const number = pushes++;
        for (let tries = 0; ; tries++) {
          try {
            await push(new DistributionClient(child.url), `w${worker}/app`, `t${number}`, done);
            break;
          } catch (error) {
            failures += 1;
            if (tries > 60) throw error;
            await new Promise((resolve) => setTimeout(resolve, 100));
          }
        }
      }
    });
    const killer = (async () => {
      for (let kills = 0; kills < KILLS && !isOver; kills++) {
        await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 350));
        await child.kill();
        child = await startRegistryChild(root);
      }
    })();
    await Promise.all(workers);
    isOver = true;
    await killer;

    const client = new DistributionClient(child.url);
    expect(done.manifests.size).toBe(PUSHES);
    for (const [name, digest] of done.manifests) {
      const [repository, tag] = name.split(':');
      const answer = await client.send('GET', `/v2/${repository}/manifests/${tag}`);
      const bytes = new Uint8Array(await answer.arrayBuffer());
      expect(digestOf(bytes), name).toBe(digest);
      const document = JSON.parse(new TextDecoder().decode(bytes));
      for (const { digest: blob, size } of [document.config, ...document.layers]) {
        const head = await client.send('HEAD', `/v2/${repository}/blobs/${blob}`);
        expect(head.headers.get('content-length'), blob).toBe(`${size}`);
      }
    }
    // Under its name there is a whole blob or none, whenever the power went.
    for (const { path } of filesUnder(join(root, 'blobs'))) {
      expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(path.split('/').at(-1));
    }

    for (const [name, digest] of done.manifests) {
      const deleted = await client.send('DELETE', `/v2/${name.split(':')[0]}/manifests/${digest}`);
      expect([202, 404]).toContain(deleted.status);
    }
    expect(await child.end()).toBe(0);
    const storage = await openLocalStorage(root, false);
    const registry = createRegistry({ driver: storage.driver, createHasher: nodeHasher });
    // What a killed registry was writing has no name that matters; the collector takes such files after an hour.
    await registry.collect({ graceMs: -1000, uploadGraceMs: -1000 });
    await storage.release();
    const left = filesUnder(root).filter(({ path }) => !path.includes('/tmp/'));
    expect(left.filter(({ path }) => !path.includes('/locks/'))).toEqual([]);
    rmSync(root, { recursive: true });
    if (KILLS >= 6) expect(failures).toBeGreaterThan(0);
  }, 600_000);

  it('gc of another process leaves the one that serves alone', async () => {
    const cli = openCli();
    const root = join(cli.dir, 'store');
    const child = await startRegistryChild(root);
    const done: Acknowledged = { blobs: new Map(), manifests: new Map() };
    await push(new DistributionClient(child.url), 'a', 'v1', done);
    const lonely = await new DistributionClient(child.url).pushBlob('a', 'nobody needs it');
    const gc = await cli.run(['registry', 'gc', '--grace', '0']);
    expect(gc).toMatchObject({ code: 0 });
    expect(gc.stdout).toContain('Removed 1 blobs, 1 links');
    const client = new DistributionClient(child.url);
    expect((await client.send('HEAD', `/v2/a/blobs/${lonely}`)).status).toBe(404);
    expect((await client.send('GET', '/v2/a/manifests/v1')).status).toBe(200);
    await child.end();
    cli.remove();
  });
});
