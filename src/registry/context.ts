/** What every route is given. */
import type { CreateHasher } from '../images/digest.ts';
import type { Digest } from '../spec/image-spec.ts';
import type { ManifestCache } from './manifest-cache.ts';
import type { Repositories } from './repositories.ts';
import type { Driver } from './storage/driver.ts';
import type { UploadSessions } from './upload-sessions.ts';

export interface RegistryContext {
  readonly driver: Driver;
  readonly repositories: Repositories;
  readonly sessions: UploadSessions;
  readonly manifests: ManifestCache;
  readonly createHasher: CreateHasher;
  readonly now: () => number;
  /** A blob no manifest needs is kept this long after it was last pushed, mounted or asked for. */
  readonly graceMs: number;
  readonly limits: RegistryLimits;
}

export interface RegistryLimits {
  /** Of all blobs and manifests of one repository; undefined: none. */
  readonly repositoryBytes: number | undefined;
  /** Of one blob; undefined: what the storage takes. */
  readonly blobBytes: number | undefined;
}

export function digestBy(createHasher: CreateHasher, algorithm: 'sha256' | 'sha512', bytes: Uint8Array): Digest {
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  return `${algorithm}:${hasher.digestHex()}`;
}
