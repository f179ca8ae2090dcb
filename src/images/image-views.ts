/** Images as docker shows them: the list, the history, and the document of `image inspect`. */
import type { Digest, Platform } from '../spec/image-spec.ts';
import { shortDigest } from './digest.ts';
import type { ImageRecord } from './image-record.ts';
import type { Image, ImageStore } from './image-store.ts';
import { formatPlatform } from './platform.ts';
import { canonicalRepository, familiarName, familiarRepository, parseReference } from './reference.ts';

/** One line of `wctr images`: an image with all its names. */
export interface ImageSummary {
  readonly id: Digest;
  /** `hello:latest`, sorted. */
  readonly repoTags: readonly string[];
  /** `hello@sha256:…`, sorted. */
  readonly repoDigests: readonly string[];
  readonly sizeBytes: number;
  /** RFC 3339; when the image was made, or became known here. */
  readonly created: string;
  readonly platform: Platform;
  /** True without any tag. */
  readonly isDangling: boolean;
  readonly records: readonly ImageRecord[];
}

/** Newest first. Damaged records are left out; `onCorrupt` hears of them. */
export async function listImages(
  images: ImageStore,
  onCorrupt: (error: Error) => void = () => {},
): Promise<ImageSummary[]> {
  const byId = new Map<Digest, ImageRecord[]>();
  for (const record of await images.records(onCorrupt)) {
    byId.set(record.id, [...(byId.get(record.id) ?? []), record]);
  }
  return [...byId.values()]
    .map(summarise)
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created) || (a.id < b.id ? -1 : 1));
}

export function summarise(records: readonly ImageRecord[]): ImageSummary {
  const first = records[0] as ImageRecord;
  const repoTags = tagsOf(records);
  return {
    id: first.id,
    repoTags,
    repoDigests: digestsOf(records),
    sizeBytes: first.sizeBytes,
    created: validTime(first.created) ?? first.taggedAt,
    platform: first.platform,
    isDangling: repoTags.length === 0,
    records,
  };
}

function tagsOf(records: readonly ImageRecord[]): string[] {
  return records
    .flatMap(({ reference }) => (reference === undefined ? [] : [parseReference(reference)]))
    .filter(({ tag }) => tag !== undefined)
    .map(familiarName)
    .sort();
}

function digestsOf(records: readonly ImageRecord[]): string[] {
  const names = records.flatMap(({ repoDigest, reference }) => {
    if (repoDigest !== undefined) return [familiarName(parseReference(repoDigest))];
    const parsed = reference === undefined ? undefined : parseReference(reference);
    return parsed?.digest === undefined ? [] : [`${familiarRepository(parsed)}@${parsed.digest}`];
  });
  return [...new Set(names)].sort();
}

/** One line of `wctr image history`, newest first. */
export interface HistoryLine {
  /** The image's id on the newest line, `<missing>` below, as docker has it. */
  readonly id: string;
  readonly created: string | undefined;
  readonly createdBy: string;
  readonly comment: string;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
}

export async function imageHistory(images: ImageStore, text: string): Promise<HistoryLine[]> {
  const records = await images.resolveAll(text);
  const image = await images.openRecord(records[0] as ImageRecord);
  const sizes = await Promise.all(
    image.layers.map(async ({ descriptor, diffId }) => {
      const layer = diffId === undefined ? undefined : await images.layers.get(diffId);
      return layer?.tarSizeBytes ?? descriptor.size;
    }),
  );
  let layer = 0;
  const { history, created } = image.config;
  // an image without history (an artifact, `FROM scratch` by hand) still has layers to show
  const entries = history.length > 0 ? history : image.layers.map(() => ({ ...(created ? { created } : {}) }));
  const lines = entries.map((entry) => {
    const isEmpty = 'empty_layer' in entry && entry.empty_layer === true;
    return {
      id: '<missing>',
      created: validTime(entry.created),
      createdBy: 'created_by' in entry ? (entry.created_by ?? '') : '',
      comment: 'comment' in entry ? (entry.comment ?? '') : '',
      sizeBytes: isEmpty ? 0 : (sizes[layer++] ?? 0),
      tags: [] as readonly string[],
    };
  });
  lines.reverse();
  if (lines[0] !== undefined) lines[0] = { ...lines[0], id: image.id, tags: tagsOf(records) };
  return lines;
}

