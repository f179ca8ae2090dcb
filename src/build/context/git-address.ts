/**
 * Addresses of git repositories as docker has them: `https://host/name.git#ref:directory`, `git://…`, `ssh://…`,
 * `git@host:name.git`, `github.com/name`.
 */
import { WctrError } from '../../errors.ts';
import { shownAddress } from '../../host/shown-address.ts';
import { quote } from '../../images/quote.ts';

export interface GitAddress {
  /** What git is told. */
  readonly repository: string;
  /** A branch, a tag or a commit; `HEAD` where none is named. */
  readonly ref: string;
  /** Inside the repository; '' is all of it. */
  readonly directory: string;
}

const SCP = /^[A-Za-z0-9_][\w.-]*@[A-Za-z0-9][\w.-]*:(?!\/\/)[^\s]+$/;
const URL_SCHEME = /^(?:https?|git|ssh):\/\//i;

export function isGitAddress(text: string): boolean {
  const [repository = ''] = text.split('#', 1);
  if (/^(?:git|ssh):\/\//i.test(repository) || SCP.test(repository) || repository.startsWith('github.com/'))
    return true;
  return /^https?:\/\//i.test(repository) && repository.endsWith('.git');
}

/** Throws `invalid-argument`: also for what git would take as an option, and for a directory that leads out. */
export function parseGitAddress(text: string): GitAddress {
  const hash = text.indexOf('#');
  const named = hash < 0 ? text : text.slice(0, hash);
  const fragment = hash < 0 ? '' : text.slice(hash + 1);
  const colon = fragment.indexOf(':');
  const ref = (colon < 0 ? fragment : fragment.slice(0, colon)) || 'HEAD';
  const parts = (colon < 0 ? '' : fragment.slice(colon + 1)).split('/').filter((part) => part !== '' && part !== '.');
  const repository = named.startsWith('github.com/') ? `https://${named}` : named;
  const refuse = (why: string, hint: string) =>
    new WctrError('invalid-argument', `${quote(shownAddress(text))} is no address of a git repository: ${why}`, {
      hint,
    });
  if (parts.includes('..')) throw refuse('its directory leads out of it', 'name a directory inside the repository');
  // What a ref may be (git-check-ref-format), as far as it matters on a command line
  if (!/^[A-Za-z0-9_@][\w./@+-]*$/.test(ref) || ref.includes('..'))
    throw refuse('its ref is none', 'name a branch, a tag or a commit');
  const isUrl = URL_SCHEME.test(repository) && URL.canParse(repository) && !/[\s\0]/.test(repository);
  if (!isUrl && !SCP.test(repository))
    throw refuse('git does not take it', 'write https://host/name.git#ref:directory');
  if (isUrl && new URL(repository).hostname.startsWith('-')) throw refuse('its host is none', 'check the name');
  return { repository, ref, directory: parts.join('/') };
}
