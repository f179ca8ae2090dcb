/** Small images made by hand: tar layers, configs, manifests, indexes; served by a fake registry or laid out on disk. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Descriptor, type Digest, MEDIA_TYPE, type Platform } from '../../src/spec/image-spec.ts';
import { type FakeRegistry, sha256 } from './registry-server.ts';

export interface BuiltImage {
  readonly target: Descriptor;
  /** Everything by digest, documents included. */
  readonly blobs: ReadonlyMap<Digest, { readonly bytes: Uint8Array; readonly mediaType: string }>;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly diffIds: readonly Digest[];
}

export interface ImageOptions {
  /** Files per layer, lowest first. */
  readonly layers?: readonly Readonly<Record<string, string | Uint8Array>>[];
  readonly platform?: Platform;
  /** Laid over the documents, to make them wrong. */
  readonly config?: Record<string, unknown>;
  readonly manifest?: Record<string, unknown>;
}

export const WASI: Platform = { os: 'wasip1', architecture: 'wasm' };

/** ustar with regular files only. */
export function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, new Uint8Array(1024)]);
}

/** Bytes that gzip cannot shrink, the same for the same seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state & 0xff;
  }
  return bytes;
}

/** One manifest with gzip layers. */
export function buildImage(options: ImageOptions = {}): BuiltImage {
  const blobs = new Map<Digest, { bytes: Uint8Array; mediaType: string }>();
  const platform = options.platform ?? WASI;
  const layers: Descriptor[] = [];
  const diffIds: Digest[] = [];
  for (const files of options.layers ?? [{ 'hello.txt': 'hello' }]) {
    const tar = tarOf(files);
    diffIds.push(sha256(tar));
    layers.push(keep(blobs, gzipSync(tar, { level: 1 }), MEDIA_TYPE.ociLayerGzip));
  }
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = keepJson(blobs, { ...platform, config: {}, rootfs, ...options.config }, MEDIA_TYPE.ociConfig);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers, ...options.manifest };
  return { target: keepJson(blobs, manifest, MEDIA_TYPE.ociManifest), blobs, config, layers, diffIds };
}

/** An artifact as the CNCF's Wasm layout has it: one layer that is the module. */
export function buildArtifact(module: Uint8Array): BuiltImage {
  const blobs = new Map<Digest, { bytes: Uint8Array; mediaType: string }>();
  const layer = keep(blobs, module, MEDIA_TYPE.wasmLayer);
  const document = {
    created: '2024-01-01T00:00:00Z',
    architecture: 'wasm',
    os: 'wasip1',
    layerDigests: [layer.digest],
  };
  const config = keepJson(blobs, document, MEDIA_TYPE.wasmConfig);
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers: [layer] };
  return { target: keepJson(blobs, manifest, MEDIA_TYPE.ociManifest), blobs, config, layers: [layer], diffIds: [] };
}

/** An index over images, each under its platform. */
export function buildIndex(entries: readonly (readonly [Platform, BuiltImage])[]): BuiltImage {
  const [[, first]] = entries as [readonly [Platform, BuiltImage]];
  const blobs = new Map(entries.flatMap(([, image]) => [...image.blobs]));
  const manifests = entries.map(([platform, { target }]) => ({ ...target, platform }));
  const document = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests };
  return { ...first, target: keepJson(blobs, document, MEDIA_TYPE.ociIndex), blobs };
}

export function serve(registry: FakeRegistry, repository: string, tag: string, image: BuiltImage): void {
  for (const [digest, { bytes, mediaType }] of image.blobs) {
    if (isManifest(mediaType)) {
      registry.addManifest(repository, digest === image.target.digest ? tag : undefined, bytes, mediaType);
    } else registry.addBlob(bytes);
  }
}

/** An OCI layout directory with one named image. */
export function writeLayout(dir: string, tag: string, image: BuiltImage): void {
  mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
  for (const [digest, { bytes }] of image.blobs) writeFileSync(join(dir, 'blobs', digest.replace(':', '/')), bytes);
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  const index = { schemaVersion: 2, manifests: [{ ...image.target, annotations }] };
  writeFileSync(join(dir, 'index.json'), JSON.stringify(index));
  writeFileSync(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
}

type Blobs = Map<Digest, { bytes: Uint8Array; mediaType: string }>;

function keep(blobs: Blobs, bytes: Uint8Array, mediaType: string): Descriptor {
  const digest = sha256(bytes);
  blobs.set(digest, { bytes, mediaType });
  return { mediaType, digest, size: bytes.length };
}

function keepJson(blobs: Blobs, document: unknown, mediaType: string): Descriptor {
  return keep(blobs, new TextEncoder().encode(JSON.stringify(document)), mediaType);
}

function isManifest(mediaType: string): boolean {
  return mediaType === MEDIA_TYPE.ociManifest || mediaType === MEDIA_TYPE.ociIndex;
}
