/** What is copied, wherever it lies: documents and blobs by descriptor. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import type { Descriptor } from '../../spec/image-spec.ts';
import { collect, directoryFiles, fileReader, streamRange } from '../archive/files.ts';
import type { SourceImage } from '../archive/source.ts';
import { withoutGzip } from '../archive/spool.ts';
import { openTar } from '../archive/tar-archive.ts';
import type { BlobOrigin } from '../contracts.ts';
import type { CreateHasher } from '../digest.ts';
import { MAX_DOCUMENT_BYTES } from '../json-document.ts';
import { openSource } from '../load.ts';
import { quote } from '../quote.ts';
import { canonicalName, DEFAULT_TAG, familiarName, parseReference, type Reference } from '../reference.ts';
import type { RegistryClient, RepositoryName } from '../registry/client.ts';
import type { Place } from './place.ts';
import { verified } from './verified.ts';

export interface CopySource {
  /** For messages. */
  readonly what: string;
  readonly root: Descriptor;
  /** Where it is a registry. */
  readonly repository?: RepositoryName;
  /** Verified bytes of an index or manifest. */
  document(descriptor: Descriptor): Promise<Uint8Array>;
  /** Not verified: who writes them does that. */
  blob(descriptor: Descriptor): BlobOrigin;
  close(): Promise<void>;
}

export interface CopyTools {
  readonly client: () => Promise<RegistryClient>;
  readonly fs: FileSystem;
  readonly createHasher: CreateHasher;
  readonly tempDirectory: () => Promise<{ readonly path: string; remove(): Promise<void> }>;
}

export async function openCopySource(tools: CopyTools, place: Place, signal?: AbortSignal): Promise<CopySource> {
  if (place.kind === 'docker') return fromRegistry(await tools.client(), place.reference, signal);
  const stat = await tools.fs.stat(place.path).catch((cause: unknown) => {
    throw new WctrError('not-found', `cannot read ${place.path}: no such file or directory`, { cause });
  });
  if (stat.isDirectory() !== (place.kind === 'oci')) {
    throw new WctrError('invalid-argument', `${place.path} is ${stat.isDirectory() ? 'a directory' : 'no directory'}`, {
      hint: 'oci: takes a directory, oci-archive: and docker-archive: take a file',
    });
  }
  return fromFiles(tools, place.path, place.image, signal);
}

async function fromRegistry(
  client: RegistryClient,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<CopySource> {
  const remote = client.repository(reference);
  const root = await remote.manifest(reference.digest ?? reference.tag ?? DEFAULT_TAG, signal);
  return {
    what: familiarName(reference),
    root: root.descriptor,
    repository: { domain: reference.domain, path: reference.path },
    document: async (descriptor) =>
      descriptor.digest === root.descriptor.digest
        ? root.bytes
        : (await remote.manifest(descriptor.digest, signal)).bytes,
    blob: (descriptor) => remote.blob(descriptor),
    close: async () => {},
  };
}

async function fromFiles(
  tools: CopyTools,
  path: string,
  image: string | undefined,
  signal: AbortSignal | undefined,
): Promise<CopySource> {
  const { fs, createHasher } = tools;
  const stat = await fs.stat(path);
  const opened = stat.isDirectory()
    ? { files: directoryFiles(fs, path), remove: async () => {} }
    : await openArchive(tools, path);
  const close = async (): Promise<void> => {
    await opened.files.close();
    await opened.remove();
  };
  try {
    const source = await openSource(opened.files, createHasher);
    const root = choose(source.images, image, path).target;
    return {
      what: image === undefined ? path : `${path}:${image}`,
      root,
      document: async (descriptor) => {
        if (descriptor.size > MAX_DOCUMENT_BYTES) {
          throw new WctrError('limit-exceeded', `manifest ${descriptor.digest} of ${path} is larger than 4 MiB`);
        }
        return collect(verified(source.blob(descriptor)(0, signal), descriptor, path, createHasher));
      },
      blob: (descriptor) => source.blob(descriptor),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Archives are read out of order: one that is compressed is unpacked first. */
async function openArchive(tools: CopyTools, path: string) {
  const { fs, tempDirectory } = tools;
  const reader = await fileReader(fs, path);
  const head = await reader.read(0, 2);
  if (head[0] !== 0x1f || head[1] !== 0x8b) return { files: await openTar(reader, path), remove: async () => {} };
  const temp = await tempDirectory();
  try {
    const plain = `${temp.path}/archive.tar`;
    const file = await fs.open(plain, 'wx', 0o600);
    try {
      for await (const chunk of withoutGzip(streamRange(reader, 0, reader.sizeBytes))) {
        for (let done = 0; done < chunk.length; ) {
          done += (await file.write(chunk, done, chunk.length - done, null)).bytesWritten;
        }
      }
    } finally {
      await file.close();
      await reader.close();
    }
    return { files: await openTar(await fileReader(fs, plain), path), remove: () => temp.remove() };
  } catch (error) {
    await temp.remove();
    throw error;
  }
}

function choose(images: readonly SourceImage[], wanted: string | undefined, path: string): SourceImage {
  const names = images.map(({ names, refName }) => [...names, ...(refName === undefined ? [] : [refName])]);
  const found =
    wanted === undefined ? images : images.filter((_, i) => names[i]!.some((name) => isNamed(name, wanted)));
  const [image, ...more] = found;
  if (image !== undefined && more.length === 0) return image;
  const shown = names.flat().map((name) => quote(name).slice(1, -1));
  const hint = shown.length === 0 ? {} : { hint: `it holds ${shown.slice(0, 20).join(', ')}` };
  if (images.length === 0) throw new WctrError('invalid-manifest', `${path} holds no image`);
  if (wanted !== undefined && image === undefined) {
    throw new WctrError('no-such-image', `${path} holds no image ${quote(wanted)}`, hint);
  }
  throw new WctrError('invalid-argument', `${path} holds ${found.length} images: say which, after a colon`, hint);
}

function isNamed(name: string, wanted: string): boolean {
  if (name === wanted) return true;
  try {
    return canonicalName(parseReference(name)) === canonicalName(parseReference(wanted));
  } catch {
    // Names in layouts may be any text.
    return false;
  }
}
