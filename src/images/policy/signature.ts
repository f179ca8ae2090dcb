/**
 * Signatures as cosign makes them with a key: ECDSA over P-256 of a "simple signing" payload that names the manifest's
 * digest and what the image is called. https://github.com/sigstore/cosign/blob/v2.2.0/specs/SIGNATURE_SPEC.md
 */
import { WctrError } from '../../errors.ts';
import type { Digest } from '../../spec/image-spec.ts';
import { canonicalName, canonicalRepository, parseReference, type Reference } from '../reference.ts';
import type { IdentityRule } from './policy.ts';

export const SIGNATURE_MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';
export const SIGNATURE_ANNOTATION = 'dev.cosignproject.cosign/signature';
export const SIGNATURE_ARTIFACT_TYPES: readonly string[] = [
  'application/vnd.dev.cosign.artifact.sig.v1+json',
  'application/vnd.dev.cosign.simplesigning.v1+json',
];
const SIGNATURE_TYPES = ['cosign container image signature', 'atomic container signature'];

export interface Signature {
  /** The signed bytes, as they are. */
  readonly payload: Uint8Array;
  /** base64 of an ASN.1 ECDSA signature. */
  readonly signature: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' };
const SCALAR_BYTES = 32;

/** @throws invalid-argument for what is no P-256 public key in PEM (SubjectPublicKeyInfo) */
export async function importPublicKey(pem: string, name: string): Promise<CryptoKey> {
  const body = /-----BEGIN PUBLIC KEY-----([\sA-Za-z0-9+/=]+)-----END PUBLIC KEY-----/.exec(pem)?.[1];
  try {
    if (body === undefined) throw new Error('no PEM block');
    return await crypto.subtle.importKey('spki', fromBase64(body), ALGORITHM, false, ['verify']);
  } catch (cause) {
    throw new WctrError('invalid-argument', `${name} is not an ECDSA P-256 public key in PEM`, {
      cause,
      hint: 'cosign generate-key-pair makes one: cosign.pub',
    });
  }
}

/** Why a signature does not count; undefined when it does. */
export async function refuteSignature(
  { payload, signature }: Signature,
  keys: readonly CryptoKey[],
  digests: readonly Digest[],
  image: Reference,
  identity: IdentityRule,
): Promise<string | undefined> {
  const raw = rawSignature(signature);
  if (raw === undefined) return 'a signature is malformed';
  const bytes = new Uint8Array(payload);
  const checks = keys.map((key) => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, bytes));
  if (!(await Promise.all(checks)).some(Boolean)) return 'it is signed by another key';
  // Only now is the payload more than a stranger's text.
  let document: { critical?: { identity?: Record<string, unknown>; image?: Record<string, unknown>; type?: unknown } };
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return 'what is signed is not JSON';
  }
  const { critical } = document;
  if (typeof critical?.type !== 'string' || !SIGNATURE_TYPES.includes(critical.type)) {
    return 'what is signed is no image signature';
  }
  const digest = critical.image?.['docker-manifest-digest'];
  if (typeof digest !== 'string' || !digests.includes(digest as Digest)) return 'the signature is for another image';
  const name = critical.identity?.['docker-reference'];
  if (typeof name !== 'string' || !identifies(name, image, identity)) {
    return `the signature is for ${typeof name === 'string' ? JSON.stringify(name.slice(0, 200)) : 'no name'}`;
  }
  return undefined;
}

/** Does a signature for `signed` speak of `image`? */
function identifies(signed: string, image: Reference, rule: IdentityRule): boolean {
  const given = parse(signed);
  if (given === undefined) return false;
  switch (rule.type) {
    case 'matchRepository':
      return given.repository === canonicalRepository(image);
    case 'matchExact':
      return image.tag !== undefined && image.digest === undefined && isExact(given, image);
    case 'matchRepoDigestOrExact':
      return image.digest === undefined ? isExact(given, image) : given.repository === canonicalRepository(image);
    case 'exactReference':
      return given.name !== undefined && given.name === parse(rule.name)?.name;
    case 'exactRepository':
      return given.repository === parse(rule.name)?.repository;
    case 'remapIdentity': {
      const mapped = remapped(image, rule.prefix, rule.signedPrefix);
      if (mapped === undefined) return false;
      return image.digest === undefined ? isExact(given, mapped) : given.repository === canonicalRepository(mapped);
    }
  }
}

function isExact({ name }: ParsedName, image: Reference): boolean {
  return name !== undefined && name === canonicalName(image);
}

interface ParsedName {
  readonly repository: string;
  /** Absent where the name has neither tag nor digest. */
  readonly name?: string;
}

function parse(text: string): ParsedName | undefined {
  try {
    const reference = parseReference(text);
    const isBare = reference.digest === undefined && !/:[^/]*$/.test(text);
    const repository = canonicalRepository(reference);
    return isBare ? { repository } : { repository, name: canonicalName(reference) };
  } catch {
    return undefined;
  }
}

/** containers-policy.json(5): the image's name with `prefix` replaced; the same name where it does not begin with it. */
function remapped(image: Reference, prefix: string, signedPrefix: string): Reference | undefined {
  const name = canonicalName(image);
  const fits = name === prefix || (name.startsWith(prefix) && '/:@'.includes(name[prefix.length]!));
  if (!fits) return image;
  try {
    return parseReference(signedPrefix + name.slice(prefix.length));
  } catch {
    return undefined;
  }
}

/** ASN.1 `SEQUENCE { INTEGER r, INTEGER s }` to the r || s that WebCrypto takes. */
export function rawSignature(base64: string): Uint8Array<ArrayBuffer> | undefined {
  let der: Uint8Array;
  try {
    der = fromBase64(base64);
  } catch {
    return undefined;
  }
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 72) return undefined;
  const raw = new Uint8Array(2 * SCALAR_BYTES);
  let at = 2;
  for (const end of [SCALAR_BYTES, 2 * SCALAR_BYTES]) {
    const length = der[at + 1] ?? 0;
    if (der[at] !== 0x02 || length === 0 || at + 2 + length > der.length) return undefined;
    let scalar = der.subarray(at + 2, at + 2 + length);
    if ((scalar[0]! & 0x80) !== 0) return undefined;
    if (scalar[0] === 0 && scalar.length > 1) scalar = scalar.subarray(1);
    if (scalar.length > SCALAR_BYTES) return undefined;
    raw.set(scalar, end - scalar.length);
    at += 2 + length;
  }
  return at === der.length ? raw : undefined;
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replace(/\s+/g, '')), (char) => char.charCodeAt(0));
}
