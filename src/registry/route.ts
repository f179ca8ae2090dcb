/** Paths of distribution-spec 1.1, "Endpoints". Repository names have slashes, so a path is read from its end. */

import { isDigest } from '../images/digest.ts';
import type { Digest } from '../spec/image-spec.ts';
import { Refusal } from './refusal.ts';

export type Route =
  | { readonly kind: 'ping' | 'catalog' }
  | { readonly kind: 'blob'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'uploads' | 'tags'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string };

const KINDS: Readonly<Record<string, 'blob' | 'manifest' | 'referrers'>> = {
  blobs: 'blob',
  manifests: 'manifest',
  referrers: 'referrers',
};

/** spec.md, "Pulling manifests", with each component between the slashes matched by itself. */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
/** What docker allows a name with its host; file systems stop there as well. */
const MAX_NAME_CHARS = 255;

/** Undefined: no path of this API. */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'ping' };
  if (!path.startsWith('/v2/')) return undefined;
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const segments = path.slice('/v2/'.length).split('/');
  const last = segments.length - 1;
  const name = (until: number) => segments.slice(0, until).join('/');
  const tail = segments[last]!;
  const [before, twoBefore] = [segments[last - 1], segments[last - 2]];
  if (before === 'tags' && tail === 'list' && last >= 2) return { kind: 'tags', repository: name(last - 1) };
  if (tail === '' && before === 'uploads' && twoBefore === 'blobs' && last >= 3) {
    return { kind: 'uploads', repository: name(last - 2) };
  }
  if (before === 'blobs' && tail === 'uploads' && last >= 2) return { kind: 'uploads', repository: name(last - 1) };
  if (before === 'uploads' && twoBefore === 'blobs' && last >= 3) {
    return { kind: 'upload', repository: name(last - 2), id: tail };
  }
  const kind = before !== undefined && Object.hasOwn(KINDS, before) ? KINDS[before] : undefined;
  if (kind === undefined || last < 2 || tail === '') return undefined;
  return { kind, repository: name(last - 1), reference: decoded(tail) };
}

/** Clients may escape the colon of a digest. What cannot be read stays as it is, and is no reference then. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

export function checkRepository(name: string): string {
  if (isRepository(name)) return name;
  throw new Refusal('nameInvalid', 'invalid repository name', { detail: { name: name.slice(0, MAX_NAME_CHARS) } });
}

export function isRepository(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && name.split('/').every((component) => COMPONENT.test(component));
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function checkDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const [, algorithm = ''] = /^([a-z0-9+._-]{1,32}):/.exec(text) ?? [];
  const message =
    algorithm === '' || algorithm === 'sha256' || algorithm === 'sha512'
      ? 'not a digest'
      : `digests of ${algorithm} are not supported: use sha256 or sha512`;
  throw new Refusal('digestInvalid', message, { detail: { digest: text.slice(0, 200) } });
}
