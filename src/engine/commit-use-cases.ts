/** `commit`: what a container changed over its image becomes a layer of a new one. */
import type { ContainerRecord } from '../containers/record.ts';
import { gzipWith } from '../core/encode.ts';
import { WctrError } from '../errors.ts';
import { spool } from '../images/archive/spool.ts';
import { applyChanges } from '../images/config-changes.ts';
import { digestOf } from '../images/digest.ts';
import { parseManifest } from '../images/manifest.ts';
import { ociLayer } from '../images/oci-layer.ts';
import { DEFAULT_PLATFORMS } from '../images/platform.ts';
import { parseReference } from '../images/reference.ts';
import { isArtifact } from '../images/variants.ts';
import type { ContainerConfig } from '../spec/engine-api.ts';
import {
  type Descriptor,
  type Digest,
  type HistoryEntry,
  type ImageConfigDocument,
  type ManifestDocument,
  MEDIA_TYPE,
  type ProcessConfig,
} from '../spec/image-spec.ts';
import type { CommitOptions } from './engine.ts';
import type { EngineParts } from './parts.ts';

type Parts = Pick<EngineParts, 'images' | 'leases' | 'fs' | 'layout' | 'createHasher' | 'core' | 'events'>;

/** What the new image is built on. */
interface Base {
  readonly layers: readonly Descriptor[];
  readonly config: Partial<ImageConfigDocument>;
}

interface NewLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

/** A layer on top of what the container changed, and labels. */
export interface CommitMore {
  readonly layer: () => AsyncIterable<Uint8Array>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Of a tar without a member: such a layer is left out. */
const EMPTY_TAR_BYTES = 1024;

/**
 * `layer`: the writable layer as an OCI layer's tar. The same layer gets the same digest. Throws 'invalid-argument' for a
 * change that is none, before anything is read; 'unsupported' for a container that runs a bare module.
 */
export async function commitContainer(
  parts: Parts,
  record: ContainerRecord,
  layer: () => AsyncIterable<Uint8Array>,
  options: CommitOptions = {},
  more?: CommitMore,
): Promise<{ Id: string }> {
  const { images, leases, createHasher, events } = parts;
  const reference = options.reference === undefined ? undefined : parseReference(options.reference);
  const process = applyChanges(processConfig(record.config), options.changes ?? []);
  if (record.manifest === undefined) {
    throw new WctrError('unsupported', `container ${record.name} runs a bare module: there is no image to build upon`, {
      hint: 'make an image of the module first: put it into a tar and wctr import it',
    });
  }
  const lease = leases.open();
  try {
    await lease.pin([record.manifest, ...record.diffIds]);
    const base = await readBase(parts, record, record.manifest);
    await lease.pin(base.layers.map(({ digest }) => digest));
    const changed = await ingest(parts, lease, layer());
    const given = more === undefined ? undefined : await ingest(parts, lease, more.layer());
    const added = [changed, given].filter((one) => one !== undefined);
    const created = new Date().toISOString();
    const entry: HistoryEntry = {
      created,
      created_by: record.args.join(' '),
      ...(options.author === undefined || options.author === '' ? {} : { author: options.author }),
      ...(options.message === undefined || options.message === '' ? {} : { comment: options.message }),
      ...(changed === undefined ? { empty_layer: true } : {}),
    };
    const entries = [entry, ...(given === undefined ? [] : [{ created, created_by: entry.comment ?? '' }])];
    const { author: _, ...inherited } = base.config;
    const platform = DEFAULT_PLATFORMS[0]!;
    const document: ImageConfigDocument = {
      ...inherited,
      architecture: base.config.architecture ?? platform.architecture,
      os: base.config.os ?? platform.os,
      created,
      ...(entry.author === undefined ? {} : { author: entry.author }),
      config: more === undefined ? process : { ...process, Labels: { ...process.Labels, ...more.labels } },
      rootfs: { type: 'layers', diff_ids: [...record.diffIds, ...added.map(({ diffId }) => diffId)] },
      history: [...(base.config.history ?? []), ...entries],
    };
    const put = async (mediaType: string, value: unknown): Promise<Descriptor> => {
      const bytes = new TextEncoder().encode(JSON.stringify(value));
      await lease.pin([digestOf(createHasher, bytes)]);
      return images.content.put(mediaType, bytes);
    };
    const config = await put(MEDIA_TYPE.ociConfig, document);
    const layers = [...base.layers, ...added.map(({ descriptor }) => descriptor)];
    const named: ManifestDocument = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, config, layers };
    const manifest = await put(MEDIA_TYPE.ociManifest, named);
    const { id } = await images.put({ target: manifest, manifest, ...(reference === undefined ? {} : { reference }) });
    await events.container(record, 'commit', {
      comment: options.message ?? '',
      imageID: id,
      imageRef: options.reference ?? '',
    });
    return { Id: id };
  } finally {
    await lease.release();
  }
}

