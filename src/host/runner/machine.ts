/**
 * One container's kernel, booted for a spec: the image below, the writable layer above, mounts, the files that every
 * container gets, limits. What runs in it is the personality's business (host/wasi).
 */
import * as abi from '../../core/abi/kernel.ts';
import { createMemory } from '../../core/load.ts';
import type { UpperJournal, UpperLink } from '../../core/upper.ts';
import { WctrError } from '../../errors.ts';
import type { FilesAccess } from '../container/files-access.ts';
import type { HostDirectory } from '../mounts/host-directory.ts';
import type { NodeTable } from '../mounts/nodes.ts';
import type { BlockSource, ByteLocation } from '../ports.ts';
import type { SandboxMount, SandboxSpec } from '../sandbox.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import type { ClockPort, RandomPort } from '../wasi/ports.ts';
import { WasiProcess } from '../wasi/run.ts';
import { kernelImports, kernelPort, type LinkParts } from './kernel-link.ts';
import { type KernelExports, Setup } from './setup.ts';

export type HostMount = Exclude<SandboxMount, { type: 'tmpfs' }>;

export interface MachineHost {
  /** dist/wasm/kernel.wasm, its memory import declared as the machine's memory is: unshared unless asked otherwise. */
  kernelModule(): WebAssembly.Module;
  readonly clock: ClockPort;
  readonly random: RandomPort;
  openBlock(location: ByteLocation): BlockSource;
  readBytes(location: ByteLocation): Uint8Array;
  /** Opens a bind or fs mount. Throws what the host says when the source is not there. */
  openMount(mount: HostMount, nodes?: NodeTable): HostDirectory;
}

export interface MachineOptions {
  /** The kernel's memory is shared, so that further threads can attach to it. */
  readonly shared?: boolean;
  /** Kernel processes beyond the container's own limit: the host's. */
  readonly tasks?: number;
  /** Where the nodes of a mount are kept that other threads use, too; by the mount's number. */
  readonly nodes?: (mount: number) => NodeTable;
  /** Makes the writable layer's keeper on disk: read at the boot, written by `sync`. (A parameter: most runs load none.) */
  readonly journal?: (link: UpperLink) => UpperJournal;
  /** Note what changes over the image, also without a journal. */
  readonly tracksChanges?: boolean;
}

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
/** What the module and its first structures need; the kernel grows the rest. */
const FIRST_PAGES = 64;
/** Inodes, names and tables beside the file data. */
const STRUCTURE_BYTES = 256 * 1024 * 1024;
const DEFAULT_NOFILE = 1024;
const DEFAULT_PIDS = 4096;

export class Machine {
  readonly memory: WebAssembly.Memory;
  readonly kernel: KernelExports;
  readonly port: KernelPort;
  /** Made anew for each container. */
  setup!: Setup;
  #spec: SandboxSpec;
  #host: MachineHost;
  #process: WasiProcess | undefined;
  #journal: UpperJournal | undefined;
  #tracks = false;
  readonly #nodes: MachineOptions['nodes'];
  readonly #mounts = new Map<number, HostDirectory>();
  readonly #layers: (BlockSource | undefined)[] = [];

