/** How much a repository may hold: its blobs and manifests, each counted once. */
import type { RegistryContext } from './context.ts';
import { Refusal } from './refusal.ts';

export async function repositoryBytes({ repositories }: RegistryContext, repository: string): Promise<number> {
  let sum = 0;
  for (const digest of await repositories.blobs(repository))
    sum += (await repositories.blob(repository, digest))?.size ?? 0;
  for (const digest of await repositories.manifests(repository)) {
    sum += (await repositories.manifest(repository, digest))?.size ?? 0;
  }
  return sum;
}

/** Throws DENIED when `moreBytes` would not fit. */
export async function checkQuota(context: RegistryContext, repository: string, moreBytes: number): Promise<void> {
  const limit = context.limits.repositoryBytes;
  if (limit === undefined || moreBytes === 0) return;
  const used = await repositoryBytes(context, repository);
  if (used + moreBytes <= limit) return;
  throw new Refusal('denied', `the quota of ${limit} bytes of this repository is used up`, {
    detail: { limitBytes: limit, usedBytes: used, wantedBytes: moreBytes },
  });
}

/** When this much of the quota is used, a push is told. */
const WARN_AT = 0.9;

/** spec.md, "Warnings": a Warning header that clients show to their users. */
export async function quotaWarning(context: RegistryContext, repository: string): Promise<string | undefined> {
  const limit = context.limits.repositoryBytes;
  if (limit === undefined) return undefined;
  const used = await repositoryBytes(context, repository);
  if (used < limit * WARN_AT) return undefined;
  return `299 - "${Math.round((used / limit) * 100)}% of the quota of this repository is used"`;
}
