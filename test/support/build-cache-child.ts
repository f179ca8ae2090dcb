/**
 * A builder that keeps steps in the cache of a store, as others do at the same time. argv: store root, its own name. Prints
 * for each of a hundred keys whose result stayed.
 */
import { LocalBuildCache } from '../../src/build/cache/local-build-cache.ts';
import { createNodeHasher, diskStore, openImages, sha256 } from './image-store.ts';

const [root = '', name = ''] = process.argv.slice(2);
const cache = new LocalBuildCache({ ...openImages(diskStore(root)), createHasher: createNodeHasher });
const pins = { pin: async () => {} };
for (let i = 0; i < 100; i += 1) {
  const key = sha256(`step ${i}`);
  const kept = await cache.keep(key, { layers: [], description: name, kind: 'run' });
  const found = await cache.find(key, pins);
  process.stdout.write(`${i} ${kept.description} ${found?.description}\n`);
}
