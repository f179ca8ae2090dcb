/** OCI image layouts (image-spec 1.1, image-layout.md): reading one from a directory or tar, and what one is made of. */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import {
  ANNOTATION,
  type Descriptor,
  type Digest,
  type IndexDocument,
  LAYOUT_VERSION,
  MEDIA_TYPE,
} from '../../spec/image-spec.ts';
import { digestParts } from '../digest.ts';
import { MAX_DOCUMENT_BYTES, parseManifest } from '../manifest.ts';
import { quote } from '../quote.ts';
import { type ArchiveFiles, readSmallFile } from './files.ts';
import type { ImageSource, SourceImage } from './source.ts';
import type { TarMember } from './tar-writer.ts';

export async function isOciLayout(files: ArchiveFiles): Promise<boolean> {
  return (await files.size('oci-layout')) !== undefined && (await files.size('index.json')) !== undefined;
}

/** Throws `invalid-manifest` for a broken layout. */
export async function readOciLayout(files: ArchiveFiles): Promise<ImageSource> {
  const marker = new TextDecoder().decode(await readSmallFile(files, 'oci-layout', 64 * 1024));
  const version = layoutVersion(marker);
  if (version === undefined || !version.startsWith('1.')) {
    throw new WctrError(
      'invalid-manifest',
      `${files.what}: image layout version ${quote(version ?? 'none')} is not 1.x`,
    );
  }
  const index = parseManifest(await readSmallFile(files, 'index.json', MAX_DOCUMENT_BYTES), {
    what: `index.json of ${files.what}`,
  });
  if (index.kind !== 'index') throw new WctrError('invalid-manifest', `index.json of ${files.what} is not an index`);
  return {
    what: files.what,
    images: groupByTarget(index.manifests),
    has: async ({ digest }) => (await files.size(blobPath(digest))) !== undefined,
    blob: ({ digest }) =>
      async function* (offset) {
        if ((await files.size(blobPath(digest))) === undefined) {
          throw new WctrError('not-found', `${files.what} does not hold blob ${digest}`, { data: { digest } });
        }
        yield* files.stream(blobPath(digest), offset);
      },
    close: () => files.close(),
  };
}

function layoutVersion(text: string): string | undefined {
  try {
    const { imageLayoutVersion } = JSON.parse(text) as { imageLayoutVersion?: unknown };
    return typeof imageLayoutVersion === 'string' ? imageLayoutVersion : undefined;
  } catch {
    return undefined;
  }
}

/** An image with several names has one entry per name. */
function groupByTarget(entries: readonly Descriptor[]): SourceImage[] {
  const images = new Map<Digest, { names: string[]; refName?: string; target: Descriptor }>();
  for (const entry of entries) {
    const image = images.get(entry.digest) ?? { names: [], target: entry };
    const full = entry.annotations?.[ANNOTATION.containerdName];
    const refName = entry.annotations?.[ANNOTATION.refName];
    if (full !== undefined) image.names.push(full);
    else if (refName !== undefined && /[:/]/.test(refName)) image.names.push(refName);
    else if (refName !== undefined) image.refName = refName;
    images.set(entry.digest, image);
  }
  return [...images.values()];
}

export function blobPath(digest: Digest): string {
  const { algorithm, hex } = digestParts(digest);
  return `blobs/${algorithm}/${hex}`;
}

export interface LayoutBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly data: () => AsyncIterable<Uint8Array>;
}

/**
 * The files of a layout in a fixed order, for a tar or a directory. `extra` are files beside it (docker's
 * `manifest.json`).
 */
export function* layoutMembers(
  manifests: readonly Descriptor[],
  blobs: readonly LayoutBlob[],
  extra: Readonly<Record<string, unknown>> = {},
): Generator<TarMember> {
  yield directory('blobs');
  const sorted = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()].sort((a, b) =>
    a.digest < b.digest ? -1 : 1,
  );
  for (const algorithm of [...new Set(sorted.map(({ digest }) => digestParts(digest).algorithm))]) {
    yield directory(`blobs/${algorithm}`);
  }
  for (const { digest, sizeBytes, data } of sorted) {
    yield { path: blobPath(digest), kind: 'file', mode: 0o644, sizeBytes, data };
  }
  const index: IndexDocument = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
  yield jsonFile('index.json', index);
  for (const [path, document] of Object.entries(extra)) yield jsonFile(path, document);
  yield jsonFile('oci-layout', { imageLayoutVersion: LAYOUT_VERSION });
}

/** Writes members below a directory. Not durable: a layout is made to be copied. */
export async function writeMembers(fs: FileSystem, dir: string, members: Iterable<TarMember>): Promise<void> {
  await fs.mkdir(dir, { recursive: true });
  for (const { path, kind, data } of members) {
    if (kind === 'directory') {
      await fs.mkdir(`${dir}/${path}`, { recursive: true });
      continue;
    }
    const handle = await fs.open(`${dir}/${path}`, 'w', 0o644);
    try {
      for await (const chunk of data?.() ?? []) {
        for (let done = 0; done < chunk.length; ) {
          done += (await handle.write(chunk, done, chunk.length - done, null)).bytesWritten;
        }
      }
    } finally {
      await handle.close();
    }
  }
}

function directory(path: string): TarMember {
  return { path, kind: 'directory', mode: 0o755, sizeBytes: 0 };
}

function jsonFile(path: string, document: unknown): TarMember {
  const bytes = new TextEncoder().encode(JSON.stringify(document));
  return {
    path,
    kind: 'file',
    mode: 0o644,
    sizeBytes: bytes.length,
    data: async function* () {
      yield bytes;
    },
  };
}
