/** A LayerStore that keeps plain tars in memory and indexes nothing: for tests of what is above it. */
import { gunzipSync } from 'node:zlib';
import { WctrError } from '../../src/errors.ts';
import { collect } from '../../src/images/archive/files.ts';
import type {
  BlobOrigin,
  ContentStore,
  Descriptor,
  Digest,
  IngestOptions,
  LayerRecord,
  LayerStore,
  LayerWriteOptions,
} from '../../src/images/contracts.ts';
import { MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import { sha256 } from './image-store.ts';

export class FakeLayers implements LayerStore {
  readonly records = new Map<Digest, LayerRecord>();
  readonly #content: ContentStore;

  constructor(content: ContentStore) {
    this.#content = content;
  }

  async get(diffId: Digest): Promise<LayerRecord | undefined> {
    return this.records.get(diffId);
  }

  async ingest(
    descriptor: Descriptor,
    expectedDiffId: Digest | undefined,
    origin: BlobOrigin,
    options?: IngestOptions,
  ): Promise<LayerRecord> {
    await this.#content.ingest(descriptor, origin, options);
    return this.unpack(descriptor, expectedDiffId);
  }

  async unpack(descriptor: Descriptor, expectedDiffId: Digest | undefined): Promise<LayerRecord> {
    const blob = await this.#content.read(descriptor.digest, 1e9);
    const tar = descriptor.mediaType.endsWith('gzip') ? new Uint8Array(gunzipSync(blob)) : blob;
    const diffId = sha256(tar);
    if (expectedDiffId !== undefined && diffId !== expectedDiffId) {
      throw new WctrError('digest-mismatch', `layer ${descriptor.digest}: diff ID is ${diffId}, not ${expectedDiffId}`);
    }
    const index = { bytes: new Uint8Array() };
    const record = { diffId, tar: { bytes: tar }, index, tarSizeBytes: tar.length, entryCount: 0 };
    this.records.set(diffId, record);
    return record;
  }

  async write(tar: AsyncIterable<Uint8Array>, { pin }: LayerWriteOptions): Promise<Descriptor> {
    const bytes = await collect(tar);
    const descriptor = { mediaType: MEDIA_TYPE.ociLayerTar, digest: sha256(bytes), size: bytes.length };
    await pin([descriptor.digest]);
    await this.ingest(descriptor, descriptor.digest, async function* () {
      yield bytes;
    });
    return descriptor;
  }

  async rootfs(diffIds: readonly Digest[]) {
    const layers = diffIds.map((diffId) => this.records.get(diffId)?.tar ?? { bytes: new Uint8Array() });
    return { index: { bytes: new Uint8Array() }, layers };
  }
}
