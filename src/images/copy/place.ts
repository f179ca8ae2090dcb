/** Where `image copy` reads and writes, in skopeo's words: https://github.com/containers/image/blob/main/docs/containers-transports.5.md */
import { WctrError } from '../../errors.ts';
import { quote } from '../quote.ts';
import { parseReference, type Reference } from '../reference.ts';

export type Place =
  | { readonly kind: 'docker'; readonly reference: Reference }
  /** `image`: which of several, or what it is to be called. */
  | { readonly kind: 'oci' | 'oci-archive' | 'docker-archive'; readonly path: string; readonly image?: string };

const FILES = ['oci', 'oci-archive', 'docker-archive'] as const;
const HINT = 'write docker://NAME[:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]';

/** Throws `invalid-argument`, `invalid-reference`. */
export function parsePlace(text: string): Place {
  if (text.startsWith('docker://'))
    return { kind: 'docker', reference: parseReference(text.slice('docker://'.length)) };
  const colon = text.indexOf(':');
  const kind = FILES.find((name) => name === text.slice(0, colon));
  if (kind === undefined) {
    const isOther = /^(dir|containers-storage|docker-daemon|sif|tarball|ostree|atomic):/.test(text);
    throw new WctrError(
      isOther ? 'unsupported' : 'invalid-argument',
      isOther ? `copies from and to ${text.slice(0, colon)}: are not supported` : `${quote(text)} names no transport`,
      { hint: HINT },
    );
  }
  const rest = text.slice(colon + 1);
  // A drive letter's colon is part of the path.
  const from = /^[A-Za-z]:[\\/]/.test(rest) ? 2 : 0;
  const at = rest.indexOf(':', from);
  const path = at < 0 ? rest : rest.slice(0, at);
  const image = at < 0 ? '' : rest.slice(at + 1);
  if (path === '') throw new WctrError('invalid-argument', `${quote(text)} names no file`, { hint: HINT });
  if (image.length > 1024 || /\p{Cc}/u.test(image)) {
    throw new WctrError('invalid-argument', `${quote(image)} cannot name an image`);
  }
  return image === '' ? { kind, path } : { kind, path, image };
}