async function readBase({ images }: Parts, { name, image }: ContainerRecord, digest: Digest): Promise<Base> {
  const bytes = await images.content.read(digest);
  const stated = (JSON.parse(new TextDecoder().decode(bytes)) as { mediaType?: unknown }).mediaType;
  const mediaType = typeof stated === 'string' ? stated : MEDIA_TYPE.ociManifest;
  const manifest = parseManifest(bytes, { what: `manifest of ${image}`, mediaType });
  if (manifest.kind === 'index' || isArtifact(manifest)) {
    throw new WctrError('unsupported', `container ${name} runs an artifact: there is no file system to build upon`, {
      hint: 'use an image that has its program in a layer',
    });
  }
  const config = JSON.parse(new TextDecoder().decode(await images.content.read(manifest.config.digest)));
  return { config: config as ImageConfigDocument, layers: manifest.layers.map(ociLayer) };
}

/** Into the store, by way of a temp file: a layer is known by its digest before it is taken in. */
async function ingest(
  { images, fs, layout, createHasher, core }: Parts,
  lease: { pin(digests: readonly Digest[]): Promise<void> },
  tar: AsyncIterable<Uint8Array>,
): Promise<NewLayer | undefined> {
  const plain = createHasher('sha256');
  const packed = createHasher('sha256');
  let plainBytes = 0;
  async function* counted() {
    for await (const chunk of tar) {
      plain.update(chunk);
      plainBytes += chunk.length;
      yield chunk;
    }
  }
  const spooled = await spool(gzipWith(core, counted()), { fs, layout, onChunk: (chunk) => packed.update(chunk) });
  try {
    if (plainBytes <= EMPTY_TAR_BYTES) return undefined;
    const diffId: Digest = `sha256:${plain.digestHex()}`;
    const digest: Digest = `sha256:${packed.digestHex()}`;
    const descriptor: Descriptor = { mediaType: MEDIA_TYPE.ociLayerGzip, digest, size: spooled.sizeBytes };
    await lease.pin([digest, diffId]);
    if (!(await images.content.has(digest))) await images.layers.ingest(descriptor, diffId, spooled.from);
    else if ((await images.layers.get(diffId)) === undefined) await images.layers.unpack(descriptor, diffId);
    return { descriptor, diffId };
  } finally {
    await spooled.remove();
  }
}

/** The part of a container's config that an image has. */
function processConfig(config: ContainerConfig): ProcessConfig {
  const some = <T>(value: T | null | undefined): T | undefined => {
    if (value === null || value === undefined || value === '') return undefined;
    return typeof value === 'object' && Object.keys(value).length === 0 ? undefined : value;
  };
  const fields = {
    User: some(config.User),
    ExposedPorts: some(config.ExposedPorts),
    Env: some(config.Env),
    Entrypoint: some(config.Entrypoint),
    Cmd: some(config.Cmd),
    Volumes: some(config.Volumes),
    WorkingDir: some(config.WorkingDir),
    Labels: some(config.Labels),
    StopSignal: some(config.StopSignal),
    StopTimeout: config.StopTimeout,
    Healthcheck: some(config.Healthcheck),
    Shell: some(config.Shell),
    OnBuild: some(config.OnBuild),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as ProcessConfig;
}
