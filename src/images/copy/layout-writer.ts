/** Adds images to an OCI layout directory, and writes archives; every blob is verified before it has its name. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import { ANNOTATION, type Descriptor, LAYOUT_VERSION, MEDIA_TYPE } from '../../spec/image-spec.ts';
import { blobPath, type LayoutBlob, layoutMembers } from '../archive/oci-layout.ts';
import { writeTar } from '../archive/tar-writer.ts';
import type { BlobOrigin } from '../contracts.ts';
import { type CreateHasher, digestParts } from '../digest.ts';
import type { ImageGraph } from '../image-graph.ts';
import { MAX_DOCUMENT_BYTES, parseManifest } from '../manifest.ts';
import { familiarName, parseReference } from '../reference.ts';
import { isMissing } from '../store/disk-error.ts';
import { uniqueName } from '../store/durable.ts';
import { isArtifact } from '../variants.ts';
import { verified } from './verified.ts';

export interface GraphSource {
  readonly graph: ImageGraph;
  readonly what: string;
  readonly open: (descriptor: Descriptor) => BlobOrigin;
  readonly createHasher: CreateHasher;
  readonly onBlob?: (descriptor: Descriptor, outcome: 'copied' | 'there') => void;
  readonly onProgress?: (descriptor: Descriptor, bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** `name`: the image's `org.opencontainers.image.ref.name` in the layout, in place of the one that had it before. */
export async function writeLayout(fs: FileSystem, dir: string, source: GraphSource, name?: string): Promise<void> {
  const { graph } = source;
  const index = await readIndex(fs, dir);
  await fs.mkdir(dir, { recursive: true });
  for (const { descriptor, bytes } of graph.documents) {
    await writeBlob(fs, dir, descriptor, async function* () {
      yield bytes;
    });
  }
  for (const blob of graph.blobs) {
    source.signal?.throwIfAborted();
    const isThere = await hasBlob(fs, dir, blob);
    if (!isThere) await writeBlob(fs, dir, blob, () => bytesOf(source, blob));
    source.onBlob?.(blob, isThere ? 'there' : 'copied');
  }
  const { mediaType, digest, size } = graph.documents.at(-1)!.descriptor;
  const annotations = name === undefined ? {} : { annotations: { [ANNOTATION.refName]: name } };
  const entry = { mediaType, digest, size, ...annotations };
  const kept = index.manifests.filter((other) => {
    const otherName = (other as Partial<Descriptor>).annotations?.[ANNOTATION.refName];
    return otherName !== name || (name === undefined && (other as Partial<Descriptor>).digest !== digest);
  });
  await replaceFile(fs, `${dir}/oci-layout`, JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION }));
  // Last: the layout has the image from here on.
  await replaceFile(fs, `${dir}/index.json`, JSON.stringify({ ...index, manifests: [...kept, entry] }));
}

/** An OCI layout in a tar; with docker's `manifest.json` beside it for `docker-archive`. Whole or not at all. */
export async function writeArchive(
  fs: FileSystem,
  path: string,
  source: GraphSource,
  kind: 'oci-archive' | 'docker-archive',
  name?: string,
): Promise<void> {
  const { graph } = source;
  const root = graph.documents.at(-1)!;
  const extra = kind === 'docker-archive' ? { 'manifest.json': dockerList(source, name) } : {};
  const blobs: LayoutBlob[] = [
    ...graph.documents.map(({ descriptor, bytes }) => ({
      digest: descriptor.digest,
      sizeBytes: bytes.length,
      data: async function* () {
        yield bytes;
      },
    })),
    ...graph.blobs.map((blob) => ({
      digest: blob.digest,
      sizeBytes: blob.size,
      data: async function* () {
        yield* bytesOf(source, blob);
        source.onBlob?.(blob, 'copied');
      },
    })),
  ];
  const { mediaType, digest, size } = root.descriptor;
  const annotations = name === undefined ? {} : { annotations: namesOf(kind, name) };
  await writeWhole(fs, path, writeTar(layoutMembers([{ mediaType, digest, size, ...annotations }], blobs, extra)));
}

