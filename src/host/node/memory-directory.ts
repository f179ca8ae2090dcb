/** Where files are kept in memory on Linux: a directory of this user's and this store's on /dev/shm. */
import { lstatSync, mkdirSync } from 'node:fs';
import { WctrError } from '../../errors.ts';
import { builtin } from './builtin.ts';

/** Makes it when it is not there. Throws 'unsupported' off Linux, 'forbidden' when somebody else has put it there. */
export function memoryDirectory(root: string): string {
  if (process.platform !== 'linux') {
    throw new WctrError('unsupported', 'the memfs driver keeps volumes on /dev/shm, which this system does not have');
  }
  const uid = process.getuid?.() ?? 0;
  const store = builtin.crypto.createHash('sha256').update(root).digest('hex').slice(0, 16);
  const directory = `/dev/shm/wctr-${uid}-${store}`;
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // Everybody may make names in /dev/shm.
  const stat = lstatSync(directory);
  if (!stat.isDirectory() || stat.uid !== uid || (stat.mode & 0o077) !== 0) {
    throw new WctrError('forbidden', `${directory} is not a directory of this user alone`, { hint: 'remove it' });
  }
  return directory;
}
