/**
 * What wctr needs of a host. The portable code sees these shapes only; `host/{node,deno,bun,browser,edge}` implement
 * them and a composition root hands them over.
 */

/** Open file. Offsets and lengths in bytes. The shape of node:fs/promises' FileHandle, as far as it is used. */
export interface FileHandle {
  read(buffer: Uint8Array, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }>;
  write(buffer: Uint8Array, offset: number, length: number, position: number | null): Promise<{ bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  /** fsync. */
  sync(): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

export interface FileStat {
  size: number;
  mode: number;
  mtimeMs: number;
  /** Tells a file from another one that has its name now, where the file system can. */
  ino?: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
}

/** The part of node:fs/promises the store is written against; memfs' `fs.promises` fits as it is. */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  readFile(path: string): Promise<Uint8Array>;
  writeFile(path: string, data: Uint8Array | string): Promise<void>;
  mkdir(path: string, options: { recursive?: boolean; mode?: number }): Promise<unknown>;
  readdir(path: string): Promise<string[]>;
  rename(from: string, to: string): Promise<void>;
  link(existing: string, path: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rm(path: string, options: { recursive?: boolean; force?: boolean }): Promise<void>;
  stat(path: string): Promise<FileStat>;
  lstat(path: string): Promise<FileStat>;
  readlink(path: string): Promise<string>;
}

/** Random access to bytes at rest, synchronous, because a guest's read is. */
export interface BlockSource {
  readonly sizeBytes: number;
  /** Reads up to `target.length` bytes at `position`; returns how many (0 at the end). */
  readSync(target: Uint8Array, position: number): number;
  close(): void;
}

/** Where a sandbox finds bytes: a path of the host, or the bytes themselves (browser, memfs). */
export type ByteLocation = { readonly path: string } | { readonly bytes: Uint8Array };

/** A lock over processes that share a store. Released by `release()`; taken over when its owner is dead. */
export interface Lock {
  release(): Promise<void>;
}

export interface Locks {
  /** Waits until the named lock is free. `shared` locks exclude only exclusive ones. */
  acquire(name: string, options?: { shared?: boolean; signal?: AbortSignal }): Promise<Lock>;
  /** Removes what killed holders of locks left that nobody will ask for again. */
  sweep?(): Promise<void>;
}

/** One credential helper call: `docker-credential-<name> get`, host on stdin, JSON on stdout. */
export interface CredentialHelpers {
  get(helper: string, registryHost: string): Promise<{ username: string; secret: string } | undefined>;
}

/** The other two calls a login needs: `store` and `erase`. */
export interface CredentialStore extends CredentialHelpers {
  store(helper: string, registryHost: string, username: string, secret: string): Promise<void>;
  erase(helper: string, registryHost: string): Promise<void>;
}

/** SHA-256 over a stream of chunks; the core's or a faster one of the host. */
export interface Hasher {
  update(chunk: Uint8Array): void;
  /** Lower-case hex, 64 characters. The hasher is spent. */
  digestHex(): string;
}

/** A directory of the host as a guest mount sees it: Node's synchronous fs, as far as it is used. memfs fits. */
export interface SyncFileSystem {
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(fd: number): void;
  readSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  ftruncateSync(fd: number, length: number): void;
  fsyncSync(fd: number): void;
  fstatSync(fd: number, options: { bigint: true }): SyncStat;
  lstatSync(path: string, options: { bigint: true }): SyncStat;
  readdirSync(path: string): string[];
  readlinkSync(path: string): string;
  mkdirSync(path: string, options: { mode?: number }): void;
  rmdirSync(path: string): void;
  unlinkSync(path: string): void;
  renameSync(from: string, to: string): void;
  symlinkSync(target: string, path: string): void;
  linkSync(existing: string, path: string): void;
  lutimesSync?(path: string, atime: number, mtime: number): void;
  utimesSync(path: string, atime: number, mtime: number): void;
  chmodSync?(path: string, mode: number): void;
}

export interface SyncStat {
  size: bigint;
  mode: bigint;
  nlink: bigint;
  ino: bigint;
  dev: bigint;
  uid: bigint;
  gid: bigint;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

/** Bytes both ways between two processes of one machine. */
export interface ByteChannel {
  /** The next bytes; undefined at the end, also when the other side is gone. One call at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** True when more may follow, false when nobody is there to read any more. Never rejects. */
  write(bytes: Uint8Array): Promise<boolean>;
  /** No more from here; what was written still arrives. */
  close(): void;
  /** At once, whatever was not sent yet. */
  destroy(): void;
  /** Resolves when the channel is closed, whoever did it. */
  readonly closed: Promise<void>;
}

/** Unix sockets, named pipes on Windows: reachable by this user alone. */
export interface LocalSockets {
  /** Throws 'conflict' when nobody listens there. */
  connect(path: string): Promise<ByteChannel>;
  /** Makes the directory private to the user; throws 'forbidden' when it is somebody else's, 'conflict' when one listens. */
  listen(path: string, onChannel: (channel: ByteChannel) => void): Promise<{ close(): Promise<void> }>;
}

/** An installed git. */
export interface GitClient {
  /**
   * Puts the files of a commit into a directory that is there and empty, those of its submodules too, without `.git`;
   * resolves to the commit. Throws `not-found`, `unsupported` where git is missing, `cancelled`.
   */
  checkout(request: GitCheckout): Promise<string>;
}

export interface GitCheckout {
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly ref: string;
  readonly directory: string;
  readonly signal?: AbortSignal;
}
