/**
 * A process of the kernel as tests drive it: paths as strings, data as bytes. Calls answer >= 0 or a negative errno, as
 * the kernel does; `ok` turns the latter into an exception.
 */
import * as abi from '../../src/core/abi/kernel.ts';
import { Kernel, type KernelConfig, type KernelHost } from '../../src/core/kernel.ts';
import { kernelBytes } from './wasm.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface Stat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blocks: number;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

export interface Entry {
  name: string;
  ino: number;
  type: number;
  next: bigint;
}

let plain: WebAssembly.Module | undefined;
let shared: WebAssembly.Module | undefined;

export async function kernelModule(isShared = false): Promise<WebAssembly.Module> {
  if (isShared) {
    shared ??= await Kernel.compile(kernelBytes(), true);
    return shared;
  }
  plain ??= await Kernel.compile(kernelBytes(), false);
  return plain;
}

/** A host whose clock counts up and whose layers are byte arrays. */
export function testHost(layers: readonly Uint8Array[] = []): KernelHost {
  let time = 1_700_000_000_000;
  return {
    now: () => time++,
    random: (target) => target.fill(0x5a),
    readLayer: (layer, position, target) => {
      const bytes = layers[layer]?.subarray(position, position + target.length) ?? new Uint8Array();
      target.set(bytes);
      return bytes.length;
    },
  };
}

export async function bootGuest(config: KernelConfig = {}, layers: readonly Uint8Array[] = []): Promise<Guest> {
  const isShared = ((config.flags ?? 0) & abi.CONFIG_SHARED) !== 0;
  const kernel = Kernel.boot(await kernelModule(isShared), testHost(layers), config);
  return Guest.create(kernel, layers);
}

export class Guest {
  readonly kernel: Kernel;
  readonly layers: readonly Uint8Array[];
  readonly t: number;

  constructor(kernel: Kernel, t: number, layers: readonly Uint8Array[] = []) {
    this.kernel = kernel;
    this.t = t;
    this.layers = layers;
  }

  static create(kernel: Kernel, layers: readonly Uint8Array[] = [], uid = 0, gid = 0): Guest {
    return new Guest(kernel, ok(kernel.calls.process_create!(0, uid, gid, 0)), layers);
  }

