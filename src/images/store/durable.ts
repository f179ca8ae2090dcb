/** Writing so that a crash at any instant leaves the old file or the new one: temp, fsync, rename, fsync directory. */
import type { FileHandle, FileSystem } from '../../host/ports.ts';

let counter = 0;

/** A name no other process or realm makes: for temp files. */
export function uniqueName(prefix: string): string {
  counter += 1;
  // Only has to differ from other names in a directory nobody else may write to.
  const random = () => Math.floor(Math.random() * 2 ** 32).toString(36);
  return `${prefix}-${random()}${random()}-${counter}`;
}

/** Replaces `path` by `data`. `tempDir` must be on the same file system. On failure nothing is left behind. */
export async function writeDurably(fs: FileSystem, tempDir: string, path: string, data: Uint8Array): Promise<void> {
  const temp = `${tempDir}/${uniqueName('write')}`;
  try {
    const handle = await openCreating(fs, temp, 'wx');
    try {
      await writeAll(handle, data, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await renameDurably(fs, temp, path);
  } catch (error) {
    await fs.rm(temp, { force: true }).catch(() => {});
    throw error;
  }
}

/** Replaces `path` by `data` as a whole, without waiting for the disk. */
export async function writeAtomically(fs: FileSystem, tempDir: string, path: string, data: Uint8Array): Promise<void> {
  const temp = `${tempDir}/${uniqueName('write')}`;
  try {
    const handle = await openCreating(fs, temp, 'wx');
    try {
      await writeAll(handle, data, 0);
    } finally {
      await handle.close();
    }
    await creatingDir(fs, parentOf(path), () => fs.rename(temp, path));
  } catch (error) {
    await fs.rm(temp, { force: true }).catch(() => {});
    throw error;
  }
}

/** `from` must have been synced. Makes the directory of `path` when it is missing. */
export async function renameDurably(fs: FileSystem, from: string, path: string): Promise<void> {
  const dir = parentOf(path);
  await creatingDir(fs, dir, () => fs.rename(from, path));
  await syncDirectory(fs, dir);
}

/** A second name for a file that must have been synced. Makes the directory of `path` when it is missing. */
export async function linkDurably(fs: FileSystem, existing: string, path: string): Promise<void> {
  const dir = parentOf(path);
  await creatingDir(fs, dir, () => fs.link(existing, path));
  await syncDirectory(fs, dir);
}

/** Opens for writing and makes the directory when it is missing. */
export function openCreating(fs: FileSystem, path: string, flags: string): Promise<FileHandle> {
  return creatingDir(fs, parentOf(path), () => fs.open(path, flags, 0o600));
}

/** Runs `action`, and once more after making `dir` if something was missing: no mkdir on the usual path. */
async function creatingDir<T>(fs: FileSystem, dir: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
    await fs.mkdir(dir, { recursive: true, mode: 0o700 });
    await syncDirectory(fs, parentOf(dir));
    return action();
  }
}

/** A short write is not an error for the system, it is one for us: goes on until all is written. */
export async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.length; ) {
    const { bytesWritten } = await handle.write(data, done, data.length - done, position + done);
    if (bytesWritten <= 0) throw Object.assign(new Error('the file takes no more bytes'), { code: 'ENOSPC' });
    done += bytesWritten;
  }
}

/** Makes renames in `dir` durable. File systems that cannot sync a directory (Windows, memfs) need not. */
export async function syncDirectory(fs: FileSystem, dir: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await fs.open(dir, 'r');
  } catch {
    return;
  }
  try {
    await handle.sync();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === 'EIO' || code === 'ENOSPC' || code === 'EDQUOT') throw error;
  } finally {
    await handle.close();
  }
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
