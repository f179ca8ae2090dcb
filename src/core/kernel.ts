/**
 * A container's kernel from TypeScript: kernel.wasm over one memory, booted or attached to, its calls and typed views.
 * The calls are those of assembly/kernel/index.ts; their layouts are in abi/kernel.ts. Errors of calls are negative
 * errno numbers; boot and attach throw WctrError.
 */
import { WctrError } from '../errors.ts';
import * as abi from './abi/kernel.ts';
import { createMemory, withMemoryKind } from './load.ts';

type Call = (...values: number[]) => number;

/** The exports of kernel.wasm; arguments and results as listed in assembly/kernel/index.ts. */
export interface KernelExports extends WebAssembly.Exports {
  readonly [name: string]: Call;
}

/** The imports of module "host". Absent hostfs calls answer -ENOSYS: nothing may be mounted from the host then. */
export interface KernelHost {
  /** Milliseconds since the epoch. */
  now(): number;
  random(target: Uint8Array): void;
  /** Plain tar bytes of a layer: fills `target`, returns how many or a negative errno. */
  readLayer(layer: number, position: number, target: Uint8Array): number;
  readonly hostfs?: Readonly<Record<string, Call>>;
  /** Where upper_sync writes (upper.ts); absent: it answers -ENOSYS. */
  readonly journalWrite?: Call;
}

export interface KernelConfig {
  /** CONFIG_* bits. */
  readonly flags?: number;
  /** Most the memory may grow to, 64 KiB pages; default 65536. */
  readonly maxPages?: number;
  readonly byteQuota?: number;
  readonly inodeQuota?: number;
  readonly dentryQuota?: number;
  readonly fileQuota?: number;
  readonly nofile?: number;
  readonly pidQuota?: number;
  readonly cacheEntries?: number;
  readonly pipeQuota?: number;
  /** The rootfs index; absent: an empty root. */
  readonly index?: Uint8Array;
}

const FIRST_PAGES = 32;
const HOSTFS_CALLS = [
  'lookup',
  'forget',
  'getattr',
  'setattr',
  'readlink',
  'create',
  'mkdir',
  'symlink',
  'link',
  'unlink',
  'rmdir',
  'rename',
  'open',
  'release',
  'fsync',
  'readdir',
  'statfs',
];

export class Kernel {
  readonly memory: WebAssembly.Memory;
  readonly calls: KernelExports;

  private constructor(memory: WebAssembly.Memory, calls: KernelExports) {
    this.memory = memory;
    this.calls = calls;
  }

  /** Compiles dist/wasm/kernel.wasm for unshared or shared memory. */
  static compile(bytes: Uint8Array, shared: boolean): Promise<WebAssembly.Module> {
    return WebAssembly.compile(withMemoryKind(bytes, shared));
  }

  /** A fresh container. Throws 'no-memory', or 'store-corrupt' when the index is not sound. */
  static boot(module: WebAssembly.Module, host: KernelHost, config: KernelConfig = {}): Kernel {
    const maximumPages = config.maxPages ?? 65536;
    const shared = ((config.flags ?? 0) & abi.CONFIG_SHARED) !== 0;
    const initialPages = Math.min(maximumPages, FIRST_PAGES);
    const memory = createMemory({ shared, initialPages, maximumPages });
    const kernel = Kernel.attach(module, memory, host);
    const { calls } = kernel;
    const at = calls.kernel_config!() >>> 0;
    const view = new DataView(memory.buffer);
    const index = config.index ?? new Uint8Array();
    view.setUint32(at + abi.CONFIG_FLAGS, config.flags ?? 0, true);
    view.setUint32(at + abi.CONFIG_MAX_PAGES, maximumPages, true);
    view.setFloat64(at + abi.CONFIG_BYTE_QUOTA, config.byteQuota ?? 0, true);
    view.setUint32(at + abi.CONFIG_INODE_QUOTA, config.inodeQuota ?? 0, true);
    view.setUint32(at + abi.CONFIG_DENTRY_QUOTA, config.dentryQuota ?? 0, true);
    view.setUint32(at + abi.CONFIG_FILE_QUOTA, config.fileQuota ?? 0, true);
    view.setUint32(at + abi.CONFIG_NOFILE, config.nofile ?? 0, true);
    view.setUint32(at + abi.CONFIG_PID_QUOTA, config.pidQuota ?? 0, true);
    view.setUint32(at + abi.CONFIG_CACHE_ENTRIES, config.cacheEntries ?? 0, true);
    view.setUint32(at + abi.CONFIG_PIPE_QUOTA, config.pipeQuota ?? 0, true);
    view.setUint32(at + abi.CONFIG_ROOTFS_BYTES, index.length, true);
    if (calls.kernel_boot!() < 0) throw new WctrError('no-memory', 'no memory to boot the container in');
    new Uint8Array(memory.buffer).set(index, calls.rootfs_pointer!() >>> 0);
    const mounted = calls.rootfs_mount!(index.length);
    if (mounted === -abi.EIO) throw new WctrError('store-corrupt', "the image's file index is corrupt");
    if (mounted < 0) throw new WctrError('no-memory', "no memory for the container's root");
    return kernel;
  }

  /** Another instance over a booted memory: a further thread. `mayBlock` false where the thread may not wait. */
  static attach(module: WebAssembly.Module, memory: WebAssembly.Memory, host: KernelHost, mayBlock = true): Kernel {
    const instance = new WebAssembly.Instance(module, { env: { memory }, host: imports(memory, host) });
    const calls = instance.exports as KernelExports;
    if (calls.kernel_abi_version!() !== abi.KERNEL_ABI_VERSION) {
      throw new WctrError('internal', 'kernel.wasm is of another version');
    }
    calls.kernel_attach!(mayBlock ? 1 : 0);
    return new Kernel(memory, calls);
  }
}

function imports(memory: WebAssembly.Memory, host: KernelHost): Record<string, WebAssembly.ImportValue> {
  const bytes = (pointer: number, length: number) => new Uint8Array(memory.buffer, pointer >>> 0, length >>> 0);
  const hostfs = HOSTFS_CALLS.map((name) => {
    const key = `hostfs_${name}`;
    return [key, host.hostfs?.[key] ?? (() => -abi.ENOSYS)];
  });
  return {
    ...Object.fromEntries(hostfs),
    journal_write: host.journalWrite ?? (() => -abi.ENOSYS),
    now: () => host.now(),
    random: (pointer: number, length: number) => host.random(bytes(pointer, length)),
    layer_read: (layer: number, lo: number, hi: number, pointer: number, length: number) =>
      host.readLayer(layer, (lo >>> 0) + (hi >>> 0) * 2 ** 32, bytes(pointer, length)),
  };
}
