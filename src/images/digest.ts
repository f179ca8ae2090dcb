/** Digests (image-spec descriptor.md#digests): sha256 and sha512, lower-case hex, nothing else. */
import { WctrError } from '../errors.ts';
import type { Hasher } from '../host/ports.ts';
import type { Digest } from '../spec/image-spec.ts';
import { quote } from './quote.ts';

export type DigestAlgorithm = 'sha256' | 'sha512';

/** A fresh hasher; a host that has no sha512 throws `unsupported` for it. */
export type CreateHasher = (algorithm: DigestAlgorithm) => Hasher;

const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && DIGEST.test(text);
}

/** Throws `invalid-argument`; `what` names the thing whose digest it is. */
export function parseDigest(text: string, what = 'digest'): Digest {
  if (isDigest(text)) return text;
  throw new WctrError('invalid-argument', `${what} ${quote(text)} is not a digest`, {
    hint: 'a digest is sha256: and 64 lower-case hex digits',
  });
}

export function digestParts(digest: Digest): { algorithm: DigestAlgorithm; hex: string } {
  const colon = digest.indexOf(':');
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) };
}

/** The first 12 hex digits, as docker prints ids. */
export function shortDigest(digest: Digest): string {
  return digest.slice(7, 19);
}

export function digestOf(createHasher: CreateHasher, bytes: Uint8Array): Digest {
  const hasher = createHasher('sha256');
  hasher.update(bytes);
  return `sha256:${hasher.digestHex()}`;
}

/** config.md#layer-chainid: what a stack of layers (lowest first) is called. */
export function chainId(createHasher: CreateHasher, diffIds: readonly Digest[]): Digest | undefined {
  const encoder = new TextEncoder();
  let chain = diffIds[0];
  for (const diffId of diffIds.slice(1)) chain = digestOf(createHasher, encoder.encode(`${chain} ${diffId}`));
  return chain;
}
