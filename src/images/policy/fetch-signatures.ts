/** Where cosign puts signatures: at the tag `sha256-<hex>.sig`, or among the referrers of the manifest. */
import { isWctrError } from '../../errors.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
import { parseManifest } from '../manifest.ts';
import type { RegistryClient, RepositoryName } from '../registry/client.ts';
import { readRemoteBlob } from '../registry/documents.ts';
import { listReferrers } from '../registry/referrers.ts';
import { SIGNATURE_ANNOTATION, SIGNATURE_ARTIFACT_TYPES, SIGNATURE_MEDIA_TYPE, type Signature } from './signature.ts';

/** More than this many nobody needs; a registry that has more is not asked on. */
const MAX_SIGNATURES = 100;
const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Signatures of some manifests, none of them believed yet. */
export async function fetchSignatures(
  client: RegistryClient,
  name: RepositoryName,
  digests: readonly Digest[],
  signal?: AbortSignal,
): Promise<readonly Signature[]> {
  const found: Signature[] = [];
  for (const digest of digests) {
    const tagged = await manifestAt(client, name, `${digest.replace(':', '-')}.sig`, signal);
    if (tagged !== undefined) await collectSignatures(client, name, tagged, found, signal);
    const referrers = await listReferrers(client, name, digest, signal === undefined ? {} : { signal });
    for (const { artifactType, digest: referrer } of referrers) {
      if (artifactType === undefined || !SIGNATURE_ARTIFACT_TYPES.includes(artifactType)) continue;
      const bytes = await manifestAt(client, name, referrer, signal);
      if (bytes !== undefined) await collectSignatures(client, name, bytes, found, signal);
      if (found.length >= MAX_SIGNATURES) return found;
    }
  }
  return found;
}

async function manifestAt(
  client: RegistryClient,
  name: RepositoryName,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | undefined> {
  try {
    return (await client.repository(name).manifest(reference, signal)).bytes;
  } catch (error) {
    if (isWctrError(error, 'no-such-image')) return undefined;
    throw error;
  }
}

async function collectSignatures(
  client: RegistryClient,
  name: RepositoryName,
  bytes: Uint8Array,
  found: Signature[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const parsed = parseManifest(bytes, { what: 'a signature manifest' });
  if (parsed.kind === 'index') return;
  for (const layer of parsed.layers) {
    const signature = layer.annotations?.[SIGNATURE_ANNOTATION];
    if (signature === undefined || !isPayload(layer) || found.length >= MAX_SIGNATURES) continue;
    const payload = await readRemoteBlob(client.repository(name), layer, client.createHasher, signal);
    found.push({ payload, signature });
  }
}

function isPayload({ mediaType, size }: Descriptor): boolean {
  return mediaType === SIGNATURE_MEDIA_TYPE && size <= MAX_PAYLOAD_BYTES;
}
