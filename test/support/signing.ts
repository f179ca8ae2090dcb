/** Signs images as cosign does with a key, and puts the signatures where cosign puts them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { RegistryClient, RepositoryName } from '../../src/images/registry/client.ts';
import { addToReferrersTag } from '../../src/images/registry/referrers.ts';
import { type Descriptor, MEDIA_TYPE } from '../../src/spec/image-spec.ts';
import { sha256 } from './registry-server.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicPem: string;
}

export function signingKey(namedCurve = 'P-256'): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return { privateKey, publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}

export function simpleSigning(name: string, digest: string, changes: Record<string, unknown> = {}): Uint8Array {
  const critical = {
    identity: { 'docker-reference': name },
    image: { 'docker-manifest-digest': digest },
    type: 'cosign container image signature',
    ...changes,
  };
  return new TextEncoder().encode(JSON.stringify({ critical, optional: null }));
}

export function signatureOf(key: SigningKey, payload: Uint8Array): string {
  return sign('sha256', payload, key.privateKey).toString('base64');
}

/** `by`: cosign's tag, or a manifest that refers to the signed one. */
export async function attachSignature(
  client: RegistryClient,
  place: RepositoryName,
  subject: Descriptor,
  payload: Uint8Array,
  signature: string,
  by: 'tag' | 'referrer' = 'tag',
): Promise<void> {
  const target = client.target(place);
  const origin = (bytes: Uint8Array) =>
    async function* (offset: number) {
      yield bytes.slice(offset);
    };
  const config = new TextEncoder().encode('{}');
  const descriptor = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: sha256(bytes),
    size: bytes.length,
  });
  const layer = descriptor('application/vnd.dev.cosign.simplesigning.v1+json', payload);
  await target.upload(layer, origin(payload));
  await target.upload(descriptor(MEDIA_TYPE.ociConfig, config), origin(config));
  const { mediaType, digest, size } = subject;
  const artifactType = 'application/vnd.dev.cosign.artifact.sig.v1+json';
  const manifest = new TextEncoder().encode(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      ...(by === 'referrer' ? { artifactType, subject: { mediaType, digest, size } } : {}),
      config: descriptor(by === 'referrer' ? MEDIA_TYPE.ociEmpty : MEDIA_TYPE.ociConfig, config),
      layers: [{ ...layer, annotations: { 'dev.cosignproject.cosign/signature': signature } }],
    }),
  );
  const root = descriptor(MEDIA_TYPE.ociManifest, manifest);
  const tag = by === 'tag' ? `${digest.replace(':', '-')}.sig` : root.digest;
  const { keepsReferrers } = await target.putManifest(tag, root, manifest);
  if (by === 'referrer' && !keepsReferrers) {
    await addToReferrersTag(client, place, digest, { ...root, artifactType });
  }
}