/** The document of `docker image inspect` (Engine API 1.4x, ImageInspect). */
export async function inspectImage(images: ImageStore, text: string): Promise<Record<string, unknown>> {
  const records = await images.resolveAll(text);
  const image = await images.openRecord(records[0] as ImageRecord);
  const { record, config } = image;
  const { platform, process } = config;
  return {
    Id: image.id,
    RepoTags: tagsOf(records),
    RepoDigests: digestsOf(records),
    Parent: '',
    Comment: config.history.at(-1)?.comment ?? '',
    Created: validTime(config.created) ?? '0001-01-01T00:00:00Z',
    DockerVersion: '',
    Author: config.author ?? '',
    Config: {
      Hostname: '',
      Domainname: '',
      User: process.User ?? '',
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
      ...(process.ExposedPorts === undefined ? {} : { ExposedPorts: process.ExposedPorts }),
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      Env: process.Env ?? [],
      Cmd: process.Cmd ?? null,
      ...(process.Healthcheck === undefined ? {} : { Healthcheck: process.Healthcheck }),
      Image: '',
      Volumes: process.Volumes ?? null,
      WorkingDir: process.WorkingDir ?? '',
      Entrypoint: process.Entrypoint ?? null,
      OnBuild: process.OnBuild ?? null,
      Labels: process.Labels ?? null,
      ...(process.StopSignal === undefined ? {} : { StopSignal: process.StopSignal }),
      ...(process.StopTimeout === undefined ? {} : { StopTimeout: process.StopTimeout }),
      ...(process.Shell === undefined ? {} : { Shell: process.Shell }),
    },
    Architecture: platform.architecture,
    ...(platform.variant === undefined ? {} : { Variant: platform.variant }),
    Os: platform.os,
    ...(platform['os.version'] === undefined ? {} : { OsVersion: platform['os.version'] }),
    Size: record.sizeBytes,
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: record.taggedAt },
    Descriptor: { mediaType: record.target.mediaType, digest: record.target.digest, size: record.target.size },
    ...(isKnownForm(image) ? { Wasm: wasmFacts(image) } : {}),
  };
}

function isKnownForm({ form }: Image): boolean {
  return form.kind === 'module' || form.wasmBy !== 'unknown';
}

/** Not docker's: how the image says that it is Wasm. */
function wasmFacts({ form, config }: Image): Record<string, unknown> {
  const platform = formatPlatform(config.platform);
  return form.kind === 'module'
    ? { Form: 'module', Module: form.layer.digest, Name: form.name, Platform: platform }
    : { Form: 'rootfs', By: form.wasmBy, Platform: platform };
}

/** Repository and tag columns of a summary, `<none>` as docker has it. One row per name. */
export function imageRows(summary: ImageSummary): { repository: string; tag: string; id: string }[] {
  const id = shortDigest(summary.id);
  if (summary.repoTags.length > 0) {
    return summary.repoTags.map((name) => {
      const reference = parseReference(name);
      return { repository: familiarRepository(reference), tag: reference.tag ?? '<none>', id };
    });
  }
  const named = summary.repoDigests[0];
  return [
    { repository: named === undefined ? '<none>' : familiarRepository(parseReference(named)), tag: '<none>', id },
  ];
}

/** `docker.io/library/hello` of a record, for filters by reference. */
export function repositoryOf({ reference, repoDigest }: ImageRecord): string | undefined {
  const name = reference ?? repoDigest;
  return name === undefined ? undefined : canonicalRepository(parseReference(name));
}

/** Undefined for text that is no time: a config may say anything. */
function validTime(text: string | undefined): string | undefined {
  return text === undefined || Number.isNaN(Date.parse(text)) ? undefined : text;
}
