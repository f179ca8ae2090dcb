/** Trees of this machine as tars and back: what `cp` needs beside the engine. */
import { fromText, toText } from '../containers/files/names.ts';
import { encodeHeader, TAR_END, tarPadding } from '../containers/files/tar-header.ts';
import { readTar, type TarEntry } from '../containers/files/tar-reader.ts';
import { WctrError } from '../errors.ts';

export interface LocalTree {
  /** What a path is; links are followed. Undefined where there is nothing. */
  kind(path: string): Promise<'directory' | 'file' | 'link' | undefined>;
  /** The same of a link itself. */
  linkKind(path: string): Promise<'directory' | 'file' | 'link' | undefined>;
  /** The file or directory as a tar whose first member has this name. */
  pack(path: string, name: string): AsyncIterable<Uint8Array>;
  /**
   * The tar's first member becomes `root`, the others go below it. Never writes through a link below `root` and never
   * outside of it, whatever the archive says: it comes from a container.
   */
  unpack(tar: AsyncIterable<Uint8Array>, root: string, options: UnpackOptions): Promise<void>;
}

export interface UnpackOptions {
  /** Give files to whom the archive says. */
  readonly owners: boolean;
  /** All members go below `root`, which stays as it is, or is made. */
  readonly below?: boolean;
}

/** What is used of Node's fs/promises, which Deno and Bun have too. */
export interface LocalFs {
  stat(path: string): Promise<Stats>;
  lstat(path: string): Promise<Stats>;
  readdir(path: string): Promise<string[]>;
  readlink(path: string): Promise<string>;
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  mkdir(path: string, options: { mode: number; recursive?: boolean }): Promise<unknown>;
  unlink(path: string): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  symlink(target: string, path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  utimes(path: string, atime: number, mtime: number): Promise<void>;
}

interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

interface FileHandle {
  stat(): Promise<{ readonly size: number }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
  write(buffer: Uint8Array, offset: number): Promise<{ readonly bytesWritten: number }>;
  chown(uid: number, gid: number): Promise<void>;
  chmod(mode: number): Promise<void>;
  utimes(atime: number, mtime: number): Promise<void>;
  close(): Promise<void>;
}

export function createLocalTree(fs: LocalFs): LocalTree {
  return {
    kind: async (path) => kindOf(await fs.stat(path).catch(missing)),
    linkKind: async (path) => kindOf(await fs.lstat(path).catch(missing)),
    pack: (path, name) => pack(fs, path, name),
    unpack: (tar, root, options) => unpack(fs, tar, root, options),
  };
}

function missing(error: { code?: string }): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  throw error;
}

function kindOf(stat: Stats | undefined): 'directory' | 'file' | 'link' | undefined {
  if (stat === undefined) return undefined;
  return stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : 'file';
}

async function* pack(fs: LocalFs, path: string, name: string): AsyncGenerator<Uint8Array> {
  yield* packMember(fs, path, name);
  yield TAR_END;
}

async function* packMember(fs: LocalFs, path: string, name: string): AsyncGenerator<Uint8Array> {
  const stat = await fs.lstat(path);
  const common = {
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    mtime: Math.floor(stat.mtimeMs / 1000),
  };
  if (stat.isDirectory()) {
    yield encodeHeader({ ...common, name: fromText(`${name}/`), type: '5', size: 0 });
    const names = (await fs.readdir(path)).sort();
    for (const child of names) yield* packMember(fs, `${path}/${child}`, `${name}/${child}`);
  } else if (stat.isSymbolicLink()) {
    const link = fromText(await fs.readlink(path));
    yield encodeHeader({ ...common, name: fromText(name), type: '2', size: 0, link });
  } else if (stat.isFile()) {
    yield* packFile(fs, path, (size) => encodeHeader({ ...common, name: fromText(name), type: '0', size }));
  }
  // Sockets, pipes and devices have no content to copy.
}

const CHUNK = 256 * 1024;

