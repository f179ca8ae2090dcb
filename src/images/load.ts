/** `load`: images from an OCI layout (directory or tar) or a docker archive, whichever it is. */
import { WctrError } from '../errors.ts';
import type { FileSystem } from '../host/ports.ts';
import type { Descriptor, Platform } from '../spec/image-spec.ts';
import { isDockerArchive, readDockerArchive } from './archive/docker-archive.ts';
import { type ArchiveFiles, type ByteReader, directoryFiles, fileReader } from './archive/files.ts';
import { isOciLayout, readOciLayout } from './archive/oci-layout.ts';
import type { ImageSource, SourceImage } from './archive/source.ts';
import { spool, withoutGzip } from './archive/spool.ts';
import { openTar } from './archive/tar-archive.ts';
import type { CreateHasher } from './digest.ts';
import type { ImageRecord } from './image-record.ts';
import { type InstallContext, installImage } from './install-image.ts';
import { parseReference, type Reference } from './reference.ts';
import type { StoreLayout } from './store/layout.ts';

export interface LoadContext extends InstallContext {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly createHasher: CreateHasher;
}

export interface LoadOptions {
  /** Name for an image to which the archive gives none; a bare tag in the archive is appended to its repository. */
  readonly name?: Reference;
  readonly platforms?: readonly Platform[];
  readonly signal?: AbortSignal;
  readonly onLayer?: (layer: Descriptor, receivedBytes: number) => void;
}

/** From a file (tar, tar.gz) or layout directory of the file system `from`. */
export async function loadPath(
  context: LoadContext,
  from: FileSystem,
  path: string,
  options: LoadOptions = {},
): Promise<readonly ImageRecord[]> {
  const stat = await from.stat(path).catch((cause: unknown) => {
    throw new WctrError('not-found', `cannot read ${path}: no such file or directory`, { cause });
  });
  if (stat.isDirectory()) return loadFiles(context, directoryFiles(from, path), options);
  const reader = await fileReader(from, path);
  const head = await reader.read(0, 2);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    try {
      return await loadStream(context, streamAll(reader), { ...options, what: path });
    } finally {
      await reader.close();
    }
  }
  return loadFiles(context, await openTar(reader, path), options);
}

/** From bytes as they come (standard input, an HTTP body). */
export async function loadStream(
  context: LoadContext,
  chunks: AsyncIterable<Uint8Array>,
  options: LoadOptions & { readonly what?: string } = {},
): Promise<readonly ImageRecord[]> {
  const { signal, what = 'the archive' } = options;
  const spooled = await spool(withoutGzip(chunks), { ...context, ...(signal === undefined ? {} : { signal }) });
  try {
    return await loadFiles(context, await openTar(await spooled.open(), what), options);
  } finally {
    await spooled.remove();
  }
}

/** Closes the files. Throws `invalid-manifest` when they are neither format, or hold no image. */
export async function loadFiles(
  context: LoadContext,
  files: ArchiveFiles,
  options: LoadOptions = {},
): Promise<readonly ImageRecord[]> {
  try {
    const source = await openSource(files, context.createHasher);
    if (source.images.length === 0) throw new WctrError('invalid-manifest', `${files.what} holds no image`);
    const records: ImageRecord[] = [];
    for (const image of source.images) {
      const references = namesOf(image, options.name, source.images.length === 1);
      records.push(await installImage(context, source, image, { ...options, references }));
    }
    return records;
  } finally {
    await files.close();
  }
}

export async function openSource(files: ArchiveFiles, createHasher: CreateHasher): Promise<ImageSource> {
  // docker writes both since version 25; the layout has the true manifests
  if (await isOciLayout(files)) return readOciLayout(files);
  if (await isDockerArchive(files)) return readDockerArchive(files, createHasher);
  throw new WctrError('invalid-manifest', `${files.what} is neither an OCI layout nor a docker archive`, {
    hint: 'a file system tar without image documents is taken by wctr import',
  });
}

function namesOf(image: SourceImage, name: Reference | undefined, isOnly: boolean): Reference[] {
  if (image.names.length > 0) return image.names.map(parseReference);
  if (name === undefined || !isOnly) return [];
  const { domain, path } = name;
  return [
    image.refName !== undefined && /^\w[\w.-]{0,127}$/.test(image.refName)
      ? { domain, path, tag: image.refName }
      : name,
  ];
}

async function* streamAll(reader: ByteReader): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < reader.sizeBytes; ) {
    const chunk = await reader.read(at, 1024 * 1024);
    if (chunk.length === 0) return;
    yield chunk;
    at += chunk.length;
  }
}
