/**
 * A tar's members into a directory of a container, as docker's PUT archive does it: what is there is replaced, directories
 * are merged, whiteouts are names like any other. A member may go through links of the container; they end inside it.
 */
import * as abi from '../../core/abi/kernel.ts';
import { WctrError } from '../../errors.ts';
import type { ExtractOptions } from '../../host/container/container.ts';
import { type ByteString, cleanParts, toText } from './names.ts';
import { readTar, type TarEntry } from './tar-reader.ts';
import { type FileStat, type FileTask, KernelErrno } from './task.ts';

const ATTEMPTS = 3;
/** Times of directories are set at the end; of more than this many, only the last ones'. */
const MAX_DIRECTORY_TIMES = 100_000;

export async function extractTar(
  task: FileTask,
  /** The directory, open. */
  fd: number,
  tar: AsyncIterable<Uint8Array>,
  options: ExtractOptions,
): Promise<void> {
  const times = new Map<ByteString, TarEntry>();
  for await (const entry of readTar(tar)) {
    const path = memberPath(entry.name);
    if (path === '') continue;
    makeParents(task, fd, path);
    makeRoom(task, fd, path, entry, options);
    await make(task, fd, path, entry, options);
    if (entry.type !== '5') continue;
    times.delete(path);
    if (times.size < MAX_DIRECTORY_TIMES) times.set(path, entry);
  }
  // Deepest first, since setting an inner one's attributes does not touch the outer one's time.
  for (const [path, entry] of [...times].reverse()) {
    const stat = task.find(fd, path);
    if (stat !== undefined && isDirectory(stat)) {
      task.setAttributes(fd, path, { ...ownerOf(entry, options), mode: entry.mode, mtimeNs: entry.mtimeNs });
    }
  }
}

/** Relative to the directory; empty for the directory itself. */
function memberPath(name: ByteString): ByteString {
  const parts = cleanParts(name);
  if (parts !== undefined) return parts.join('/');
  throw new WctrError('invalid-argument', `the archive's member ${JSON.stringify(toText(name))} leads out of it`, {
    hint: 'nothing of it was written; members before it were',
  });
}

function makeParents(task: FileTask, fd: number, path: ByteString): void {
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    task.mkdir(fd, path.slice(0, slash), 0o755);
  }
}

/** Only a directory over a directory stays. */
function makeRoom(task: FileTask, fd: number, path: ByteString, entry: TarEntry, options: ExtractOptions): void {
  const there = task.find(fd, path);
  if (there === undefined) return;
  const [was, will] = [isDirectory(there), entry.type === '5'];
  if (options.noOverwriteDirNonDir === true && was !== will) {
    const [from, to] = was ? ['non-directory', 'directory'] : ['directory', 'non-directory'];
    throw new WctrError('invalid-argument', `cannot overwrite ${to} "${toText(path)}" with ${from}`);
  }
  if (!(was && will)) task.removeAll(fd, path);
}

async function make(
  task: FileTask,
  fd: number,
  path: ByteString,
  entry: TarEntry,
  options: ExtractOptions,
): Promise<void> {
  const owner = ownerOf(entry, options);
  const { mode, mtimeNs } = entry;
  switch (entry.type) {
    case '0':
      await makeFile(task, fd, path, entry);
      task.setAttributes(fd, path, { ...owner, mode, mtimeNs });
      return;
    case '1':
      makeHardLink(task, fd, path, entry);
      return;
    case '2':
      task.symlink(entry.link, fd, path);
      task.setAttributes(fd, path, { ...owner, mtimeNs });
      return;
    case '5':
      if (!task.mkdir(fd, path, mode)) {
        const there = task.find(fd, path);
        if (there === undefined || !isDirectory(there)) throw new KernelErrno(abi.EEXIST, `make ${toText(path)}`);
      }
      return;
    case '6':
      task.mknod(fd, path, abi.S_IFIFO | mode);
      task.setAttributes(fd, path, { ...owner, mode, mtimeNs });
      return;
    default:
      throw new WctrError('unsupported', `the archive's member "${toText(path)}" is a device`, {
        hint: 'a container has the devices of /dev and no others; leave it out of the archive',
      });
  }
}

/** A new file, never one that is there: a guest may put a link in our way at any moment. */
async function makeFile(task: FileTask, fd: number, path: ByteString, entry: TarEntry): Promise<void> {
  const flags = abi.O_WRONLY | abi.O_CREAT | abi.O_EXCL | abi.O_NOFOLLOW;
  let file: number | undefined;
  for (let attempt = 1; file === undefined; attempt++) {
    try {
      file = task.open(fd, path, flags, 0o600);
    } catch (error) {
      const isThere = error instanceof KernelErrno && error.errno === abi.EEXIST;
      if (!isThere || attempt === ATTEMPTS) throw error;
      task.removeAll(fd, path);
    }
  }
  try {
    for await (const chunk of entry.data) task.write(file, chunk);
  } finally {
    task.close(file);
  }
}

function makeHardLink(task: FileTask, fd: number, path: ByteString, entry: TarEntry): void {
  const target = memberPath(entry.link);
  if (target === '') throw new WctrError('invalid-argument', `"${toText(path)}" is a hard link to a directory`);
  if (target !== path) task.link(fd, target, path);
}

function ownerOf(entry: TarEntry, options: ExtractOptions): { uid: number; gid: number } {
  return options.copyUidGid === true ? { uid: entry.uid, gid: entry.gid } : { uid: 0, gid: 0 };
}

function isDirectory({ mode }: FileStat): boolean {
  return (mode & abi.S_IFMT) === abi.S_IFDIR;
}
