/**
 * Where a copy goes, by docker's rules for `cp` (https://docs.docker.com/reference/cli/docker/container/cp/). Pure: both
 * directions ask it, and its table is its test.
 */
import { WctrError } from '../../errors.ts';

export interface CopySource {
  /** A `/.` at the end: the content of the directory. */
  readonly path: string;
  readonly isDirectory: boolean;
}

export interface CopyTarget {
  /** A slash at the end: it has to be a directory. */
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'link' | undefined;
}

export interface CopyPlan {
  /** The copy is `directory/name`; the name `.` merges into the directory itself. */
  readonly directory: string;
  readonly name: string;
  /** A directory that has to be there. */
  readonly parent?: string;
}

/** `shown` writes a source's path for an error. Throws `invalid-argument` and `not-found`. */
export function planCopy(source: CopySource, target: CopyTarget, shown: (path: string) => string): CopyPlan {
  const onlyContent = source.path.endsWith('/.');
  if (!source.isDirectory && /\/\.?$/.test(source.path)) {
    throw new WctrError('invalid-argument', `not a directory: ${shown(source.path)}`);
  }
  const clean = target.path.replace(/(.)\/\.?$/, '$1');
  if (target.kind === 'directory') {
    const name = onlyContent || source.path === '/' ? '.' : baseName(source.path);
    return { directory: target.path, name };
  }
  if (target.kind !== undefined) {
    if (source.isDirectory) throw new WctrError('invalid-argument', `cannot copy a directory to a file: ${clean}`);
    if (target.path !== clean) throw new WctrError('invalid-argument', `not a directory: ${clean}`);
  } else if (!source.isDirectory && target.path !== clean) {
    throw new WctrError('not-found', `no such directory: ${clean}`);
  }
  const directory = parentOf(clean);
  return { directory, name: baseName(clean), parent: directory };
}

export function baseName(path: string): string {
  const clean = path.replace(/\/+\.?$/, '');
  return clean.slice(clean.lastIndexOf('/') + 1);
}

export function parentOf(path: string): string {
  const slash = path.replace(/\/+$/, '').lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
