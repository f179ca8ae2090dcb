/**
 * A process' descriptors in a checkpoint: standard streams and preopened directories are made anew for every process and
 * must be where they were; files, directories and devices are opened again by path. Sockets and pipes lead to somebody
 * who will not be there.
 */
import {
  AT_FDCWD,
  EMFILE,
  ENOENT,
  FD_INHERITING,
  FD_RIGHTS,
  FILE_DEVICE,
  FILE_DIRECTORY,
  FILE_HANDLE,
  FILE_HOST,
  FILE_HOSTFS,
  FILE_KIND,
  FILE_OFFSET,
  FILE_REFS,
  FILE_REGULAR,
  FILE_STATUS,
  FILE_TYPE,
  O_ACCMODE,
  O_DIRECTORY,
  O_STATUS_MASK,
  PATH_MAX,
  PROCESS_FD_CAPACITY,
  SEEK_SET,
  STAT_DEV,
  STAT_INO,
  TASK_PATH_A,
  TASK_STAT,
} from '../../core/abi/kernel.ts';
import { WctrError } from '../../errors.ts';
import { MODULE_PREVIEW1, MODULE_SNAPSHOT0, RIGHTS_ALL } from '../../spec/wasi-preview1.ts';
import { encode, STANDARD_STREAMS, type WasiContext } from '../wasi/context.ts';
import { applicableRights } from '../wasi/rights.ts';
import { type CheckpointHeader, damaged, type OpenFile } from './format.ts';
import { cannotKeep } from './instance-state.ts';

/** Kinds that are opened again by path. */
const FILES: readonly number[] = [FILE_REGULAR, FILE_DIRECTORY, FILE_DEVICE, FILE_HOSTFS];

type Call = (...values: number[]) => number;

export type OpenFiles = Pick<CheckpointHeader, 'streams' | 'preopens' | 'files' | 'cwd'>;

/** Knows by which path each descriptor was opened. Made when the process is open and nothing of the guest has run. */
export class PathTracker {
  readonly #context: WasiContext;
  readonly #cwd: string;
  readonly #paths = new Map<number, readonly string[]>();
  /** Sockets the process is given at its start, by descriptor; the resumed one is given its own. */
  readonly #given = new Set<number>();

  /** `files`: already open, where the program goes on. */
  constructor(context: WasiContext, cwd: string, files: readonly OpenFile[] = []) {
    this.#context = context;
    this.#cwd = cwd;
    for (const { fd, path } of files) this.#paths.set(fd, [path]);
    for (const fd of openFds(context)) {
      const entry = context.entry(fd);
      if (
        context.fileField(entry, FILE_KIND) === FILE_HOST &&
        context.fileField(entry, FILE_HANDLE) >= STANDARD_STREAMS
      )
        this.#given.add(fd);
    }
  }

  /** The same imports, watched. */
  imports(imports: WebAssembly.Imports): WebAssembly.Imports {
    const watched = { ...imports };
    for (const name of [MODULE_PREVIEW1, MODULE_SNAPSHOT0]) {
      const { path_open, fd_renumber, ...others } = imports[name] as Record<string, (...values: never[]) => number>;
      watched[name] = {
        ...others,
        path_open: (...values: never[]) => {
          const [dir, , pointer, length, , , , , result] = values as number[];
          const path = this.#text(pointer! >>> 0, length! >>> 0);
          const errno = path_open!(...values);
          if (errno === 0) this.#opened(this.#context.guest.view.getUint32(result! >>> 0, true), dir!, path);
          return errno;
        },
        fd_renumber: (...values: never[]) => {
          const errno = fd_renumber!(...values);
          if (errno === 0) this.#moved(values[0]!, values[1]!);
          return errno;
        },
      };
    }
    return watched;
  }

