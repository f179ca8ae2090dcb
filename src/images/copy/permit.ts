/** Asks the policy of this machine before something is copied, as skopeo does: of the place it comes from. */
import type { FileSystem } from '../../host/ports.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
import { allow, enforce, readPolicy } from '../policy/enforce.ts';
import { fetchSignatures } from '../policy/fetch-signatures.ts';
import { requirementsForPath } from '../policy/policy.ts';
import type { Reference } from '../reference.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Place } from './place.ts';
import type { CopySource } from './source.ts';

export interface PermitTools {
  readonly fs: FileSystem;
  readonly configDirectory: string;
  readonly client: () => Promise<RegistryClient>;
}

/** @param absolutePath Of a file that is copied from. @throws forbidden */
export async function permitCopy(
  tools: PermitTools,
  from: Place,
  absolutePath: string,
  source: CopySource,
  image: Descriptor,
  signal?: AbortSignal,
): Promise<void> {
  if (from.kind === 'docker') {
    return permitRemote(tools, from.reference, [source.root.digest, image.digest], signal);
  }
  const policy = await readPolicy(tools.fs, tools.configDirectory);
  if (policy === undefined) return;
  for (const requirement of requirementsForPath(policy, from.kind, absolutePath))
    allow(policy, requirement, source.what);
}

/** For what is fetched from a registry and goes into no store. @throws forbidden */
export async function permitRemote(
  { fs, configDirectory, client }: PermitTools,
  reference: Reference,
  digests: readonly Digest[],
  signal?: AbortSignal,
): Promise<void> {
  const policy = await readPolicy(fs, configDirectory);
  if (policy === undefined) return;
  const unique = [...new Set(digests)];
  await enforce(policy, fs, {
    reference,
    digests: unique,
    signatures: async () => fetchSignatures(await client(), reference, unique, signal),
  });
}
