/** The policy of this machine, asked when images come in from registries and whenever they are used afterwards. */
import { isWctrError, WctrError } from '../errors.ts';
import type { ImageRecord } from '../images/image-record.ts';
import { enforce, readPolicy } from '../images/policy/enforce.ts';
import { fetchSignatures } from '../images/policy/fetch-signatures.ts';
import { KeptSignatures } from '../images/policy/kept-signatures.ts';
import type { Policy } from '../images/policy/policy.ts';
import type { Signature } from '../images/policy/signature.ts';
import { canonicalRepository, familiarName, parseReference, type Reference } from '../images/reference.ts';
import type { RegistryClient } from '../images/registry/client.ts';
import type { Descriptor } from '../spec/image-spec.ts';
import type { EngineParts } from './parts.ts';

type Parts = Pick<EngineParts, 'fs' | 'layout' | 'images' | 'policyDirectory'>;

/** For a pull, when it is known what it would bring. Keeps the signatures that counted. @throws forbidden */
export async function permitPull(
  parts: Parts,
  reference: Reference,
  registry: RegistryClient,
  target: Descriptor,
  manifest: Descriptor,
  signal: AbortSignal | undefined,
): Promise<void> {
  const policy = await policyOf(parts);
  if (policy === undefined) return;
  const digests = [...new Set([target.digest, manifest.digest])];
  const counted = await enforce(policy, parts.fs, {
    reference,
    digests,
    signatures: () => fetchSignatures(registry, reference, digests, signal),
  });
  if (counted.length === 0) return;
  const kept = new KeptSignatures(parts.fs, parts.layout);
  const records = await parts.images.records(() => {});
  await kept.sweep(new Set(records.map((record) => record.manifest.digest)));
  await kept.put(manifest.digest, merged(await kept.get(manifest.digest), counted));
}

/**
 * For an image that is here and came from a registry, before it is run or given on: by the signatures kept when it was
 * pulled, without a network. What was made or loaded here is not the policy's affair.
 */
export async function permitRecord(parts: Parts, record: ImageRecord): Promise<void> {
  const policy = await policyOf(parts);
  if (policy === undefined) return;
  const origins = await originsOf(parts, record);
  let failure: unknown;
  for (const reference of origins) {
    try {
      await enforce(policy, parts.fs, {
        reference,
        digests: [...new Set([record.target.digest, record.manifest.digest])],
        signatures: () => new KeptSignatures(parts.fs, parts.layout).get(record.manifest.digest),
      });
      return;
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure === undefined) return;
  if (!isWctrError(failure, 'forbidden')) throw failure;
  throw new WctrError('forbidden', failure.message, {
    cause: failure,
    data: failure.data,
    hint: `if it has been signed since, pull it again: wctr pull ${familiarName(origins[0]!)}`,
  });
}

/** Names under which the image came from registries; the record's own decides where it has one. */
async function originsOf({ images }: Parts, record: ImageRecord): Promise<readonly Reference[]> {
  if (record.repoDigest !== undefined) return [originOf(record)!];
  const records = await images.records(() => {});
  return records
    .filter(({ manifest }) => manifest.digest === record.manifest.digest)
    .flatMap((one) => originOf(one) ?? []);
}

function originOf({ reference, repoDigest }: ImageRecord): Reference | undefined {
  if (repoDigest === undefined) return undefined;
  const origin = parseReference(repoDigest);
  const named = reference === undefined ? undefined : parseReference(reference);
  return named !== undefined && canonicalRepository(named) === canonicalRepository(origin) ? named : origin;
}

async function policyOf({ fs, policyDirectory }: Parts): Promise<Policy | undefined> {
  return policyDirectory === undefined ? undefined : readPolicy(fs, policyDirectory);
}

function merged(kept: readonly Signature[], added: readonly Signature[]): readonly Signature[] {
  return [...new Map([...kept, ...added].map((one) => [one.signature, one])).values()];
}
