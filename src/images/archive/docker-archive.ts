/**
 * The format of `docker save` before it was an OCI layout as well (and of skopeo's docker-archive): `manifest.json`
 * lists configs and plain layer tars, there are no manifests. One is made here, so that such an image has a digest.
 */
import { WctrError } from '../../errors.ts';
import { type Descriptor, type Digest, MEDIA_TYPE } from '../../spec/image-spec.ts';
import { parseImageConfig } from '../config.ts';
import { type CreateHasher, digestOf } from '../digest.ts';
import { JsonDocument } from '../json-document.ts';
import { MAX_DOCUMENT_BYTES } from '../manifest.ts';
import { quote } from '../quote.ts';
import { type ArchiveFiles, readSmallFile } from './files.ts';
import type { ImageSource, SourceImage } from './source.ts';

const MAX_IMAGES = 1024;

export async function isDockerArchive(files: ArchiveFiles): Promise<boolean> {
  return (await files.size('manifest.json')) !== undefined;
}

/** Throws `invalid-manifest`, `not-found` for a file that is named but not there. */
export async function readDockerArchive(files: ArchiveFiles, createHasher: CreateHasher): Promise<ImageSource> {
  const list = new TextDecoder().decode(await readSmallFile(files, 'manifest.json', MAX_DOCUMENT_BYTES));
  // JsonDocument wants an object at the root; the list is the value of one
  const wrapped = new TextEncoder().encode(`{"images":${list}}`);
  const document = new JsonDocument(`manifest.json of ${files.what}`, wrapped);
  const entries = document.array(document.root.images, 'the list', MAX_IMAGES) ?? [];
  const paths = new Map<Digest, string>();
  const made = new Map<Digest, Uint8Array>();
  const images: SourceImage[] = [];
  for (const [i, entry] of entries.entries()) {
    const fields = document.object(entry, `[${i}]`);
    const config = document.text(fields.Config, `[${i}].Config`, 4096);
    const layers = document.texts(fields.Layers, `[${i}].Layers`, 1024, 4096) ?? [];
    const names = document.texts(fields.RepoTags, `[${i}].RepoTags`, 1024, 1024) ?? [];
    if (config === undefined) throw document.fail(`[${i}].Config is missing`);
    const manifest = await makeManifest(files, createHasher, config, layers, paths);
    const digest = digestOf(createHasher, manifest);
    made.set(digest, manifest);
    images.push({ names, target: { mediaType: MEDIA_TYPE.ociManifest, digest, size: manifest.length } });
  }
  return {
    what: files.what,
    images,
    has: async ({ digest }) => made.has(digest) || paths.has(digest),
    blob: ({ digest }) =>
      async function* (offset) {
        const bytes = made.get(digest);
        const path = paths.get(digest);
        if (bytes !== undefined) yield bytes.subarray(offset);
        else if (path !== undefined) yield* files.stream(path, offset);
        else throw new WctrError('not-found', `${files.what} does not hold blob ${digest}`, { data: { digest } });
      },
    close: () => files.close(),
  };
}

async function makeManifest(
  files: ArchiveFiles,
  createHasher: CreateHasher,
  configPath: string,
  layerPaths: readonly string[],
  paths: Map<Digest, string>,
): Promise<Uint8Array> {
  const configBytes = await readSmallFile(files, configPath, MAX_DOCUMENT_BYTES);
  const config = parseImageConfig(configBytes, `${quote(configPath)} of ${files.what}`);
  if (config.diffIds.length !== layerPaths.length) {
    throw new WctrError(
      'invalid-manifest',
      `${files.what}: ${layerPaths.length} layers but ${config.diffIds.length} rootfs.diff_ids`,
    );
  }
  const configDigest = digestOf(createHasher, configBytes);
  paths.set(configDigest, configPath);
  const layers: Descriptor[] = [];
  for (const [i, path] of layerPaths.entries()) {
    const layer = await describeLayer(files, createHasher, path, config.diffIds[i] as Digest);
    paths.set(layer.digest, path);
    layers.push(layer);
  }
  return new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: { mediaType: MEDIA_TYPE.ociConfig, digest: configDigest, size: configBytes.length },
      layers,
    }),
  );
}

/** A plain layer is called what its diff ID says (and refused later if it is not that); a compressed one is hashed. */
async function describeLayer(
  files: ArchiveFiles,
  createHasher: CreateHasher,
  path: string,
  diffId: Digest,
): Promise<Descriptor> {
  const size = await files.size(path);
  if (size === undefined) throw new WctrError('not-found', `${files.what} has no file ${quote(path)}`);
  const mediaType = layerMediaType(await firstBytes(files, path));
  if (mediaType === MEDIA_TYPE.ociLayerTar) return { mediaType, digest: diffId, size };
  const hasher = createHasher('sha256');
  for await (const chunk of files.stream(path)) hasher.update(chunk);
  return { mediaType, digest: `sha256:${hasher.digestHex()}`, size };
}

async function firstBytes(files: ArchiveFiles, path: string): Promise<Uint8Array> {
  for await (const chunk of files.stream(path)) return chunk.subarray(0, 8);
  return new Uint8Array();
}

/** By magic. Throws `unsupported-media-type` for bzip2 and xz, which docker also took. */
export function layerMediaType(head: Uint8Array): string {
  const [a, b, c, d] = head;
  if (a === 0x1f && b === 0x8b) return MEDIA_TYPE.ociLayerGzip;
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return MEDIA_TYPE.ociLayerZstd;
  const other =
    a === 0x42 && b === 0x5a && c === 0x68 ? 'bzip2' : a === 0xfd && b === 0x37 && c === 0x7a ? 'xz' : undefined;
  if (other === undefined) return MEDIA_TYPE.ociLayerTar;
  throw new WctrError('unsupported-media-type', `layers compressed with ${other} cannot be read`, {
    hint: 'compress with gzip or zstd, or not at all',
  });
}
