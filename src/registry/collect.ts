/**
 * The registry's garbage collector. It runs while the registry serves: pulls never wait, and what makes content reachable
 * (a blob's link, a manifest with its tags) waits for as long as the marking takes, by the lock that images use.
 */
import { GC_LOCK } from '../images/store/layout.ts';
import type { Digest } from '../spec/image-spec.ts';
import type { RegistryContext } from './context.ts';
import type { ManifestRecord } from './repositories.ts';

export interface CollectOptions {
  /** In place of the registry's own: what nobody has needed for less than this stays. */
  readonly graceMs?: number;
  /** Uploads nobody has added to for this long are given up; default a day. */
  readonly uploadGraceMs?: number;
  /** Manifests go as well that no tag, no index and no subject leads to. */
  readonly untagged?: boolean;
}

export interface RegistryGarbage {
  readonly manifests: number;
  readonly links: number;
  readonly uploads: number;
  readonly blobs: number;
  readonly reclaimedBytes: number;
}

const UPLOAD_GRACE_MS = 24 * 60 * 60_000;

export async function collectRegistry(context: RegistryContext, options: CollectOptions): Promise<RegistryGarbage> {
  const { driver, repositories, now } = context;
  const { graceMs = context.graceMs, uploadGraceMs = UPLOAD_GRACE_MS, untagged = false } = options;
  const before = now() - graceMs;
  let manifests = 0;
  let links = 0;
  const needed = new Set<Digest>();
  const lock = await driver.locks.acquire(GC_LOCK);
  try {
    for (const repository of await repositories.names()) {
      const records = await recordsOf(context, repository);
      if (untagged) {
        for (const digest of await unreachable(context, repository, records)) {
          if (records.get(digest)!.at > before) continue;
          await repositories.deleteManifest(repository, digest);
          records.delete(digest);
          manifests += 1;
        }
        context.manifests.forget(repository);
      }
      const kept = new Set<Digest>();
      for (const [digest, { refs }] of records) {
        kept.add(digest);
        for (const ref of refs) kept.add(ref);
      }
      for (const digest of await repositories.blobs(repository)) {
        if (!kept.has(digest) && ((await repositories.blob(repository, digest))?.at ?? 0) <= before) {
          await repositories.unlinkBlob(repository, digest);
          links += 1;
        } else needed.add(digest);
      }
      for (const digest of records.keys()) needed.add(digest);
    }
    const uploads = await dropUploads(context, now() - uploadGraceMs);
    // Without the lock of this machine (a bucket), what another process is about to link is young.
    const isNeeded = ({ digest, modifiedMs }: { digest: Digest; modifiedMs: number }) =>
      needed.has(digest) || (!driver.isExclusive && modifiedMs > before);
    return { manifests, links, uploads, ...(await driver.sweep(isNeeded)) };
  } finally {
    await lock.release();
  }
}

async function recordsOf({ repositories }: RegistryContext, repository: string): Promise<Map<Digest, ManifestRecord>> {
  const records = new Map<Digest, ManifestRecord>();
  for (const digest of await repositories.manifests(repository)) {
    const record = await repositories.manifest(repository, digest);
    if (record !== undefined) records.set(digest, record);
  }
  return records;
}

/** Manifests that no tag leads to, neither through an index nor as what refers to something that one leads to. */
async function unreachable(
  { repositories }: RegistryContext,
  repository: string,
  records: ReadonlyMap<Digest, ManifestRecord>,
): Promise<Digest[]> {
  const reached = new Set<Digest>();
  const open: Digest[] = [];
  const reach = (digest: Digest | undefined) => {
    if (digest === undefined || reached.has(digest) || !records.has(digest)) return;
    reached.add(digest);
    open.push(digest);
  };
  const referrers = new Map<Digest, Digest[]>();
  for (const [digest, { subject }] of records) {
    if (subject !== undefined) referrers.set(subject, [...(referrers.get(subject) ?? []), digest]);
  }
  for (const tag of await repositories.tags(repository)) reach(await repositories.tag(repository, tag));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const ref of records.get(next)!.refs) reach(ref);
    for (const referrer of referrers.get(next) ?? []) reach(referrer);
  }
  return [...records.keys()].filter((digest) => !reached.has(digest));
}

async function dropUploads({ driver }: RegistryContext, before: number): Promise<number> {
  let count = 0;
  for (const { id, modifiedMs } of await driver.uploads.list()) {
    if (modifiedMs > before) continue;
    const upload = await driver.uploads.open(id);
    if (upload === undefined) continue;
    await upload.cancel();
    count += 1;
  }
  return count;
}
