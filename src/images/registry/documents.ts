/** Small blobs out of a registry, whole and verified: configs, signatures. */
import { WctrError } from '../../errors.ts';
import type { Descriptor } from '../../spec/image-spec.ts';
import { collect } from '../archive/files.ts';
import { type CreateHasher, digestParts } from '../digest.ts';
import { MAX_DOCUMENT_BYTES } from '../json-document.ts';
import type { RemoteRepository } from './repository.ts';

/** @throws limit-exceeded, digest-mismatch, and what the transfer throws */
export async function readRemoteBlob(
  remote: RemoteRepository,
  descriptor: Descriptor,
  createHasher: CreateHasher,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { digest, size } = descriptor;
  if (size > MAX_DOCUMENT_BYTES) {
    throw new WctrError('limit-exceeded', `blob ${digest} is ${size} bytes, more than ${MAX_DOCUMENT_BYTES}`);
  }
  const bytes = await collect(remote.blob(descriptor)(0, signal));
  const { algorithm, hex } = digestParts(digest);
  const hasher = createHasher(algorithm);
  hasher.update(bytes);
  const actual = hasher.digestHex();
  if (actual === hex) return bytes;
  throw new WctrError(
    'digest-mismatch',
    `blob ${digest} of ${remote.shownName} has the digest ${algorithm}:${actual}`,
    {
      data: { expected: digest, actual: `${algorithm}:${actual}` },
    },
  );
}