function namesOf(kind: 'oci-archive' | 'docker-archive', name: string): Record<string, string> {
  if (kind === 'oci-archive') return { [ANNOTATION.refName]: name };
  const reference = parseReference(name);
  return {
    [ANNOTATION.containerdName]: `${reference.domain}/${reference.path}:${reference.tag}`,
    [ANNOTATION.refName]: reference.tag ?? '',
  };
}

/** docker-archive holds images by config and layers; it has no indexes and no artifacts. */
function dockerList({ graph, what }: GraphSource, name: string | undefined): unknown {
  const [root, ...more] = graph.documents;
  const manifest = parseManifest(root!.bytes, { what: `manifest of ${what}`, mediaType: root!.descriptor.mediaType });
  if (more.length > 0 || manifest.kind === 'index' || isArtifact(manifest)) {
    throw new WctrError('unsupported', `${what} cannot be a docker archive: that holds single images only`, {
      hint: 'copy one platform, without --all, or to oci-archive:',
    });
  }
  const tags = name === undefined ? null : [familiarName(parseReference(name))];
  return [
    {
      Config: blobPath(manifest.config.digest),
      RepoTags: tags,
      Layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    },
  ];
}

async function* bytesOf(source: GraphSource, blob: Descriptor): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const chunk of verified(source.open(blob)(0, source.signal), blob, source.what, source.createHasher)) {
    yield chunk;
    done += chunk.length;
    source.onProgress?.(blob, done);
  }
}

async function readIndex(fs: FileSystem, dir: string): Promise<{ readonly manifests: readonly unknown[] }> {
  const bytes = await fs.readFile(`${dir}/index.json`).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (bytes === undefined) return { ...{ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex }, manifests: [] };
  if (bytes.length > MAX_DOCUMENT_BYTES) throw new WctrError('limit-exceeded', `index.json of ${dir} is too large`);
  // Checked first; kept as it is then, with all that others wrote into it.
  const parsed = parseManifest(bytes, { what: `index.json of ${dir}` });
  if (parsed.kind !== 'index') throw new WctrError('invalid-manifest', `index.json of ${dir} is not an index`);
  return JSON.parse(new TextDecoder().decode(bytes)) as { manifests: readonly unknown[] };
}

async function hasBlob(fs: FileSystem, dir: string, { digest, size }: Descriptor): Promise<boolean> {
  const stat = await fs.stat(`${dir}/${blobPath(digest)}`).catch(() => undefined);
  return stat?.isFile() === true && stat.size === size;
}

async function writeBlob(
  fs: FileSystem,
  dir: string,
  { digest }: Descriptor,
  bytes: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  await fs.mkdir(`${dir}/blobs/${digestParts(digest).algorithm}`, { recursive: true });
  await writeWhole(fs, `${dir}/${blobPath(digest)}`, bytes());
}

function replaceFile(fs: FileSystem, path: string, text: string): Promise<void> {
  return writeWhole(
    fs,
    path,
    (async function* () {
      yield new TextEncoder().encode(text);
    })(),
  );
}

/** Beside its place first, so that what breaks off leaves the old file or none. */
export async function writeWhole(fs: FileSystem, path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${path}.${uniqueName('partial')}`;
  try {
    const file = await fs.open(partial, 'wx', 0o644);
    try {
      for await (const chunk of chunks) {
        for (let done = 0; done < chunk.length; ) {
          done += (await file.write(chunk, done, chunk.length - done, null)).bytesWritten;
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(partial, path);
  } catch (error) {
    await fs.rm(partial, { force: true }).catch(() => {});
    const code = (error as { code?: unknown }).code;
    if (error instanceof WctrError || typeof code !== 'string') throw error;
    throw new WctrError(code === 'ENOSPC' ? 'no-space' : 'forbidden', `cannot write ${path}: ${code}`, {
      cause: error,
    });
  }
}
