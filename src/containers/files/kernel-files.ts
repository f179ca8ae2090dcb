/** ContainerFiles over a container's kernel, whether guests run in it or it was booted for this alone. */
import * as abi from '../../core/abi/kernel.ts';
import { WctrError } from '../../errors.ts';
import type { ContainerFiles, ExtractOptions, FileAttributes } from '../../host/container/container.ts';
import type { FilesystemChange, PathStat } from '../../spec/engine-api.ts';
import { extractTar } from './extract.ts';
import { filesystemChanges, layerTar } from './layer.ts';
import { baseName, cleanAbsolute, fromText } from './names.ts';
import { pathStat } from './path-stat.ts';
import { asFileError, asMemberError, type FilesAccess, FileTask } from './task.ts';
import { FURNISHED, member, tarEnd, tree } from './walk.ts';

const DIRECTORY = abi.O_RDONLY | abi.O_DIRECTORY;

export class KernelFiles implements ContainerFiles {
  readonly #access: FilesAccess;

  constructor(access: FilesAccess) {
    this.#access = access;
  }

  async stat(path: string): Promise<PathStat> {
    return this.#with(async (task) => {
      const clean = cleanAbsolute(path);
      return pathStat(task, clean, task.stat(abi.AT_FDCWD, fromText(clean)));
    });
  }

  archive(path: string): AsyncGenerator<Uint8Array> {
    return this.#stream((task) => archiveOf(task, cleanAbsolute(path)));
  }

  async extract(path: string, tar: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<void> {
    await this.#with(async (task) => {
      const clean = cleanAbsolute(path);
      const stat = task.stat(abi.AT_FDCWD, fromText(clean), 0);
      if ((stat.mode & abi.S_IFMT) !== abi.S_IFDIR) {
        throw new WctrError('invalid-argument', `extraction point is not a directory: ${clean}`);
      }
      const fd = task.open(abi.AT_FDCWD, fromText(clean), DIRECTORY);
      await extractTar(task, fd, tar, options).catch((error: unknown) => {
        throw asMemberError(error);
      });
    });
  }

  async changes(): Promise<FilesystemChange[]> {
    return this.#with(async (task) => filesystemChanges(task.changes()));
  }

  /** Guests wait while it is read: what it holds was all there at one moment. */
  layer(except: readonly string[] = []): AsyncGenerator<Uint8Array> {
    return this.#stream(function* (task) {
      const thaw = task.freeze();
      try {
        yield* layerTar(task, task.changes(new Set(except)));
      } finally {
        thaw();
      }
    });
  }

  export(): AsyncGenerator<Uint8Array> {
    return this.#stream(function* (task) {
      const root = task.open(abi.AT_FDCWD, '/', DIRECTORY);
      yield* tree(task, root, '', new Map(), { oneMount: true, empty: FURNISHED });
      yield tarEnd();
    });
  }

  async write(path: string, data: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void> {
    await this.#with(async (task) => {
      const at = fromText(cleanAbsolute(path));
      const fd = task.open(abi.AT_FDCWD, at, abi.O_WRONLY | abi.O_TRUNC);
      try {
        for await (const chunk of data) task.write(fd, chunk);
        task.setAttributesOf(fd, attributes);
      } finally {
        task.close(fd);
      }
    });
  }

  async seal(path: string): Promise<void> {
    await this.#with(async (task) => task.seal(fromText(cleanAbsolute(path))));
  }

  async #with<T>(action: (task: FileTask) => Promise<T>): Promise<T> {
    const task = new FileTask(this.#access);
    try {
      return await action(task);
    } catch (error) {
      throw asFileError(error);
    } finally {
      task.end();
    }
  }

  async *#stream(pieces: (task: FileTask) => Generator<Uint8Array>): AsyncGenerator<Uint8Array> {
    const task = new FileTask(this.#access);
    try {
      yield* pieces(task);
    } catch (error) {
      throw asFileError(error);
    } finally {
      task.end();
    }
  }
}

/** Names as docker gives them: those of a directory begin with its own name, those of `dir/.` with a dot. */
function* archiveOf(task: FileTask, path: string): Generator<Uint8Array> {
  const { AT_FDCWD } = abi;
  const at = fromText(path);
  const stat = task.stat(AT_FDCWD, at);
  const seen = new Map();
  const base = baseName(path);
  if ((stat.mode & abi.S_IFMT) !== abi.S_IFDIR) {
    yield* member(task, AT_FDCWD, at, fromText(base), stat, seen);
  } else {
    const fd = task.open(AT_FDCWD, at, DIRECTORY);
    const prefix = base === '/' ? '/' : `${fromText(base)}/`;
    yield* member(task, fd, '.', prefix, task.fstat(fd), seen);
    yield* tree(task, fd, prefix, seen);
  }
  yield tarEnd();
}
