/** Artifacts to and from registries. */
import { WctrError } from '../errors.ts';
import type { FileSystem } from '../host/ports.ts';
import { ANNOTATION, type Descriptor, type Digest } from '../spec/image-spec.ts';
import type { BuiltArtifact } from './artifact.ts';
import { writeWhole } from './copy/layout-writer.ts';
import { verified } from './copy/verified.ts';
import { resolveManifest } from './manifest.ts';
import { DEFAULT_PLATFORMS } from './platform.ts';
import { quote } from './quote.ts';
import { DEFAULT_TAG, familiarName, type Reference } from './reference.ts';
import type { RegistryClient } from './registry/client.ts';
import { type UploadProgress, uploadGraph } from './upload-graph.ts';
import { layerKind } from './variants.ts';

export interface TransferOptions {
  readonly onEvent?: ((event: UploadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Puts it under the reference's tag; without one under its digest alone. */
export async function pushArtifact(
  client: RegistryClient,
  reference: Pick<Reference, 'domain' | 'path' | 'tag'>,
  artifact: BuiltArtifact,
  { onEvent, signal }: TransferOptions = {},
): Promise<Digest> {
  await uploadGraph({
    graph: artifact.graph,
    target: client.target(reference),
    tags: reference.tag === undefined ? [] : [reference.tag],
    open: ({ digest }) =>
      async function* (offset) {
        yield artifact.blobs.get(digest)!.slice(offset);
      },
    onEvent,
    signal,
  });
  return artifact.root.digest;
}

/** What an artifact is to be attached to. */
export async function subjectOf(
  client: RegistryClient,
  reference: Reference,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const tag = reference.digest ?? reference.tag ?? DEFAULT_TAG;
  return (await client.repository(reference).manifest(tag, signal)).descriptor;
}

export interface PulledFile {
  readonly path: string;
  readonly descriptor: Descriptor;
}

/**
 * Writes an artifact's files. `directory`: each under its title there; `file`: the one it has.
 *
 * @throws unsupported-media-type for an image with a file system, conflict where a file of the name is
 */
export async function pullArtifact(
  client: RegistryClient,
  reference: Reference,
  fs: FileSystem,
  to: { readonly directory: string } | { readonly file: string },
  {
    onEvent,
    signal,
    permit,
  }: TransferOptions & { readonly permit?: (digests: readonly Digest[]) => Promise<void> } = {},
): Promise<readonly PulledFile[]> {
  const remote = client.repository(reference);
  const name = familiarName(reference);
  const { descriptor } = await remote.manifest(reference.digest ?? reference.tag ?? DEFAULT_TAG, signal);
  const resolved = await resolveManifest(name, descriptor, DEFAULT_PLATFORMS, ({ digest }) =>
    remote.manifest(digest, signal),
  );
  await permit?.([descriptor.digest, resolved.descriptor.digest]);
  const { manifest } = resolved;
  const files = manifest.layers.filter(
    ({ mediaType, size }) => layerKind(mediaType) !== 'tar' && !(mediaType.includes('oci.empty') && size === 2),
  );
  if (files.length === 0) {
    const isImage = manifest.layers.some(({ mediaType }) => layerKind(mediaType) === 'tar');
    throw new WctrError(
      'unsupported-media-type',
      `${name} is ${isImage ? 'an image' : 'an artifact'} without files of its own`,
      {
        ...(isImage ? { hint: `pull it as an image: wctr pull ${name}` } : {}),
      },
    );
  }
  if ('file' in to && files.length > 1) {
    throw new WctrError('invalid-argument', `${name} has ${files.length} files: name a directory for them`);
  }
  const pulled: PulledFile[] = [];
  const taken = new Set<string>();
  for (const layer of files) {
    const path = 'file' in to ? to.file : `${to.directory}/${fileName(layer, reference, taken)}`;
    if ('directory' in to) {
      const there = await fs.lstat(path).catch(() => undefined);
      if (there !== undefined) {
        throw new WctrError('conflict', `${path} is there already`, {
          hint: 'remove it, or name a file with --output',
        });
      }
    }
    const id = layer.digest.slice(7, 19);
    let done = 0;
    const counted = async function* () {
      for await (const chunk of verified(remote.blob(layer)(0, signal), layer, name, client.createHasher)) {
        yield chunk;
        done += chunk.length;
        onEvent?.({ id, status: 'Downloading', currentBytes: done, totalBytes: layer.size });
      }
    };
    await writeWhole(fs, path, counted());
    onEvent?.({ id, status: 'Download complete' });
    pulled.push({ path, descriptor: layer });
  }
  return pulled;
}

/** The last part of the title, when that is a plain name: what a registry says must not choose a directory. */
function fileName(layer: Descriptor, { path }: Reference, taken: Set<string>): string {
  const title = layer.annotations?.[ANNOTATION.title] ?? '';
  const base = title.slice(Math.max(title.lastIndexOf('/'), title.lastIndexOf('\\')) + 1);
  const extension = layerKind(layer.mediaType) === 'wasm' ? '.wasm' : '';
  const fallback = `${path.slice(path.lastIndexOf('/') + 1)}${extension}`;
  const name = /^[\p{L}\p{N}_][\p{L}\p{N}_.+@ -]{0,199}$/u.test(base) ? base : fallback;
  if (taken.has(name)) {
    throw new WctrError('invalid-manifest', `two files of the artifact have the name ${quote(name)}`);
  }
  taken.add(name);
  return name;
}
