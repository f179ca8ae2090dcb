/** Replaces a configuration file that belongs to others as well: through its link, with its mode, whole or not at all. */
import { randomBytes } from 'node:crypto';
import { chmod, chown, lstat, mkdir, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { WctrError } from '../../errors.ts';

/** It holds passwords. */
const NEW_FILE_MODE = 0o600;
const NEW_DIRECTORY_MODE = 0o700;

/** Throws `forbidden` or `no-space` naming the file. */
export async function replaceConfigFile(path: string, text: string): Promise<void> {
  try {
    await replace(path, text);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    throw new WctrError(code === 'ENOSPC' ? 'no-space' : 'forbidden', `cannot write ${path}: ${code}`, {
      cause,
      data: { path },
    });
  }
}

async function replace(path: string, text: string): Promise<void> {
  const target = await targetOf(path);
  await mkdir(dirname(target), { recursive: true, mode: NEW_DIRECTORY_MODE });
  const old = await stat(target).catch(() => undefined);
  const partial = `${target}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const file = await open(partial, 'wx', NEW_FILE_MODE);
  try {
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (old !== undefined) {
      // By root, a user's file stays the user's; for anybody else it is the same already.
      await chown(partial, old.uid, old.gid).catch(() => {});
      await chmod(partial, old.mode & 0o7777);
    }
    await rename(partial, target);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  const directory = await open(dirname(target), 'r').catch(() => undefined);
  await directory?.sync().catch(() => {});
  await directory?.close();
}

/** Where the file is or will be: a link may lead to a file that is not there yet. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const link = await lstat(path).catch(() => undefined);
  if (link?.isSymbolicLink() !== true) return path;
  return targetOf(resolve(dirname(path), await readlink(path)));
}
