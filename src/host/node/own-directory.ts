import { WctrError } from '../../errors.ts';
import { nodeFs as fs } from './builtin.ts';
import { makeDirectories } from './make-directories.ts';

/** 0700 and ours: whoever can write there can take a socket's place. */
export function ownDirectory(directory: string): void {
  makeDirectories(directory, 0o700);
  const stat = fs.lstatSync(directory);
  const uid = process.getuid?.();
  if (!stat.isDirectory() || (uid !== undefined && stat.uid !== uid)) {
    throw new WctrError('forbidden', `${directory} belongs to somebody else`, {
      hint: 'set XDG_RUNTIME_DIR to a directory of your own',
    });
  }
  if ((stat.mode & 0o077) !== 0) fs.chmodSync(directory, 0o700);
}
