/** One Wasm module as an image: a layer with that file alone, which is the entrypoint. The same input, the same bytes. */
import { ANNOTATION, type Descriptor, type ImageConfigDocument, MEDIA_TYPE } from '../../spec/image-spec.ts';
import { type CreateHasher, digestOf } from '../digest.ts';
import { DEFAULT_TAG, parseReference } from '../reference.ts';
import { collect } from './files.ts';
import { type LayoutBlob, layoutMembers } from './oci-layout.ts';
import { type TarMember, writeTar } from './tar-writer.ts';

export interface ModuleLayoutOptions {
  /** Name of the file at the root of the image: `hello.wasm`. */
  readonly fileName: string;
  /** What the image is called in the layout. */
  readonly reference: string;
  /** RFC 3339. */
  readonly created: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly createHasher: CreateHasher;
}

/** The files of an OCI layout with one image for wasip1/wasm, for `writeMembers` or `writeTar`. */
export async function moduleLayout(module: Uint8Array, options: ModuleLayoutOptions): Promise<readonly TarMember[]> {
  const { fileName, reference, created, labels, createHasher } = options;
  const blobs: LayoutBlob[] = [];
  const add = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(createHasher, bytes);
    blobs.push({ digest, sizeBytes: bytes.length, data: () => only(bytes) });
    return { mediaType, digest, size: bytes.length };
  };
  const encode = (document: unknown) => new TextEncoder().encode(JSON.stringify(document));
  const file: TarMember = {
    path: fileName,
    kind: 'file',
    mode: 0o755,
    sizeBytes: module.length,
    mtime: Math.floor(Date.parse(created) / 1000),
    data: () => only(module),
  };
  const layer = add(MEDIA_TYPE.ociLayerTar, await collect(writeTar([file])));
  const platform = { architecture: 'wasm', os: 'wasip1' };
  const document: ImageConfigDocument = {
    created,
    ...platform,
    config: { Entrypoint: [`/${fileName}`], WorkingDir: '/', ...(labels === undefined ? {} : { Labels: labels }) },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
    history: [{ created, created_by: `COPY ${fileName} /${fileName}` }],
  };
  const config = add(MEDIA_TYPE.ociConfig, encode(document));
  const manifest = add(
    MEDIA_TYPE.ociManifest,
    encode({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers: [layer] }),
  );
  const annotations = {
    [ANNOTATION.containerdName]: reference,
    [ANNOTATION.refName]: parseReference(reference).tag ?? DEFAULT_TAG,
  };
  return [...layoutMembers([{ ...manifest, platform, annotations }], blobs)];
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
