/** `image rm` and `image prune`: names first, then whatever content nothing needs any more. */
import { WctrError } from '../errors.ts';
import type { Digest } from '../spec/image-spec.ts';
import { shortDigest } from './digest.ts';
import { type CollectorOptions, collectGarbage } from './gc.ts';
import type { ImageRecord } from './image-record.ts';
import { displayName, type ImageStore } from './image-store.ts';
import { listImages } from './image-views.ts';
import { parseImageName } from './reference.ts';

/** One line of docker's answer: a name that went, or content that did. */
export type RemovedItem = { readonly untagged: string } | { readonly deleted: string };

export interface RemovalContext {
  readonly images: ImageStore;
  readonly collector: CollectorOptions;
  /** Containers made from this image: their short ids, and whether one of them runs. */
  readonly usersOf: (id: Digest) => Promise<readonly { readonly container: string; readonly isRunning: boolean }[]>;
}

export interface RemovedImages {
  readonly items: readonly RemovedItem[];
  readonly reclaimedBytes: number;
}

/**
 * By name: takes that name away, and the image with its last one. By id: the image, if it has one name only or `force`
 * is given. Throws `in-use` while a container needs it (`force` is enough if none runs), `conflict` for an id with
 * several names, `no-such-image`.
 */
export async function removeImage(
  { images, collector, usersOf }: RemovalContext,
  text: string,
  options: { readonly force?: boolean } = {},
): Promise<RemovedImages> {
  const { force = false } = options;
  const records = await images.resolveAll(text);
  const [meant] = records as [ImageRecord, ...ImageRecord[]];
  const name = parseImageName(text);
  const isByName = name.kind === 'reference' && meant.reference !== undefined && !isById(name.shortId, meant);
  if (!isByName && !force && records.filter(({ reference }) => reference !== undefined).length > 1) {
    throw new WctrError('conflict', `image ${shortDigest(meant.id)} has several names: ${names(records)}`, {
      hint: 'remove the names one by one, or all of them with --force',
      data: { id: meant.id, references: records.map(displayName) },
    });
  }
  const going = isByName ? [meant] : records;
  if (going.length === records.length) await assertUnused(meant, usersOf, force);
  await images.forget(going);
  const untagged = going.flatMap((record) =>
    record.reference === undefined ? [] : [{ untagged: displayName(record) }],
  );
  if (going.length < records.length) return { items: untagged, reclaimedBytes: 0 };
  const { reclaimedBytes } = await collectGarbage(collector);
  return { items: [...untagged, { deleted: meant.id }], reclaimedBytes };
}

/** Every image without a tag, or with `all` every image no container was made from; then the collector runs. */
export async function pruneImages(
  { images, collector, usersOf }: RemovalContext,
  options: { readonly all?: boolean; readonly filter?: (records: readonly ImageRecord[]) => boolean } = {},
): Promise<RemovedImages> {
  const { all = false, filter = () => true } = options;
  const items: RemovedItem[] = [];
  for (const { id, records, isDangling } of await listImages(images)) {
    if ((!all && !isDangling) || !filter(records) || (await usersOf(id)).length > 0) continue;
    await images.forget(records);
    for (const record of records) if (record.reference !== undefined) items.push({ untagged: displayName(record) });
    items.push({ deleted: id });
  }
  const { reclaimedBytes } = await collectGarbage(collector);
  return { items, reclaimedBytes };
}

/** True when the text was the first digits of the id rather than the name it could also be. */
function isById(shortId: string | undefined, { id, reference }: ImageRecord): boolean {
  return shortId !== undefined && id.slice(7).startsWith(shortId) && !reference?.includes(`/${shortId}:`);
}

async function assertUnused(record: ImageRecord, usersOf: RemovalContext['usersOf'], force: boolean): Promise<void> {
  const users = await usersOf(record.id);
  const running = users.find(({ isRunning }) => isRunning);
  const user = running ?? users[0];
  if (user === undefined || (force && running === undefined)) return;
  const state = running === undefined ? 'stopped' : 'running';
  throw new WctrError('in-use', `image ${displayName(record)} is used by the ${state} container ${user.container}`, {
    hint: running === undefined ? 'remove the container first, or use --force' : 'stop and remove the container first',
    data: { id: record.id, containers: users.map(({ container }) => container) },
  });
}

function names(records: readonly ImageRecord[]): string {
  return records
    .filter(({ reference }) => reference !== undefined)
    .map(displayName)
    .sort()
    .join(', ');
}
