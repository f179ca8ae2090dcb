/**
 * Image references: the grammar of https://github.com/distribution/reference (v0.6) with Docker's normalisation, so
 * `hello` is docker.io/library/hello:latest and `localhost:5000/x` is what it says.
 */
import { WctrError } from '../errors.ts';
import type { Digest } from '../spec/image-spec.ts';
import { isDigest } from './digest.ts';
import { quote } from './quote.ts';

/** A normalised reference. At least one of `tag` and `digest` is set after `parseReference`. */
export interface Reference {
  /** Registry host with port: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly domain: string;
  /** Path within the registry: `library/hello`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** What a user may call an image by: a name, a full id, or the first digits of one. */
export type ImageName =
  | { readonly kind: 'reference'; readonly reference: Reference; readonly shortId?: string }
  | { readonly kind: 'id'; readonly digest: Digest };

export const DEFAULT_DOMAIN = 'docker.io';
export const DEFAULT_TAG = 'latest';
const LEGACY_DOMAIN = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';
const MAX_NAME_CHARS = 255;
const MAX_INPUT_CHARS = 1024;

const PATH_COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const DOMAIN =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const HEX_ID = /^[a-f0-9]{64}$/;
const SHORT_ID = /^[a-f0-9]{4,64}$/;

/**
 * Parses and normalises; a name with neither tag nor digest gets `:latest`. Throws `invalid-reference` with one line
 * that says which rule was broken.
 */
export function parseReference(text: string): Reference {
  if (text === '') throw invalid(text, 'it is empty', 'give a name such as hello or ghcr.io/owner/name:tag');
  if (text.length > MAX_INPUT_CHARS) throw invalid(text, `it is longer than ${MAX_INPUT_CHARS} characters`);
  if (HEX_ID.test(text)) {
    throw invalid(text, '64 hex digits are an image id, not a name', `to mean the id, write sha256:${text}`);
  }
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : parseDigestPart(text, text.slice(at + 1));
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? parseTagPart(text, named.slice(colon + 1)) : undefined;
  const { domain, path } = splitDomain(text, hasTag ? named.slice(0, colon) : named);
  return {
    domain,
    path,
    ...(tag === undefined ? (digest === undefined ? { tag: DEFAULT_TAG } : {}) : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Parses what a user may type where an image is expected: a reference, `sha256:<hex>`, a full or a short id. */
export function parseImageName(text: string): ImageName {
  if (isDigest(text)) return { kind: 'id', digest: text };
  if (HEX_ID.test(text)) return { kind: 'id', digest: `sha256:${text}` };
  const short = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  if (short !== text) {
    if (!SHORT_ID.test(short)) throw invalid(text, 'sha256: must be followed by 4 to 64 lower-case hex digits');
    return { kind: 'reference', reference: parseReference(short), shortId: short };
  }
  const reference = parseReference(text);
  return SHORT_ID.test(text) ? { kind: 'reference', reference, shortId: text } : { kind: 'reference', reference };
}

/** `docker.io/library/hello:latest`, with the digest after it where there is one. */
export function canonicalName(reference: Reference): string {
  return `${reference.domain}/${reference.path}${suffix(reference)}`;
}

/** As people write it: `hello:latest`. */
export function familiarName(reference: Reference): string {
  return `${familiarRepository(reference)}${suffix(reference)}`;
}

/** `docker.io/library/hello` */
export function canonicalRepository(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** `hello`; names of other registries stay whole. */
export function familiarRepository({ domain, path }: Reference): string {
  if (domain !== DEFAULT_DOMAIN) return `${domain}/${path}`;
  const rest = path.startsWith(OFFICIAL_PREFIX) ? path.slice(OFFICIAL_PREFIX.length) : path;
  // `library/a/b` must not turn into `a/b`, which names something else
  return rest.includes('/') ? path : rest;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function splitDomain(text: string, name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  let domain = isDomain ? first : DEFAULT_DOMAIN;
  const given = isDomain ? name.slice(slash + 1) : name;
  let path = given;
  if (domain === LEGACY_DOMAIN) domain = DEFAULT_DOMAIN;
  if (domain === DEFAULT_DOMAIN && path !== '' && !path.includes('/')) path = OFFICIAL_PREFIX + path;
  if (!DOMAIN.test(domain)) throw invalid(text, `${quote(domain)} is not a registry host`);
  if (path === '') throw invalid(text, 'the name is empty');
  if (/[A-Z]/.test(path)) {
    throw invalid(text, 'the repository name must be lowercase', `try ${text.replace(given, given.toLowerCase())}`);
  }
  const wrong = path.split('/').find((component) => !PATH_COMPONENT.test(component));
  if (wrong !== undefined) {
    throw invalid(text, `${quote(wrong)} is not a name component`, 'use a-z, 0-9 and single . _ - between them');
  }
  if (path.length > MAX_NAME_CHARS) throw invalid(text, `the name is longer than ${MAX_NAME_CHARS} characters`);
  return { domain, path };
}

function parseTagPart(text: string, tag: string): string {
  if (TAG.test(tag)) return tag;
  if (tag === '') throw invalid(text, 'the tag after the colon is empty');
  throw invalid(
    text,
    `${quote(tag)} is not a tag`,
    'a tag is up to 128 of A-Z a-z 0-9 _ . - and starts with none of . -',
  );
}

function parseDigestPart(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest;
  throw invalid(text, `${quote(digest)} is not a digest`, 'a digest is sha256: and 64 lower-case hex digits');
}

function invalid(text: string, why: string, hint?: string): WctrError {
  return new WctrError('invalid-reference', `invalid image reference ${quote(text)}: ${why}`, {
    ...(hint === undefined ? {} : { hint }),
    data: { reference: text },
  });
}
