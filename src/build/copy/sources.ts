/** The paths a source of COPY or ADD stands for. */
import { cleanPath } from '../ignore/clean-path.ts';
import { hasWildcard, PathPattern } from '../ignore/path-match.ts';
import { type FileTree, join } from '../tree/file-tree.ts';
import { resolvePath } from '../tree/resolve-path.ts';

/** The shortest name inside the tree: no `..` leads out of it. */
export function insidePath(path: string): string {
  return cleanPath(`/${path}`).slice(1);
}

/**
 * A path as it is, whether it is there or not; a pattern's matches in order, none of them is no mistake. Links on the
 * way to the first part with a wildcard are followed. Throws BadPatternError.
 */
export async function expandSource(tree: FileTree, source: string): Promise<readonly string[]> {
  const parts = insidePath(source).split('/');
  const first = parts.findIndex(hasWildcard);
  if (first < 0) return [parts.join('/')];
  let found = [await resolvePath(tree, parts.slice(0, first).join('/'))];
  for (const part of parts.slice(first)) {
    const pattern = new PathPattern(part);
    const next: string[] = [];
    for (const directory of found) {
      if ((await tree.lstat(directory))?.kind !== 'directory') continue;
      for (const name of await tree.list(directory)) if (pattern.matches(name)) next.push(join(directory, name));
    }
    found = next;
  }
  return found;
}