  /** Throws 'store-corrupt' (index), 'not-found' and 'invalid-argument' (mounts), 'no-memory', 'no-space'. */
  constructor(spec: SandboxSpec, host: MachineHost, options: MachineOptions = {}) {
    this.#spec = spec;
    this.#host = host;
    this.#nodes = options.nodes;
    const index = spec.root.index === undefined ? undefined : host.readBytes(spec.root.index);
    const maxPages = pagesFor(spec, index?.length ?? 0);
    const pages = Math.min(maxPages, FIRST_PAGES + Math.ceil((index?.length ?? 0) / PAGE_BYTES));
    const shared = options.shared ?? false;
    this.memory = createMemory({ shared, initialPages: pages, maximumPages: MAX_PAGES });
    const parts: LinkParts = {
      memory: this.memory,
      mounts: this.#mounts,
      layer: (layer) => this.#layer(layer),
      clock: () => this.#host.clock,
      random: () => this.#host.random,
      ...(options.journal === undefined
        ? {}
        : { journalWrite: (...values) => this.#journal?.write(...values) ?? -abi.EIO }),
    };
    const instance = new WebAssembly.Instance(host.kernelModule(), kernelImports(parts));
    this.kernel = instance.exports as unknown as KernelExports;
    this.port = kernelPort(instance.exports, parts);
    this.#boot(spec, index, maxPages, options);
    this.#tracks = options.journal !== undefined || options.tracksChanges === true;
    if (options.journal !== undefined) {
      this.#journal = options.journal(this.#upper());
      this.#journal.replay();
    }
    this.#furnish();
  }

  /** Mounts of the host, by number: the spec's in their order, from 1 on, tmpfs left out. */
  get mounts(): ReadonlyMap<number, HostDirectory> {
    return this.#mounts;
  }

  /** The slot the container's program runs in. */
  get process(): WasiProcess {
    this.#process ??= new WasiProcess(this.port);
    return this.#process;
  }

  /** As good as new, for another container of the same shape (`shapeOf`). Throws as the constructor does. */
  renew(spec: SandboxSpec, host: MachineHost): void {
    this.#spec = spec;
    this.#host = host;
    if (this.kernel.kernel_reset() < 0) throw new WctrError('internal', 'the kernel cannot be reset');
    this.#furnish();
  }

  /** Ends the setting up: a read-only root is one from here on, and what changes is the container's own doing. */
  finish(): void {
    this.setup.finish(this.#spec.root.readonly);
    if (this.#tracks) this.#upper().calls.upper_baseline!();
  }

  /** The writable layer is on disk when this returns. Throws 'no-space' or 'internal'. */
  sync(): void {
    if (this.#journal === undefined) return;
    const task = this.createTask();
    try {
      this.#journal.sync(task);
      this.#journal.compact(task);
    } finally {
      this.kernel.process_exit(task, 0);
    }
  }

  /** Writes the journal anew if it is much longer than what it says. Throws 'no-space' or 'internal'; it is as before then. */
  compact(): void {
    if (this.#journal?.isLong !== true) return;
    const task = this.createTask();
    try {
      this.#journal.compact(task);
    } finally {
      this.kernel.process_exit(task, 0);
    }
  }

  /** A kernel process of the host's own, of user 0; or one for a guest. Throws 'limit-exceeded'. */
  createTask(guest?: { readonly uid: number; readonly gid: number }): number {
    const task =
      guest === undefined
        ? this.kernel.process_create(0, 0, 0, abi.PROCESS_HOST)
        : this.kernel.process_create(0, guest.uid, guest.gid, 0);
    if (task < 0) throw new WctrError('limit-exceeded', 'the kernel has no room for another process');
    return task;
  }

  /** For a service over the files, from this thread. */
  access(): FilesAccess {
    const { kernel, port, memory } = this;
    return {
      kernel: kernel as unknown as FilesAccess['kernel'],
      port,
      memory,
      createTask: () => this.createTask(),
      endTask: (task) => void kernel.process_exit(task, 0),
    };
  }

  #upper(): UpperLink {
    return { memory: this.memory, calls: this.kernel as unknown as UpperLink['calls'] };
  }

  /** Gives back the host's descriptors. */
  close(): void {
    this.#journal?.close();
    for (const layer of this.#layers) layer?.close();
    for (const mount of this.#mounts.values()) mount.close();
    this.#layers.length = 0;
    this.#mounts.clear();
  }

  #furnish(): void {
    try {
      this.setup = new Setup(this.kernel, this.memory);
      this.setup.files(this.#spec);
      for (const mount of this.#spec.mounts) this.#mount(mount);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #boot(spec: SandboxSpec, index: Uint8Array | undefined, maxPages: number, options: MachineOptions): void {
    const { resources } = spec;
    const config = this.kernel.kernel_config();
    const view = new DataView(this.memory.buffer);
    const tracks = options.journal !== undefined || options.tracksChanges === true;
    const flags =
      abi.CONFIG_DEV | (options.shared === true ? abi.CONFIG_SHARED : 0) | (tracks ? abi.CONFIG_JOURNAL : 0);
    view.setUint32(config + abi.CONFIG_FLAGS, flags, true);
    view.setUint32(config + abi.CONFIG_MAX_PAGES, maxPages, true);
    view.setFloat64(config + abi.CONFIG_BYTE_QUOTA, resources.storageBytes ?? resources.memoryBytes ?? 0, true);
    view.setUint32(config + abi.CONFIG_INODE_QUOTA, resources.inodes ?? 0, true);
    view.setUint32(config + abi.CONFIG_NOFILE, resources.nofile ?? DEFAULT_NOFILE, true);
    view.setUint32(config + abi.CONFIG_PID_QUOTA, (resources.pids ?? DEFAULT_PIDS) + (options.tasks ?? 0), true);
    view.setUint32(config + abi.CONFIG_ROOTFS_BYTES, index?.length ?? 0, true);
    if (this.kernel.kernel_boot() < 0) throw new WctrError('no-memory', 'no memory to boot the container in');
    if (index !== undefined) new Uint8Array(this.memory.buffer).set(index, this.kernel.rootfs_pointer() >>> 0);
    if (this.kernel.rootfs_mount(index?.length ?? 0) < 0) {
      throw new WctrError('store-corrupt', "the image's file index is damaged", {
        hint: 'pull the image again; the index is rebuilt',
      });
    }
  }

  #mount(mount: SandboxMount): void {
    if (mount.type === 'tmpfs' && mount.isFile === true) {
      this.setup.memoryFile(mount.destination, mount.mode ?? 0o644);
      return;
    }
    if (mount.type === 'tmpfs') {
      this.setup.tmpfs(mount.destination, mount.sizeBytes ?? 0, mount.mode ?? 0o1777, mount.readonly ?? false);
      if (mount.owner !== undefined) this.setup.own(mount.destination, mount.owner);
      return;
    }
    const number = this.#mounts.size + 1;
    const directory = openSource(mount, this.#host, this.#nodes?.(number));
    this.#mounts.set(number, directory);
    this.setup.hostfs(mount.destination, number, directory.rootNode, directory.isFile, mount.readonly ?? false);
  }

  #layer(layer: number): BlockSource {
    // Opened when first read: a hello of a hundred layers touches one.
    const known = this.#layers[layer];
    if (known !== undefined) return known;
    const opened = this.#host.openBlock(this.#spec.root.layers[layer]!);
    this.#layers[layer] = opened;
    return opened;
  }
}

/**
 * Containers of one shape can take turns in one machine: the kernel keeps the image's index and the limits it was booted
 * with. Undefined where the index cannot be told by identity.
 */
export function shapeOf(spec: SandboxSpec): string | undefined {
  if (spec.root.index !== undefined) return undefined;
  const { storageBytes, memoryBytes, inodes, nofile, pids } = spec.resources;
  return [storageBytes, memoryBytes, inodes, nofile, pids, pagesFor(spec, 0)].join();
}

function openSource(mount: HostMount, host: MachineHost, nodes: NodeTable | undefined): HostDirectory {
  try {
    return host.openMount(mount, nodes);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ENOENT') throw cause;
    throw new WctrError('invalid-argument', `invalid mount: bind source path does not exist: ${mount.source}`, {
      hint: 'create it on the host first',
      cause,
    });
  }
}

function pagesFor(spec: SandboxSpec, indexBytes: number): number {
  const { storageBytes, memoryBytes } = spec.resources;
  const data = storageBytes ?? memoryBytes;
  if (data === undefined) return MAX_PAGES;
  const tmpfs = spec.mounts.reduce((sum, mount) => sum + (mount.type === 'tmpfs' ? (mount.sizeBytes ?? 0) : 0), 0);
  return Math.min(MAX_PAGES, Math.ceil((data + tmpfs + indexBytes + STRUCTURE_BYTES) / PAGE_BYTES));
}