  get view(): DataView {
    return new DataView(this.kernel.memory.buffer);
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.kernel.memory.buffer);
  }

  call(name: string, ...values: number[]): number {
    return this.kernel.calls[name]!(this.t, ...values);
  }

  path(path: string | Uint8Array, area = abi.TASK_PATH_A): number {
    const bytes = typeof path === 'string' ? encoder.encode(path) : path;
    this.bytes.set(bytes.subarray(0, abi.PATH_CAPACITY), this.t + area);
    return bytes.length;
  }

  open(path: string, flags = abi.O_RDONLY, mode = 0o644, dirfd = abi.AT_FDCWD, walk = 0): number {
    return this.call('openat', dirfd, this.path(path), flags, mode, walk);
  }

  close(fd: number): number {
    return this.call('close', fd);
  }

  mkdir(path: string, mode = 0o755, dirfd = abi.AT_FDCWD, walk = 0): number {
    return this.call('mkdirat', dirfd, this.path(path), mode, walk);
  }

  unlink(path: string, dirfd = abi.AT_FDCWD, walk = 0): number {
    return this.call('unlinkat', dirfd, this.path(path), walk);
  }

  rmdir(path: string, dirfd = abi.AT_FDCWD, walk = 0): number {
    return this.call('rmdirat', dirfd, this.path(path), walk);
  }

  symlink(target: string, path: string, dirfd = abi.AT_FDCWD, walk = 0): number {
    const length = this.path(target);
    return this.call('symlinkat', length, dirfd, this.path(path, abi.TASK_PATH_B), walk);
  }

  link(from: string, to: string, walk = abi.WALK_NOFOLLOW): number {
    const length = this.path(from);
    return this.call('linkat', abi.AT_FDCWD, length, abi.AT_FDCWD, this.path(to, abi.TASK_PATH_B), walk);
  }

  rename(from: string, to: string, flags = 0, walk = 0): number {
    const length = this.path(from);
    return this.call('renameat', abi.AT_FDCWD, length, abi.AT_FDCWD, this.path(to, abi.TASK_PATH_B), flags, walk);
  }

  readlink(path: string): string | number {
    const length = this.call('readlinkat', abi.AT_FDCWD, this.path(path), 0);
    return length < 0 ? length : this.text(abi.TASK_IO, length);
  }

  text(area: number, length: number): string {
    return decoder.decode(this.bytes.slice(this.t + area, this.t + area + length));
  }

  stat(path: string, walk = 0, dirfd = abi.AT_FDCWD): Stat | number {
    const result = this.call('fstatat', dirfd, this.path(path), walk);
    return result < 0 ? result : this.takeStat();
  }

  lstat(path: string): Stat | number {
    return this.stat(path, abi.WALK_NOFOLLOW);
  }

  fstat(fd: number): Stat | number {
    const result = this.call('fstat', fd);
    return result < 0 ? result : this.takeStat();
  }

  takeStat(): Stat {
    const view = this.view;
    const at = this.t + abi.TASK_STAT;
    return {
      dev: Number(view.getBigUint64(at + abi.STAT_DEV, true)),
      ino: Number(view.getBigUint64(at + abi.STAT_INO, true)),
      mode: view.getUint32(at + abi.STAT_MODE, true),
      nlink: view.getUint32(at + abi.STAT_NLINK, true),
      uid: view.getUint32(at + abi.STAT_UID, true),
      gid: view.getUint32(at + abi.STAT_GID, true),
      rdev: view.getUint32(at + abi.STAT_RDEV, true),
      size: Number(view.getBigUint64(at + abi.STAT_SIZE, true)),
      blocks: Number(view.getBigUint64(at + abi.STAT_BLOCKS, true)),
      atimeNs: view.getBigInt64(at + abi.STAT_ATIME, true),
      mtimeNs: view.getBigInt64(at + abi.STAT_MTIME, true),
      ctimeNs: view.getBigInt64(at + abi.STAT_CTIME, true),
    };
  }

  /** Reads up to `length` bytes, at `offset` or at the file's own. */
  read(fd: number, length: number, offset?: number): Uint8Array | number {
    const n =
      offset === undefined
        ? this.call('read_begin', fd, length)
        : this.call('pread_begin', fd, length, offset >>> 0, Math.floor(offset / 2 ** 32));
    if (n < 0) return n;
    const out = new Uint8Array(n);
    let done = 0;
    for (const segment of this.segments()) {
      const target = out.subarray(done, done + segment.length);
      if (segment.kind === abi.SEGMENT_MEMORY)
        target.set(this.bytes.subarray(segment.value, segment.value + segment.length));
      if (segment.kind === abi.SEGMENT_LAYER) {
        target.set(this.layers[segment.value]!.subarray(segment.offset, segment.offset + segment.length));
      }
      done += segment.length;
    }
    this.end(n);
    return out;
  }

  write(fd: number, data: Uint8Array | string, offset?: number): number {
    const bytes = typeof data === 'string' ? encoder.encode(data) : data;
    let done = 0;
    do {
      const left = bytes.length - done;
      const at = offset === undefined ? 0 : offset + done;
      const n =
        offset === undefined
          ? this.call('write_begin', fd, left)
          : this.call('pwrite_begin', fd, left, at >>> 0, Math.floor(at / 2 ** 32));
      if (n < 0) return done > 0 ? done : n;
      for (const segment of this.segments()) {
        if (segment.kind === abi.SEGMENT_MEMORY) {
          this.bytes.set(bytes.subarray(done, done + segment.length), segment.value);
        }
        done += segment.length;
      }
      this.end(n);
      if (n === 0) break;
    } while (done < bytes.length);
    return done;
  }

  segments(): { kind: number; value: number; length: number; offset: number }[] {
    const view = this.view;
    const count = view.getUint32(this.t + abi.TASK_SEGMENT_COUNT, true);
    return Array.from({ length: count }, (_, i) => {
      const at = this.t + abi.TASK_SEGMENTS + i * abi.SEGMENT_BYTES;
      return {
        kind: view.getUint32(at + abi.SEGMENT_KIND, true),
        value: view.getUint32(at + abi.SEGMENT_VALUE, true),
        length: view.getUint32(at + abi.SEGMENT_LENGTH, true),
        offset: Number(view.getBigUint64(at + abi.SEGMENT_OFFSET, true)),
      };
    });
  }

  end(n: number): void {
    if (this.view.getUint32(this.t + abi.TASK_IO_FLAGS, true) & abi.IO_NEEDS_END) this.call('io_end', n);
  }

  r(number: number): number {
    return this.view.getUint32(this.t + abi.TASK_R0 + 4 * number, true);
  }

  /** All of a file by path, as text. */
  readFile(path: string): string | number {
    const fd = this.open(path);
    if (fd < 0) return fd;
    const chunks: string[] = [];
    for (;;) {
      const part = this.read(fd, 65536);
      if (typeof part === 'number') {
        this.close(fd);
        return part;
      }
      if (part.length === 0) break;
      chunks.push(decoder.decode(part));
    }
    this.close(fd);
    return chunks.join('');
  }

  writeFile(path: string, data: Uint8Array | string, flags = 0): number {
    const fd = this.open(path, abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC | flags);
    if (fd < 0) return fd;
    const n = this.write(fd, data);
    this.close(fd);
    return n;
  }

  /** One readdir call from a cookie. */
  entries(fd: number, cookie = 0n, room = abi.TASK_IO_BYTES): Entry[] | number {
    const n = this.call('readdir', fd, Number(cookie & 0xffffffffn), Number(cookie >> 32n), room);
    if (n < 0) return n;
    const view = this.view;
    const list: Entry[] = [];
    for (let at = 0; at < n; ) {
      const base = this.t + abi.TASK_IO + at;
      const length = view.getUint32(base + abi.DIRENT_NAME_LENGTH, true);
      list.push({
        name: this.text(abi.TASK_IO + at + abi.DIRENT_NAME, length),
        ino: Number(view.getBigUint64(base + abi.DIRENT_INO, true)),
        type: view.getUint32(base + abi.DIRENT_TYPE, true),
        next: view.getBigUint64(base + abi.DIRENT_NEXT, true),
      });
      at += (abi.DIRENT_NAME + length + 7) & ~7;
    }
    return list;
  }

  /** Sorted names of a directory, without the dots. */
  list(path: string): string[] | number {
    const fd = this.open(path, abi.O_RDONLY | abi.O_DIRECTORY);
    if (fd < 0) return fd;
    const names: string[] = [];
    let cookie = 0n;
    for (;;) {
      const part = this.entries(fd, cookie);
      if (typeof part === 'number') return part;
      if (part.length === 0) break;
      names.push(...part.map((entry) => entry.name));
      cookie = part.at(-1)!.next;
    }
    this.close(fd);
    return names.filter((name) => name !== '.' && name !== '..').sort();
  }

  check(): number {
    return this.kernel.calls.kernel_check!();
  }
}

export function ok(result: number): number {
  if (result < 0 && result > -4096) throw new Error(`errno ${-result}`);
  return result;
}
