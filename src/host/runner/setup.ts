/** What is done inside a fresh container before its program runs, by a process of its own that is gone afterwards. */
import * as abi from '../../core/abi/kernel.ts';
import { type ErrorCode, WctrError } from '../../errors.ts';
import type { SandboxSpec } from '../sandbox.ts';
import { fileIdentity } from '../wasi/file-identity.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import { STANDARD_HOSTS } from './standard-hosts.ts';

type Call = (...values: number[]) => number;

/** The calls of kernel.wasm that setting up takes (assembly/kernel/index.ts). */
export type KernelExports = Readonly<
  Record<
    | 'kernel_config'
    | 'kernel_boot'
    | 'rootfs_pointer'
    | 'rootfs_mount'
    | 'kernel_reset'
    | 'kernel_used_bytes'
    | 'kernel_data_bytes'
    | 'process_create'
    | 'process_exit'
    | 'process_kill'
    | 'process_limit'
    | 'process_spawn'
    | 'process_wait'
    | 'openat'
    | 'close'
    | 'mkdirat'
    | 'utimensat'
    | 'fstat'
    | 'fstatat'
    | 'write_begin'
    | 'read_begin'
    | 'io_end'
    | 'event_word'
    | 'kernel_attach'
    | 'kernel_freeze'
    | 'kernel_thaw'
    | 'kernel_check'
    | 'mount_tmpfs'
    | 'mount_file'
    | 'fchownat'
    | 'mount_hostfs'
    | 'mount_root_flags',
    Call
  >
>;

const FILE_ERRORS: Readonly<Record<number, ErrorCode>> = {
  [abi.ENOSPC]: 'no-space',
  [abi.EDQUOT]: 'no-space',
  [abi.ENOMEM]: 'no-memory',
  [abi.ENOENT]: 'not-found',
  // What an image has where something is to be mounted.
  [abi.EBUSY]: 'invalid-argument',
  [abi.ELOOP]: 'invalid-argument',
  [abi.ENOTDIR]: 'invalid-argument',
  [abi.EISDIR]: 'invalid-argument',
  [abi.EROFS]: 'invalid-argument',
  [abi.ENAMETOOLONG]: 'invalid-argument',
};

const encoder = new TextEncoder();

export class Setup {
  readonly #kernel: KernelExports;
  readonly #memory: WebAssembly.Memory;
  readonly #task: number;

  /** `task`: a kernel process to do it with; default: a new one. */
  constructor(kernel: KernelExports, memory: WebAssembly.Memory, task?: number) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#task = task ?? kernel.process_create(0, 0, 0, abi.PROCESS_HOST);
    if (this.#task < 0) throw new WctrError('no-memory', 'no memory to start a process in');
  }

  /** /etc/hostname, /etc/hosts and /etc/resolv.conf as docker writes them, and the working directory. */
  files(spec: SandboxSpec): void {
    this.directory('/etc');
    // What is written here is no change of the container's: the directory keeps the time it has from image and journal.
    const keep = this.#timesOf('/etc');
    this.write('/etc/hostname', `${spec.hostname}\n`);
    this.write('/etc/hosts', spec.names?.hosts ?? hostsFile(spec.hostname));
    this.write('/etc/resolv.conf', spec.names?.resolv ?? '');
    keep();
    this.directory(spec.process.cwd);
  }

  tmpfs(destination: string, sizeBytes: number, mode: number, readonly: boolean): void {
    this.directory(destination);
    const length = this.#path(destination);
    const flags = readonly ? abi.MOUNT_READONLY : 0;
    this.#must(this.#kernel.mount_tmpfs(this.#task, length, sizeBytes, mode, flags), `mount tmpfs on ${destination}`);
  }

  own(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
    this.#must(this.#kernel.fchownat(this.#task, abi.AT_FDCWD, this.#path(path), uid, gid, 0), `change ${path}`);
  }

  memoryFile(destination: string, mode: number): void {
    this.#mountPointFile(destination);
    this.#must(this.#kernel.mount_file(this.#task, this.#path(destination), mode), `mount a file on ${destination}`);
  }

  hostfs(destination: string, mount: number, rootNode: number, isFile: boolean, readonly: boolean): void {
    if (isFile) this.#mountPointFile(destination);
    else this.directory(destination);
    const length = this.#path(destination);
    const flags = readonly ? abi.MOUNT_READONLY : 0;
    this.#must(this.#kernel.mount_hostfs(this.#task, length, mount, rootNode, flags), `mount on ${destination}`);
  }

