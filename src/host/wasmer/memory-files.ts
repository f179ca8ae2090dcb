/**
 * Fills @wasmer/wasi's MemFS, the only file system it takes, from a container's root and mounts. It knows no symbolic
 * links: a link to a file becomes a copy, one to a directory is left out. It has no modes, owners or times either.
 */
import type { MemFS } from '@wasmer/wasi';
import { RootfsIndex } from '../../core/rootfs-index.ts';
import { WctrError } from '../../errors.ts';
import type { BlockSource, SyncFileSystem } from '../ports.ts';

const S_IFMT = 0o170000n;
const S_IFDIR = 0o040000n;
const S_IFREG = 0o100000n;
/** Everything is copied into Wasm memory, so there is a bound. */
const MAX_TOTAL_BYTES = 1 << 30;

export class MemoryFiles {
  readonly #fs: MemFS;
  readonly #directories = new Set(['/']);
  #bytes = 0;

  constructor(fs: MemFS) {
    this.#fs = fs;
  }

  directory(path: string): void {
    const clean = path.replace(/\/+$/, '') || '/';
    if (this.#directories.has(clean)) return;
    this.directory(clean.slice(0, clean.lastIndexOf('/')) || '/');
    this.#directories.add(clean);
    this.#fs.createDir(clean);
  }

  file(path: string, content: Uint8Array): void {
    this.#bytes += content.length;
    if (this.#bytes > MAX_TOTAL_BYTES) {
      throw new WctrError('limit-exceeded', `the container's files are more than ${MAX_TOTAL_BYTES} bytes`, {
        hint: 'the wasmer sandbox copies all of them into memory; use another one',
      });
    }
    this.directory(path.slice(0, path.lastIndexOf('/')) || '/');
    const file = this.#fs.open(path, { read: true, write: true, create: true, truncate: true });
    try {
      if (content.length > 0) file.write(content);
      file.flush();
    } finally {
      file.free();
    }
  }

  /** The content of a file, or undefined when it is not there. */
  read(path: string): Uint8Array | undefined {
    try {
      const file = this.#fs.open(path, { read: true });
      try {
        return file.read();
      } finally {
        file.free();
      }
    } catch {
      return undefined;
    }
  }

  /** An image's root: index and plain tars, by layer number. */
  rootfs(bytes: Uint8Array, layers: readonly BlockSource[]): void {
    const index = new RootfsIndex(bytes);
    for (const { path, node } of index.walk()) {
      let found = node;
      if (node.target !== undefined) {
        const number = index.lookup(path);
        if (number === undefined) continue;
        found = index.node(number);
        if ((BigInt(found.mode) & S_IFMT) === S_IFDIR) continue;
      }
      const type = BigInt(found.mode) & S_IFMT;
      if (type === S_IFDIR) {
        this.directory(`/${path}`);
      } else if (type === S_IFREG) {
        if (found.size > MAX_TOTAL_BYTES) this.#bytes = MAX_TOTAL_BYTES;
        const content = new Uint8Array(Math.min(found.size, MAX_TOTAL_BYTES));
        const runs =
          found.extents.length > 0 ? found.extents : [{ offset: 0, length: found.size, dataOffset: found.dataOffset }];
        for (const run of runs) {
          const source = layers[found.layer];
          const target = content.subarray(run.offset, run.offset + run.length);
          if (source === undefined || source.readSync(target, run.dataOffset) !== target.length)
            throw new WctrError('store-corrupt', `layer ${found.layer} ends inside /${path}`);
        }
        this.file(`/${path}`, content);
      }
    }
  }

  /** A directory of a host file system, copied. */
  copy(fs: SyncFileSystem, source: string, destination: string): void {
    const stat = fs.lstatSync(source, { bigint: true });
    const type = stat.mode & S_IFMT;
    if (type === S_IFDIR) {
      this.directory(destination);
      for (const name of fs.readdirSync(source)) {
        this.copy(fs, `${source.replace(/\/$/, '')}/${name}`, `${destination.replace(/\/$/, '')}/${name}`);
      }
    } else if (type === S_IFREG) {
      const content = new Uint8Array(Number(stat.size));
      const fd = fs.openSync(source, 0);
      try {
        let done = 0;
        while (done < content.length) {
          const got = fs.readSync(fd, content, done, content.length - done, done);
          if (got === 0) break;
          done += got;
        }
        this.file(destination, content.subarray(0, done));
      } finally {
        fs.closeSync(fd);
      }
    }
  }
}
