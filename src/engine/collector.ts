import type { CollectorOptions, Roots } from '../images/gc.ts';
import type { RemovalContext } from '../images/image-remove.ts';
import { isRunning } from './container-state.ts';
import type { EngineParts } from './parts.ts';

type CollectorParts = Pick<
  EngineParts,
  'fs' | 'layout' | 'locks' | 'createHasher' | 'content' | 'leases' | 'containers'
> & { readonly images: CollectorOptions['images'] };

/** The garbage collector over this store, with containers, the build cache and the registry as its roots beside the image records. */
export function collectorOptions(parts: CollectorParts): CollectorOptions {
  const { fs, layout, locks, createHasher, content, images, leases, containers } = parts;
  const roots = async (): Promise<Roots> => {
    const records = await containers.list();
    const { registryBlobs } = await import('../images/store/registry-roots.ts');
    const { buildCacheRoots } = await import('../build/cache/local-build-cache.ts');
    const cached = await buildCacheRoots({ fs, layout, createHasher });
    return {
      blobs: [...(await registryBlobs(fs, layout)), ...cached.blobs],
      manifests: records.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest])),
      stacks: [...records.map(({ diffIds }) => diffIds), ...cached.stacks],
    };
  };
  return { fs, layout, locks, createHasher, content, images, leases, roots };
}

export function removalContext(parts: EngineParts): RemovalContext {
  const { images, containers } = parts;
  return {
    images,
    collector: collectorOptions(parts),
    usersOf: async (id) =>
      (await containers.list())
        .filter(({ imageId }) => imageId === id)
        .map((record) => ({
          container: record.key.slice(0, 12),
          isRunning: isRunning(record.state) && containers.runs(record),
        })),
  };
}