  /** mkdir -p. */
  directory(path: string): void {
    const parts = path.split('/').filter((part) => part !== '');
    let at = '';
    for (const part of parts) {
      at += `/${part}`;
      const made = this.#kernel.mkdirat(this.#task, abi.AT_FDCWD, this.#path(at), 0o755, 0);
      if (made < 0 && made !== -abi.EEXIST) this.#must(made, `create ${at}`);
    }
    if (parts.length > 0 && (this.modeOf(path) ?? 0) >> 12 !== abi.S_IFDIR >> 12) {
      throw new WctrError('invalid-argument', `${path} is not a directory in the container`);
    }
  }

  write(path: string, text: string): void {
    const { openat } = this.#kernel;
    const flags = abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC;
    const fd = this.#must(openat(this.#task, abi.AT_FDCWD, this.#path(path), flags, 0o644, 0), `create ${path}`);
    const bytes = encoder.encode(text);
    let done = 0;
    while (done < bytes.length) {
      const granted = this.#must(this.#kernel.write_begin(this.#task, fd, bytes.length - done), `write ${path}`);
      try {
        for (const part of this.#segments()) {
          part.set(bytes.subarray(done, done + part.length));
          done += part.length;
        }
      } finally {
        // In shared memory the kernel's lock is held until here.
        this.#end(granted);
      }
    }
    this.#kernel.close(this.#task, fd);
  }

