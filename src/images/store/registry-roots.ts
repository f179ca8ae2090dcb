/**
 * What the registry on this store keeps from the garbage collector: every blob and manifest linked in a repository. The
 * registry itself (src/registry) writes these names; a collector that runs without it only has to read them.
 *
 * ```
 * <root>/registry/repositories/<name, + for />/blobs/<algorithm>-<hex>
 * <root>/registry/repositories/<name, + for />/manifests/<algorithm>-<hex>
 * ```
 */
import type { FileSystem } from '../../host/ports.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { isDigest } from '../digest.ts';
import { isMissing } from './disk-error.ts';
import type { StoreLayout } from './layout.ts';

export async function registryBlobs(fs: FileSystem, layout: StoreLayout): Promise<Digest[]> {
  const found: Digest[] = [];
  const repositories = `${layout.registry}/repositories`;
  for (const repository of await namesIn(fs, repositories)) {
    for (const kind of ['blobs', 'manifests']) {
      for (const name of await namesIn(fs, `${repositories}/${repository}/${kind}`)) {
        const digest = name.replace('-', ':');
        if (isDigest(digest)) found.push(digest);
      }
    }
  }
  return found;
}

async function namesIn(fs: FileSystem, dir: string): Promise<string[]> {
  return fs.readdir(dir).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
}
