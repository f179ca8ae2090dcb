/**
 * `save`: an OCI layout in a tar that docker load, podman and skopeo read too (`manifest.json` beside `index.json`, as
 * docker writes it since version 25). The same images make the same bytes.
 */
import { ANNOTATION, type Descriptor } from '../spec/image-spec.ts';
import { blobPath, type LayoutBlob, layoutMembers } from './archive/oci-layout.ts';
import { type TarMember, writeTar } from './archive/tar-writer.ts';
import type { ImageRecord } from './image-record.ts';
import type { Image, ImageStore } from './image-store.ts';
import { familiarName, parseImageName, parseReference } from './reference.ts';
import { isArtifact } from './variants.ts';

/**
 * The tar of some images, by name or id. One given by name keeps that name, one given by id has none. Throws
 * `no-such-image` before the first byte, `store-corrupt` when a blob turns out damaged on the way.
 */
export async function saveImages(images: ImageStore, names: readonly string[]): Promise<AsyncIterable<Uint8Array>> {
  return writeTar(await layoutOf(images, names));
}

/** The same as files, for a layout directory (`writeMembers`). */
export async function layoutOf(images: ImageStore, names: readonly string[]): Promise<readonly TarMember[]> {
  const saved = new Map<string, { image: Image; references: Set<string> }>();
  for (const name of names) {
    const record = await images.resolve(name);
    const { digest } = record.manifest;
    const entry = saved.get(digest) ?? { image: await images.openRecord(record), references: new Set() };
    if (record.reference !== undefined && isByName(name, record)) entry.references.add(record.reference);
    saved.set(digest, entry);
  }
  const chosen = [...saved.values()];
  const manifests = chosen.flatMap(({ image, references }) => indexEntries(image, [...references].sort()));
  const blobs = chosen.flatMap(({ image }) => blobsOf(images, image));
  const dockerList = chosen.filter(({ image }) => !isArtifact(image.manifest)).map(dockerEntry);
  return [...layoutMembers(manifests, blobs, { 'manifest.json': dockerList })];
}

function isByName(name: string, record: ImageRecord): boolean {
  return parseImageName(name).kind === 'reference' && !record.id.slice(7).startsWith(name.replace(/^sha256:/, ''));
}

/** The manifest itself, not the index it may have come from: of that the other platforms are not here. */
function indexEntries({ record, config }: Image, references: readonly string[]): Descriptor[] {
  const { mediaType, digest, size } = record.manifest;
  const { os, architecture, variant } = config.platform;
  const platform = { architecture, os, ...(variant === undefined ? {} : { variant }) };
  const entry: Descriptor = { mediaType, digest, size, platform };
  const tagged = references.flatMap((reference) => {
    const { tag } = parseReference(reference);
    if (tag === undefined) return [];
    return [{ ...entry, annotations: { [ANNOTATION.containerdName]: reference, [ANNOTATION.refName]: tag } }];
  });
  return tagged.length > 0 ? tagged : [entry];
}

function blobsOf(images: ImageStore, { record, manifest }: Image): LayoutBlob[] {
  return [record.manifest, manifest.config, ...manifest.layers].map(({ digest, size }) => ({
    digest,
    sizeBytes: size,
    data: () => images.content.stream(digest, { verify: true }),
  }));
}

function dockerEntry({ image, references }: { image: Image; references: ReadonlySet<string> }): unknown {
  const { manifest } = image;
  const tags = [...references].map(parseReference).filter(({ tag }) => tag !== undefined);
  return {
    Config: blobPath(manifest.config.digest),
    RepoTags: tags.length === 0 ? null : tags.map(familiarName).sort(),
    Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
  };
}