  /** Notes when a directory changed last; the function it gives says so again. */
  #timesOf(path: string): () => void {
    this.#must(this.#kernel.fstatat(this.#task, abi.AT_FDCWD, this.#path(path), 0), `stat ${path}`);
    const at = this.#task + abi.TASK_STAT + abi.STAT_MTIME;
    const view = new DataView(this.#memory.buffer);
    const [low, high] = [view.getInt32(at, true), view.getInt32(at + 4, true)];
    return () => {
      const { utimensat } = this.#kernel;
      utimensat(this.#task, abi.AT_FDCWD, this.#path(path), abi.TIME_MTIME, 0, 0, low, high, 0);
    };
  }

  /** Mode with links followed; undefined when there is nothing. */
  modeOf(path: string): number | undefined {
    const result = this.#kernel.fstatat(this.#task, abi.AT_FDCWD, this.#path(path), 0);
    if (result < 0) return undefined;
    return new DataView(this.#memory.buffer).getUint32(this.#task + abi.TASK_STAT + abi.STAT_MODE, true);
  }

  /** Of the file last read, as a program that starts it knows it (SpawnRequest.identity); undefined: it changed meanwhile. */
  readIdentity: string | undefined;

  /** A whole file's bytes. Throws what reading it says. */
  read(path: string, port: KernelPort): Uint8Array {
    const size = this.#sizeOf(path);
    const { openat } = this.#kernel;
    const fd = this.#must(openat(this.#task, abi.AT_FDCWD, this.#path(path), abi.O_RDONLY, 0, 0), `open ${path}`);
    // Of what is open: the name may lead elsewhere by now.
    const before = this.#identityOf(fd);
    const bytes = new Uint8Array(size);
    let done = 0;
    while (done < size) {
      const granted = this.#must(this.#kernel.read_begin(this.#task, fd, size - done), `read ${path}`);
      if (granted === 0) break;
      try {
        done += this.#take(bytes.subarray(done), port, path);
      } finally {
        this.#end(granted);
      }
    }
    this.readIdentity = this.#identityOf(fd) === before ? before : undefined;
    this.#kernel.close(this.#task, fd);
    return bytes.subarray(0, done);
  }

  #identityOf(fd: number): string | undefined {
    if (this.#kernel.fstat(this.#task, fd) < 0) return undefined;
    return fileIdentity(new Uint32Array(this.#memory.buffer), this.#task);
  }

  /** Tells a file from another one that has its name now, and from itself after a change. */
  fingerprint(path: string): string {
    this.#must(this.#kernel.fstatat(this.#task, abi.AT_FDCWD, this.#path(path), 0), `stat ${path}`);
    const view = new DataView(this.#memory.buffer);
    const fields = [abi.STAT_DEV, abi.STAT_INO, abi.STAT_SIZE, abi.STAT_MTIME, abi.STAT_CTIME];
    return fields.map((field) => view.getBigUint64(this.#task + abi.TASK_STAT + field, true)).join();
  }

  /** Ends the setting up; from here on a read-only root is one. */
  finish(readonly: boolean): void {
    if (readonly) this.#must(this.#kernel.mount_root_flags(abi.MOUNT_READONLY), 'make the root read-only');
    this.#kernel.process_exit(this.#task, 0);
  }

  #mountPointFile(path: string): void {
    if (this.modeOf(path) !== undefined) return;
    this.directory(path.slice(0, Math.max(1, path.lastIndexOf('/'))));
    this.write(path, '');
  }

  #sizeOf(path: string): number {
    this.#must(this.#kernel.fstatat(this.#task, abi.AT_FDCWD, this.#path(path), 0), `stat ${path}`);
    const view = new DataView(this.#memory.buffer);
    return Number(view.getBigUint64(this.#task + abi.TASK_STAT + abi.STAT_SIZE, true));
  }

  /** Segments of the last begin that lie in kernel memory. */
  *#segments(): Generator<Uint8Array> {
    for (const { kind, value, length } of this.#descriptions()) {
      if (kind !== abi.SEGMENT_MEMORY) throw new WctrError('internal', 'a write outside of kernel memory');
      yield new Uint8Array(this.#memory.buffer, value, length);
    }
  }

  #take(target: Uint8Array, port: KernelPort, path: string): number {
    let done = 0;
    for (const { kind, value, length, offset, mount } of this.#descriptions()) {
      const part = target.subarray(done, done + length);
      done += length;
      if (kind === abi.SEGMENT_MEMORY) part.set(new Uint8Array(this.#memory.buffer, value, length));
      if (kind !== abi.SEGMENT_LAYER && kind !== abi.SEGMENT_HOSTFS) continue;
      for (let at = 0; at < length; ) {
        const rest = part.subarray(at);
        const layer = kind === abi.SEGMENT_LAYER;
        const got = layer ? port.readLayer(value, offset + at, rest) : port.hostRead(mount, value, offset + at, rest);
        if (got <= 0) throw new WctrError(layer ? 'store-corrupt' : 'sandbox-failed', `cannot read all of ${path}`);
        at += got;
      }
    }
    return done;
  }

  #descriptions(): { kind: number; value: number; length: number; mount: number; offset: number }[] {
    const view = new DataView(this.#memory.buffer);
    const count = view.getUint32(this.#task + abi.TASK_SEGMENT_COUNT, true);
    return Array.from({ length: count }, (_, i) => {
      const at = this.#task + abi.TASK_SEGMENTS + i * abi.SEGMENT_BYTES;
      return {
        kind: view.getUint32(at + abi.SEGMENT_KIND, true),
        value: view.getUint32(at + abi.SEGMENT_VALUE, true),
        length: view.getUint32(at + abi.SEGMENT_LENGTH, true),
        mount: view.getUint32(at + abi.SEGMENT_MOUNT, true),
        offset: Number(view.getBigUint64(at + abi.SEGMENT_OFFSET, true)),
      };
    });
  }

  #end(done: number): void {
    const flags = new DataView(this.#memory.buffer).getUint32(this.#task + abi.TASK_IO_FLAGS, true);
    if (flags & abi.IO_NEEDS_END) this.#kernel.io_end(this.#task, done);
  }

  #path(path: string): number {
    const bytes = encoder.encode(path);
    if (bytes.length >= abi.PATH_MAX) throw new WctrError('invalid-argument', 'a path of more than 4095 bytes');
    new Uint8Array(this.#memory.buffer).set(bytes, this.#task + abi.TASK_PATH_A);
    return bytes.length;
  }

  #must(result: number, what: string): number {
    if (result >= 0) return result;
    const code = FILE_ERRORS[-result] ?? 'sandbox-failed';
    throw new WctrError(code, `cannot ${what}: errno ${-result}`, { data: { errno: -result } });
  }
}

/** docker's own, of a container without a network. */
function hostsFile(hostname: string): string {
  return [...STANDARD_HOSTS, `127.0.0.1\t${hostname}`, ''].join('\n');
}