  /** Throws 'unsupported' for a descriptor that cannot be kept. */
  capture(): OpenFiles {
    const context = this.#context;
    const files: OpenFile[] = [];
    const streams: number[] = [];
    const preopens: { fd: number; name: string }[] = [];
    for (const fd of openFds(context)) {
      const entry = context.entry(fd);
      const preopen = context.preopens.get(fd);
      const kind = context.fileField(entry, FILE_KIND);
      if (context.fileField(entry, FILE_REFS) > 1) throw cannotKeep(`its descriptor ${fd} is a copy of another`);
      if (preopen !== undefined) preopens.push({ fd, name: new TextDecoder().decode(preopen.name) });
      else if (kind === FILE_HOST) {
        const handle = context.fileField(entry, FILE_HANDLE);
        if (this.#given.has(fd)) continue;
        if (handle >= STANDARD_STREAMS) throw cannotKeep(`its descriptor ${fd} is a socket`);
        if (handle !== fd) throw cannotKeep(`its standard stream ${handle} has become descriptor ${fd}`);
        streams.push(fd);
      } else if (FILES.includes(kind)) files.push(this.#file(fd, entry));
      else throw cannotKeep(`its descriptor ${fd} is a pipe or a symbolic link`);
    }
    return { streams, preopens, files, cwd: this.#cwd };
  }

  #file(fd: number, entry: number): OpenFile {
    const context = this.#context;
    const { u32 } = context.kernel.refresh();
    const path = this.#pathOf(fd);
    return {
      fd,
      path,
      flags: context.fileField(entry, FILE_STATUS) & (O_ACCMODE | O_STATUS_MASK),
      offset: context.fileField(entry, FILE_OFFSET) + context.fileField(entry, FILE_OFFSET + 4) * 2 ** 32,
      rights: u32[entry + (FD_RIGHTS >>> 2)]!,
      inheriting: u32[entry + (FD_INHERITING >>> 2)]!,
    };
  }

  /** A path that leads to the very file that is open. */
  #pathOf(fd: number): string {
    const context = this.#context;
    const candidates = this.#paths.get(fd) ?? [];
    const call = context.calls.fstat(context.task, fd);
    const identity = call < 0 ? undefined : identityOf(context);
    for (const path of candidates) {
      const size = takePath(context, path);
      if (context.calls.fstatat(context.task, AT_FDCWD, size, 0) < 0) continue;
      if (identityOf(context) === identity) return path;
    }
    const [path] = candidates;
    throw cannotKeep(
      path === undefined
        ? `its descriptor ${fd} was opened by a path that cannot be told`
        : `${path} (descriptor ${fd}) was renamed or removed while it is open`,
    );
  }

  #opened(fd: number, dir: number, path: string | undefined): void {
    this.#paths.set(
      fd,
      path === undefined
        ? []
        : this.#directories(dir).map((directory) => `${directory === '/' ? '' : directory}/${path}`),
    );
  }

  /** A path given with the working directory may mean the root (host/wasi/path.ts). */
  #directories(fd: number): readonly string[] {
    if (fd === this.#context.rootFd) return ['/'];
    if (fd === this.#context.cwdFd) return [this.#cwd, '/'];
    return this.#paths.get(fd) ?? [];
  }

  #moved(from: number, to: number): void {
    const paths = this.#paths.get(from);
    this.#paths.delete(from);
    if (paths === undefined) this.#paths.delete(to);
    else this.#paths.set(to, paths);
  }

  #text(pointer: number, length: number): string | undefined {
    const { guest } = this.#context;
    if (!guest.holds(pointer, length)) return undefined;
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(guest.u8.slice(pointer, pointer + length));
    } catch {
      return undefined;
    }
  }
}

/** Brings a fresh process' descriptors to what they were. Throws 'conflict', 'not-found', 'store-corrupt'. */
export function reopenFiles(context: WasiContext, { streams, preopens, files }: OpenFiles): void {
  for (const { fd, name } of preopens) {
    const given = context.preopens.get(fd);
    if (given === undefined || new TextDecoder().decode(given.name) !== name) {
      throw damaged(`descriptor ${fd} is no preopened directory`);
    }
  }
  const wasPreopen = new Set(preopens.map(({ fd }) => fd));
  for (const fd of [...context.preopens.keys()]) if (!wasPreopen.has(fd)) context.closeFd(fd);
  for (let fd = 0; fd < STANDARD_STREAMS; fd++) if (!streams.includes(fd)) context.closeFd(fd);
  for (const file of [...files].sort((a, b) => a.fd - b.fd)) reopen(context, file);
}

function reopen(context: WasiContext, { fd, path, flags, offset, rights, inheriting }: OpenFile): void {
  const { calls, task } = context;
  if (context.entry(fd) >= 0)
    throw new WctrError('conflict', `the checkpoint has ${path} as descriptor ${fd}, which is taken`);
  const asked = flags & (O_ACCMODE | O_STATUS_MASK);
  const opened = calls.openat(task, AT_FDCWD, takePath(context, path), asked, 0, 0);
  if (opened < 0) throw cannotReopen(path, -opened);
  if (opened !== fd) {
    const moved = (calls as unknown as Record<'dup', Call>).dup(task, opened, fd);
    calls.close(task, opened);
    if (moved !== fd) throw cannotReopen(path, moved < 0 ? -moved : EMFILE);
  }
  const entry = context.entry(fd);
  const allowed = applicableRights(context.fileField(entry, FILE_TYPE));
  context.setRights(entry, rights & allowed, inheriting & RIGHTS_ALL);
  const isFile = context.fileField(entry, FILE_KIND) !== FILE_DIRECTORY && (asked & O_DIRECTORY) === 0;
  if (isFile && offset > 0) {
    const result = calls.lseek(task, fd, offset >>> 0, Math.floor(offset / 2 ** 32), SEEK_SET);
    if (result < 0) throw damaged(`${path} cannot be read from ${offset} on`);
  }
}

function cannotReopen(path: string, errno: number): WctrError {
  const code = errno === ENOENT ? 'not-found' : 'conflict';
  return new WctrError(code, `the checkpoint had ${path} open, and it cannot be opened (errno ${errno})`, {
    hint: 'mount what was mounted when it was made',
  });
}

function* openFds(context: WasiContext): Generator<number> {
  const capacity = context.kernel.refresh().u32[(context.process + PROCESS_FD_CAPACITY) >>> 2]!;
  for (let fd = 0; fd < capacity; fd++) if (context.entry(fd) >= 0) yield fd;
}

/** Into path area A; its length. */
function takePath(context: WasiContext, path: string): number {
  const bytes = encode(path);
  if (bytes.length >= PATH_MAX) throw damaged('a path is too long');
  context.kernel.refresh().u8.set(bytes, context.task + TASK_PATH_A);
  return bytes.length;
}

/** Of the last stat. */
function identityOf(context: WasiContext): string {
  const { u32 } = context.kernel.refresh();
  const word = (field: number) => u32[(context.task + TASK_STAT + field) >>> 2];
  return [STAT_DEV, STAT_DEV + 4, STAT_INO, STAT_INO + 4].map(word).join();
}