/** As long as it was when it was opened: one that grows meanwhile is cut, one that shrinks fails. */
async function* packFile(fs: LocalFs, path: string, header: (size: number) => Uint8Array): AsyncGenerator<Uint8Array> {
  const file = await fs.open(path, 'r');
  try {
    const { size } = await file.stat();
    yield header(size);
    for (let at = 0; at < size; ) {
      const buffer = new Uint8Array(Math.min(CHUNK, size - at));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new WctrError('conflict', `${path} became shorter while it was read`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    yield tarPadding(size);
  } finally {
    await file.close();
  }
}

async function unpack(
  fs: LocalFs,
  tar: AsyncIterable<Uint8Array>,
  root: string,
  options: UnpackOptions,
): Promise<void> {
  let prefix = options.below === true ? '' : undefined;
  let isTree = prefix !== undefined;
  if (isTree) await makeRoot(fs, root);
  const directories: { path: string; entry: TarEntry }[] = [];
  for await (const entry of readTar(tar)) {
    const name = cleanName(toText(entry.name));
    // Below a first member that is a link, everything would go through it.
    if (prefix !== undefined && !isTree) throw leadsOut(name);
    prefix ??= name;
    isTree ||= entry.type === '5';
    const path = target(root, prefix, name);
    if (options.below === true && path === root) continue;
    await writeMember(fs, path, root, prefix, entry, options);
    if (entry.type === '5') directories.push({ path, entry });
  }
  if (prefix === undefined) throw new WctrError('not-found', 'the container sent an empty archive');
  // Modes and times last and deepest first: a directory without write permission has to be filled before.
  for (const { path, entry } of directories.reverse()) await applyAttributes(fs, path, entry, options);
}

/** `./a/b/` -> `a/b`; the empty text for `.`. */
function cleanName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw leadsOut(name);
  return parts.join('/');
}

function target(root: string, prefix: string, name: string): string {
  if (name === prefix) return root;
  if (prefix === '') return `${root}/${name}`;
  if (!name.startsWith(`${prefix}/`)) throw leadsOut(name);
  return `${root}/${name.slice(prefix.length + 1)}`;
}

function leadsOut(name: string): WctrError {
  return new WctrError('invalid-argument', `the archive's member ${JSON.stringify(name)} leads out of it`, {
    hint: 'it was not written; members before it were',
  });
}

async function writeMember(
  fs: LocalFs,
  path: string,
  root: string,
  prefix: string,
  entry: TarEntry,
  options: UnpackOptions,
): Promise<void> {
  await makeParents(fs, path, root);
  const there = await fs.lstat(path).catch(missing);
  if (entry.type === '5') {
    // The directory the user named may be a link of theirs; below it, links are never gone through.
    const isThere = there?.isDirectory() === true || (path === root && (await isDirectory(fs, path)));
    if (there !== undefined && !isThere) await refuseToReplace(path, there, 'directory');
    if (!isThere) await fs.mkdir(path, { mode: 0o700 });
    return;
  }
  if (there?.isDirectory() === true) throw new WctrError('conflict', `cannot overwrite directory ${path} with a file`);
  if (entry.type === '0') await writeFile(fs, path, entry, options, there);
  else if (entry.type === '1') {
    const source = target(root, prefix, cleanName(toText(entry.link)));
    await makeParents(fs, source, root);
    if (!(await fs.lstat(source)).isFile()) throw leadsOut(toText(entry.link));
    if (there !== undefined) await fs.unlink(path);
    await fs.link(source, path);
  } else if (entry.type === '2') {
    if (there !== undefined) await fs.unlink(path);
    await fs.symlink(toText(entry.link), path);
  }
  // Devices and pipes of a container mean nothing here.
}

async function makeRoot(fs: LocalFs, root: string): Promise<void> {
  const there = await fs.stat(root).catch(missing);
  if (there === undefined) await fs.mkdir(root, { mode: 0o777, recursive: true });
  else if (!there.isDirectory()) throw new WctrError('conflict', `cannot write files to ${root}: it is no directory`);
}

async function isDirectory(fs: LocalFs, path: string): Promise<boolean> {
  return (await fs.stat(path).catch(missing))?.isDirectory() === true;
}

async function refuseToReplace(path: string, there: Stats, kind: string): Promise<void> {
  const what = there.isSymbolicLink() ? 'link' : 'file';
  throw new WctrError('conflict', `cannot overwrite ${what} ${path} with a ${kind}`);
}

/** Every directory between `root` and `path` is a real one, made where it is missing. */
async function makeParents(fs: LocalFs, path: string, root: string): Promise<void> {
  if (path === root) return;
  const parts = path
    .slice(root.length + 1)
    .split('/')
    .slice(0, -1);
  let at = root;
  for (const part of parts) {
    at = `${at}/${part}`;
    const stat = await fs.lstat(at).catch(missing);
    if (stat === undefined) await fs.mkdir(at, { mode: 0o755 });
    else if (!stat.isDirectory()) {
      throw new WctrError(
        'invalid-argument',
        `not copied: ${at} is ${stat.isSymbolicLink() ? 'a link' : 'no directory'}`,
      );
    }
  }
}

async function writeFile(
  fs: LocalFs,
  path: string,
  entry: TarEntry,
  options: UnpackOptions,
  there: Stats | undefined,
): Promise<void> {
  // A new file, so that a link or a hard link of the user's is never written through.
  if (there !== undefined) await fs.unlink(path);
  const file = await fs.open(path, 'wx', 0o600);
  try {
    for await (const chunk of entry.data) await writeAll(file, chunk);
    if (options.owners) await file.chown(entry.uid, entry.gid);
    // A container's setuid bit is nobody's here.
    await file.chmod(entry.mode & 0o777);
    const seconds = Number(entry.mtimeNs) / 1e9;
    await file.utimes(seconds, seconds);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

async function applyAttributes(fs: LocalFs, path: string, entry: TarEntry, options: UnpackOptions): Promise<void> {
  const seconds = Number(entry.mtimeNs) / 1e9;
  if (options.owners) await fs.chown(path, entry.uid, entry.gid);
  await fs.chmod(path, entry.mode & 0o777);
  await fs.utimes(path, seconds, seconds);
}
