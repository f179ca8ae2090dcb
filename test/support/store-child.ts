/**
 * A process that works on a store until it is killed. argv: store root, seed, mode.
 * `ingest`: brings in blobs of a size and content known by number, over and over, and prints each digest once acknowledged.
 * `once`: brings in blob 0 slowly and prints how many transfers it started itself.
 * `hold`: takes the lock `name` and holds it. `count`: increments a file 100 times under the lock.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectGarbage } from '../../src/images/gc.ts';
import { importImage } from '../../src/images/import.ts';
import { parseReference } from '../../src/images/reference.ts';
import { chunks, diskStore, openImages, sha256, tarOf } from './image-store.ts';
import { blobNumber } from './store-blobs.ts';

const [root = '', seed = '0', mode = 'ingest'] = process.argv.slice(2);
const store = diskStore(root);
const say = (line: string) => process.stdout.write(`${line}\n`);

if (mode === 'ingest') {
  for (let i = Number(seed); ; i += 1) {
    const bytes = blobNumber(i % 50);
    const digest = sha256(bytes);
    await store.content.ingest({ mediaType: 'text/plain', digest, size: bytes.length }, async function* (offset) {
      for await (const chunk of chunks(bytes.subarray(offset), 8192)) {
        yield chunk;
        await sleep(0);
      }
    });
    say(digest);
    if (i % 7 === 3) await store.content.delete(digest);
  }
} else if (mode === 'images') {
  const images = openImages(store);
  for (let i = Number(seed); ; i += 1) {
    const tar = await tarOf({ a: `${i}` });
    const record = await importImage(images, chunks(tar), { reference: parseReference(`app:${i % 5}`) });
    say(`${i % 5} ${record.id}`);
    if (i % 4 === 0) await collectGarbage(images.collector);
  }
} else if (mode === 'once') {
  const bytes = blobNumber(0);
  let transfers = 0;
  await store.content.ingest(
    { mediaType: 'text/plain', digest: sha256(bytes), size: bytes.length },
    async function* (offset) {
      transfers += 1;
      for await (const chunk of chunks(bytes.subarray(offset), 16384)) {
        yield chunk;
        await sleep(5);
      }
    },
  );
  say(
    `transfers ${transfers} ${createHash('sha256')
      .update(await store.content.read(sha256(bytes)))
      .digest('hex')}`,
  );
} else if (mode === 'hold') {
  await store.locks.acquire('name');
  say('held');
  await sleep(60_000);
} else if (mode === 'count') {
  const path = join(root, 'count');
  for (let i = 0; i < 100; i += 1) {
    const lock = await store.locks.acquire('name');
    const count = Number(readFileSync(path, 'utf8'));
    if (i % 10 === 0) await sleep(1);
    writeFileSync(path, String(count + 1));
    await lock.release();
  }
  say('done');
}
