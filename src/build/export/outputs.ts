/** Where a build's result goes: into the store under its names, or to the caller as a tar. */
import { blobPath, type LayoutBlob, layoutMembers } from '../../images/archive/oci-layout.ts';
import { writeTar } from '../../images/archive/tar-writer.ts';
import type { ImageStore } from '../../images/image-store.ts';
import { canonicalName, familiarName, type Reference } from '../../images/reference.ts';
import { ANNOTATION, type Descriptor } from '../../spec/image-spec.ts';
import { layerTar } from '../stage/write-layer.ts';
import { type FileTree, join } from '../tree/file-tree.ts';
import type { ChangedEntry } from '../tree/stage-tree.ts';
import type { BuiltImage, BuiltImages } from './documents.ts';

/** Records of the image, one for each name, or one without. Everything that belongs to it stays as long as they do. */
export async function keepImage(
  images: ImageStore,
  { target, images: built, attestations }: BuiltImages,
  references: readonly Reference[],
): Promise<void> {
  const [first, ...others] = built as [BuiltImage, ...BuiltImage[]];
  const beside = others.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]).concat(attestations);
  const indexes = beside.map((one) => one.digest);
  const { mediaType, digest, size } = target;
  const image = { target: { mediaType, digest, size }, indexes: [...new Set(indexes)], manifest: first.manifest };
  if (references.length === 0) await images.put(image);
  for (const reference of references) await images.put({ ...image, reference });
}

/** A tar of an OCI layout; with docker's `manifest.json` in it docker reads it too. */
export function layoutTar(
  images: ImageStore,
  { target, images: built, attestations }: BuiltImages,
  references: readonly Reference[],
  form: 'oci' | 'docker',
): AsyncIterable<Uint8Array> {
  const named = references.map((reference): Descriptor => {
    const names = { [ANNOTATION.containerdName]: canonicalName(reference), [ANNOTATION.refName]: reference.tag ?? '' };
    return { ...target, annotations: { ...target.annotations, ...names } };
  });
  const documents = built.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers]);
  const blobs = [...documents, ...attestations, target].map(
    ({ digest, size }): LayoutBlob => ({
      digest,
      sizeBytes: size,
      data: () => images.content.stream(digest, { verify: true }),
    }),
  );
  const list = built.map(({ config, layers }) => ({
    Config: blobPath(config.digest),
    RepoTags: references.length === 0 ? null : references.map(familiarName).sort(),
    Layers: layers.map(({ digest }) => blobPath(digest)),
  }));
  const extra = form === 'docker' ? { 'manifest.json': list } : {};
  return writeTar([...layoutMembers(named.length === 0 ? [target] : named, blobs, extra)]);
}

/** A tar of files, those of each tree below its directory; '' is none. All with one time. */
export async function* filesTar(
  trees: readonly { readonly directory: string; readonly tree: FileTree }[],
  mtime: number,
): AsyncGenerator<Uint8Array> {
  const entries: ChangedEntry[] = [];
  for (const { directory, tree } of trees) {
    if (directory !== '') entries.push({ path: directory, entry: (await tree.lstat(''))! });
    await walk(tree, '', directory, entries);
  }
  yield* layerTar(entries, mtime);
}

async function walk(tree: FileTree, path: string, prefix: string, entries: ChangedEntry[]): Promise<void> {
  for (const name of await tree.list(path)) {
    const at = join(path, name);
    const entry = await tree.lstat(at);
    if (entry === undefined) continue;
    entries.push({ path: join(prefix, at), entry });
    if (entry.kind === 'directory') await walk(tree, at, prefix, entries);
  }
}
