/** A kernel over plain memory for tests of host/wasi: booted, empty or with a tree written into its upper layer. */
import * as abi from '../../src/core/abi/kernel.ts';
import { createMemory, withMemoryKind } from '../../src/core/load.ts';
import { hostClock } from '../../src/host/wasi/defaults.ts';
import type { KernelCalls, KernelPort } from '../../src/host/wasi/kernel-port.ts';
import { kernelBytes } from './wasm.ts';

type Call = (...values: number[]) => number;

export interface TestKernelOptions {
  /** The rootfs index below, and its plain tars by layer number. */
  readonly index?: Uint8Array;
  readonly layers?: readonly Uint8Array[];
  readonly config?: Readonly<Record<number, number>>;
  /** Several instances over one memory. */
  readonly shared?: boolean;
  readonly maximumPages?: number;
}

export type TestTree = Readonly<Record<string, string | Uint8Array | null | { readonly link: string }>>;

const modules = new Map<boolean, WebAssembly.Module>();

function kernelModule(shared: boolean): WebAssembly.Module {
  const known = modules.get(shared);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(withMemoryKind(kernelBytes(), shared));
  modules.set(shared, module);
  return module;
}

export class TestKernel implements KernelPort {
  readonly memory: WebAssembly.Memory;
  readonly calls: KernelCalls;
  readonly exports: Readonly<Record<string, Call>>;
  readonly #layers: readonly Uint8Array[];

  constructor(options: TestKernelOptions = {}) {
    const shared = options.shared ?? false;
    if (shared) {
      this.memory = createMemory({ shared, initialPages: 64, maximumPages: options.maximumPages ?? 4096 });
    } else {
      this.memory = createMemory({ shared, initialPages: 64, maximumPages: options.maximumPages ?? 65536 });
    }
    this.#layers = options.layers ?? [];
    this.exports = new WebAssembly.Instance(kernelModule(shared), {
      env: { memory: this.memory },
      host: hostImports(this),
    }).exports as unknown as Record<string, Call>;
    this.calls = this.exports as unknown as KernelCalls;
    const config = this.exports.kernel_config!() >>> 0;
    const view = new DataView(this.memory.buffer);
    if (shared) view.setUint32(config + abi.CONFIG_FLAGS, abi.CONFIG_SHARED, true);
    view.setUint32(config + abi.CONFIG_MAX_PAGES, options.maximumPages ?? (shared ? 4096 : 65536), true);
    view.setUint32(config + abi.CONFIG_ROOTFS_BYTES, options.index?.length ?? 0, true);
    for (const [at, value] of Object.entries(options.config ?? {})) {
      if (Number(at) === abi.CONFIG_BYTE_QUOTA) view.setFloat64(config + Number(at), value, true);
      else view.setUint32(config + Number(at), value, true);
    }
    must(this.exports.kernel_boot!(), 'kernel_boot');
    if (options.index) new Uint8Array(this.memory.buffer).set(options.index, this.exports.rootfs_pointer!() >>> 0);
    must(this.exports.rootfs_mount!(options.index?.length ?? 0), 'rootfs_mount');
  }

  readLayer(layer: number, position: number, target: Uint8Array): number {
    const piece = this.#layers[layer]?.subarray(position, position + target.length);
    if (piece === undefined) return -abi.EIO;
    target.set(piece);
    return piece.length;
  }

  hostRead(): number {
    return -abi.EIO;
  }

  hostWrite(): number {
    return -abi.EIO;
  }

  /** Writes a tree into the writable layer. */
  write(tree: TestTree): void {
    const task = must(this.exports.process_create!(0, 0, 0, 0), 'process_create');
    for (const [path, node] of Object.entries(tree)) {
      const clean = path.replace(/\/$/, '');
      const parts = clean.split('/');
      for (let i = 1; i < parts.length; i++) this.#mkdir(task, parts.slice(0, i).join('/'));
      if (node === null) this.#mkdir(task, clean);
      else if (typeof node === 'string') this.#file(task, clean, encoder.encode(node));
      else if (node instanceof Uint8Array) this.#file(task, clean, node);
      else {
        const target = this.#path(task, node.link, abi.TASK_PATH_A);
        const name = this.#path(task, clean, abi.TASK_PATH_B);
        must(this.exports.symlinkat!(task, target, abi.AT_FDCWD, name, 0), `symlink ${clean}`);
      }
    }
    this.exports.process_exit!(task, 0);
  }

  #mkdir(task: number, path: string): void {
    const made = this.exports.mkdirat!(task, abi.AT_FDCWD, this.#path(task, path, abi.TASK_PATH_A), 0o755, 0);
    if (made !== -abi.EEXIST) must(made, `mkdir ${path}`);
  }

  #file(task: number, path: string, content: Uint8Array): void {
    const length = this.#path(task, path, abi.TASK_PATH_A);
    const fd = must(
      this.exports.openat!(task, abi.AT_FDCWD, length, abi.O_WRONLY | abi.O_CREAT | abi.O_TRUNC, 0o644, 0),
      `open ${path}`,
    );
    for (let done = 0; done < content.length; ) {
      const granted = must(this.exports.write_begin!(task, fd, content.length - done), `write ${path}`);
      const view = new DataView(this.memory.buffer);
      const count = view.getUint32(task + abi.TASK_SEGMENT_COUNT, true);
      for (let i = 0; i < count; i++) {
        const at = task + abi.TASK_SEGMENTS + i * abi.SEGMENT_BYTES;
        const size = view.getUint32(at + abi.SEGMENT_LENGTH, true);
        const to = view.getUint32(at + abi.SEGMENT_VALUE, true);
        new Uint8Array(this.memory.buffer).set(content.subarray(done, done + size), to);
        done += size;
      }
      if (view.getUint32(task + abi.TASK_IO_FLAGS, true) & abi.IO_NEEDS_END) this.exports.io_end!(task, granted);
    }
    this.exports.close!(task, fd);
  }

  #path(task: number, path: string, area: number): number {
    const bytes = encoder.encode(path);
    new Uint8Array(this.memory.buffer).set(bytes, task + area);
    return bytes.length;
  }
}

const encoder = new TextEncoder();

function must(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: errno ${-result}`);
  return result;
}

/** No host file system: every hostfs call is ENOSYS. */
function hostImports(kernel: TestKernel): WebAssembly.ModuleImports {
  const none = () => -abi.ENOSYS;
  const hostfs = [
    'lookup forget getattr setattr readlink create mkdir symlink link unlink rmdir rename open release fsync readdir statfs',
  ]
    .join(' ')
    .split(' ')
    .map((name) => [`hostfs_${name}`, none]);
  return {
    ...Object.fromEntries(hostfs),
    now: hostClock.realtimeMs,
    random(pointer: number, length: number) {
      const bytes = new Uint8Array(length);
      crypto.getRandomValues(bytes);
      new Uint8Array(kernel.memory.buffer).set(bytes, pointer >>> 0);
    },
    journal_write: () => -38,
    layer_read(layer: number, low: number, high: number, pointer: number, length: number) {
      const target = new Uint8Array(kernel.memory.buffer, pointer >>> 0, length >>> 0);
      return kernel.readLayer(layer, (low >>> 0) + (high >>> 0) * 2 ** 32, target);
    },
  };
}
