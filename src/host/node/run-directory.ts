/**
 * Where the sockets of a store's containers are: `$XDG_RUNTIME_DIR/wctr/<root>`, else `<tmpdir>/wctr-<uid>/<root>`, with 16
 * digits for the root. Short, because a Unix socket's path has 104 bytes at most, and the user's own.
 *
 * The link `<root>/run` says which it is. Otherwise a command with another environment (a service, cron, sudo), or one that
 * reaches the store by another path, would look for the sockets of containers that run in another place.
 */
import { dirname } from 'node:path';
import { builtin, nodeFs as fs } from './builtin.ts';
import { ownDirectory } from './own-directory.ts';

type Env = Readonly<Record<string, string | undefined>>;

const MOST_CHARS = 70;

/** Throws 'forbidden' when it belongs to somebody else. */
export function runDirectory(env: Env, root: string): string {
  const wanted = usualDirectory(env, root);
  if (process.platform === 'win32') return wanted;
  const link = `${root}/run`;
  for (let tries = 0; ; tries += 1) {
    const known = linkedDirectory(link);
    if (known !== undefined) return known;
    try {
      fs.rmSync(link, { force: true });
      makeDirectory(wanted);
      fs.symlinkSync(wanted, link);
      return wanted;
    } catch (error) {
      // Somebody else was first: theirs it is. In a store that is not there yet, or cannot be written, nothing runs.
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      if (code !== 'EEXIST' || tries > 10) return wanted;
    }
  }
}

/** Undefined when there is none, or it went with a restart of the machine. */
function linkedDirectory(link: string): string | undefined {
  try {
    const path = fs.readlinkSync(link);
    if (!path.startsWith('/') || path.length > MOST_CHARS) return undefined;
    if (!fs.lstatSync(path).isDirectory()) return undefined;
    makeDirectory(path);
    return path;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}

/** Who owns the directory above it could put another one in its place. */
function makeDirectory(path: string): void {
  ownDirectory(dirname(path));
  ownDirectory(path);
}

function usualDirectory(env: Env, root: string): string {
  const key = builtin.crypto.createHash('sha256').update(root).digest('hex').slice(0, 16);
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime !== undefined && runtime !== '' && runtime.length < 40) return `${runtime}/wctr/${key}`;
  const temp = builtin.os.tmpdir();
  return `${temp.length < 40 ? temp : '/tmp'}/wctr-${process.getuid?.() ?? 0}/${key}`;
}
