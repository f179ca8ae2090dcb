/**
 * Artifacts made here: a `.wasm` file as the CNCF's Wasm OCI artifact (TAG Runtime, Wasm OCI Artifact layout v0,
 * https://tag-runtime.cncf.io/wgs/wasm/deliverables/wasm-oci-artifact/), and files attached to an image (image-spec 1.1,
 * manifest.md#guidelines-for-artifact-usage). The same files make the same digests.
 */
import { WctrError } from '../errors.ts';
import { ANNOTATION, type Descriptor, type Digest, type ManifestDocument, MEDIA_TYPE } from '../spec/image-spec.ts';
import { componentInterface } from './component-interface.ts';
import { type CreateHasher, digestOf } from './digest.ts';
import { type ImageGraph, imageGraph } from './image-graph.ts';
import { binaryKind } from './variants.ts';

export interface ArtifactFile {
  /** Without directories: kept as the layer's title. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mediaType?: string;
}

export interface ArtifactOptions {
  readonly createHasher: CreateHasher;
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface BuiltArtifact {
  readonly graph: ImageGraph;
  readonly root: Descriptor;
  /** Bytes of its blobs. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
}

const EMPTY = new TextEncoder().encode('{}');

/** Throws `invalid-module` for what is no WebAssembly. */
export function wasmArtifact(file: ArtifactFile, options: ArtifactOptions): Promise<BuiltArtifact> {
  const { createHasher, created, author, annotations } = options;
  const kind = binaryKind(file.bytes.subarray(0, 8));
  if (kind !== 'module' && kind !== 'component') {
    throw new WctrError('invalid-module', `${file.name} is no WebAssembly module or component`, {
      hint: 'other files go beside an image: wctr artifact attach',
    });
  }
  const blobs = new Blobs(createHasher);
  const layer = blobs.add(file.mediaType ?? MEDIA_TYPE.wasmLayer, file.bytes, { [ANNOTATION.title]: file.name });
  const config = {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    architecture: 'wasm',
    os: kind === 'module' ? 'wasip1' : 'wasip2',
    layerDigests: [layer.digest],
    ...(kind === 'module' ? {} : { component: componentInterface(file.bytes) }),
  };
  return blobs.artifact({
    config: blobs.add(MEDIA_TYPE.wasmConfig, new TextEncoder().encode(JSON.stringify(config))),
    layers: [layer],
    ...(annotations === undefined ? {} : { annotations }),
  });
}

/** Files that say something about `subject`. */
export function attachedArtifact(
  artifactType: string,
  files: readonly ArtifactFile[],
  subject: Descriptor,
  { createHasher, created, annotations }: ArtifactOptions,
): Promise<BuiltArtifact> {
  const blobs = new Blobs(createHasher);
  const layers = files.map(({ name, bytes, mediaType }) =>
    blobs.add(mediaType ?? artifactType, bytes, { [ANNOTATION.title]: name }),
  );
  const config = blobs.add(MEDIA_TYPE.ociEmpty, EMPTY);
  const { mediaType, digest, size } = subject;
  const all = { ...(created === undefined ? {} : { [ANNOTATION.created]: created }), ...annotations };
  return blobs.artifact({
    artifactType,
    config,
    // A manifest needs a layer; of one without files it is the empty one.
    layers: layers.length === 0 ? [config] : layers,
    subject: { mediaType, digest, size },
    ...(Object.keys(all).length === 0 ? {} : { annotations: all }),
  });
}

class Blobs {
  private readonly createHasher: CreateHasher;
  private readonly bytes = new Map<Digest, Uint8Array>();

  constructor(createHasher: CreateHasher) {
    this.createHasher = createHasher;
  }

  add(mediaType: string, bytes: Uint8Array, annotations?: Readonly<Record<string, string>>): Descriptor {
    const digest = digestOf(this.createHasher, bytes);
    this.bytes.set(digest, bytes);
    return { mediaType, digest, size: bytes.length, ...(annotations === undefined ? {} : { annotations }) };
  }

  async artifact(content: Omit<ManifestDocument, 'schemaVersion' | 'mediaType'>): Promise<BuiltArtifact> {
    const { artifactType, ...rest } = content;
    const document: ManifestDocument = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...rest,
    };
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const root = { mediaType: MEDIA_TYPE.ociManifest, digest: digestOf(this.createHasher, bytes), size: bytes.length };
    return { graph: await imageGraph('the artifact', root, async () => bytes), root, blobs: this.bytes };
  }
}
