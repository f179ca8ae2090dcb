import { nodeFs as fs } from './builtin.ts';

/**
 * A directory and those above it that are missing. Node's own never ends where a file system answers "no such file" to
 * every mkdir, as /proc does; here that is the error. Throws ENOTDIR where a file is in the way.
 */
export function makeDirectories(path: string, mode: number): void {
  try {
    fs.mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && fs.statSync(path).isDirectory()) return;
    if (code === 'EEXIST')
      throw Object.assign(new Error(`not a directory: ${path}`), { code: 'ENOTDIR', cause: error });
    const parent = path.replace(/[\\/]+[^\\/]*[\\/]*$/, '');
    if (code !== 'ENOENT' || parent === '' || parent === path) throw error;
    makeDirectories(parent, mode);
    try {
      fs.mkdirSync(path, { mode });
    } catch (again) {
      // Somebody else was quicker
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
    }
  }
}
