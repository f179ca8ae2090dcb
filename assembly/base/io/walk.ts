/** Questions about files, with a context's paths. */
import { Context } from '../applet';
import { linkTarget, readLink } from '../wasi/files';
import { Stat, statPath } from '../wasi/stat';
import { absolute, components, join } from './paths';
import { compare } from './text';

let failure: i32 = 0;

/** The errno, positive, of the last `statOf` that gave null. */
export function statError(): i32 {
  return failure;
}

export function statOf(context: Context, path: string, follow: bool): Stat | null {
  const stat = new Stat();
  const errno = statPath(absolute(context, path), follow, stat);
  failure = -errno;
  return errno < 0 ? null : stat;
}

export function isDirectory(context: Context, path: string): bool {
  const stat = statOf(context, path, true);
  return stat != null && stat.isDirectory;
}

export function exists(context: Context, path: string): bool {
  return statOf(context, path, false) != null;
}

/** Sorts names by their bytes. */
export function sortNames(names: Array<string>): Array<string> {
  return names.sort((a, b) => compare(a, b));
}

const LINKS_MAX: i32 = 40;

/**
 * A path without symbolic links, `.` or `..`. `missing`: how many components at the end need not exist (0, 1, or more
 * for any). Empty: the errno is in `statError`.
 */
export function realPath(context: Context, path: string, missing: i32): string {
  const from = absolute(context, path);
  if (from.length == 0) {
    failure = 44;
    return '';
  }
  const todo = components(from);
  todo.reverse();
  let done = '/';
  let links = 0;
  while (todo.length > 0) {
    const name = todo.pop();
    if (name == '..') {
      const slash = done.lastIndexOf('/');
      done = slash <= 0 ? '/' : done.substring(0, slash);
      continue;
    }
    const next = join(done, name);
    const errno = readLink(next);
    if (errno == 0) {
      if (++links > LINKS_MAX) {
        failure = 32;
        return '';
      }
      const target = linkTarget;
      const parts = components(target);
      for (let i = parts.length - 1; i >= 0; i--) todo.push(parts[i]);
      if (target.startsWith('/')) done = '/';
      continue;
    }
    const stat = new Stat();
    const state = statPath(next, false, stat);
    if (state < 0) {
      failure = -state;
      if (failure != 44 || missing == 0 || (missing == 1 && todo.length > 0)) return '';
    } else if (todo.length > 0 && !stat.isDirectory) {
      failure = 54;
      if (missing < 2) return '';
    }
    done = next;
  }
  return done;
}
