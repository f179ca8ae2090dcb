/** Where a path leads inside a tree: links are followed, and none leads out of the root. */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import { type FileTree, join, parentOf } from './file-tree.ts';

const MAX_LINKS = 255;

/**
 * The path without links; parts that are not there stay as they are. `..` at the root is the root. Throws
 * `invalid-argument` for links that lead in a circle.
 */
export async function resolvePath(tree: FileTree, path: string, followsLast = true): Promise<string> {
  const open = path.split('/').reverse();
  let resolved = '';
  let links = 0;
  while (open.length > 0) {
    const part = open.pop() as string;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      resolved = parentOf(resolved);
      continue;
    }
    const next = join(resolved, part);
    const entry = await tree.lstat(next);
    const isLast = open.every((rest) => rest === '' || rest === '.');
    if (entry?.kind !== 'symlink' || (isLast && !followsLast)) {
      resolved = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) {
      throw new WctrError('invalid-argument', `too many links on the way to ${quote(path)} in ${tree.what}`);
    }
    const target = entry.target ?? '';
    if (target.startsWith('/')) resolved = '';
    open.push(...target.split('/').reverse());
  }
  return resolved;
}
