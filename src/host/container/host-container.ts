/**
 * A container of several processes: the kernel is booted here, on the main thread, in shared memory; each process is a
 * thread that attaches to it. The main thread starts and ends threads, keeps their streams, and calls the kernel for
 * everything that is not a guest's own doing.
 */
import { EAGAIN, EIO, PROCESS_PID, TASK_IO, TASK_PROCESS, WNOHANG } from '../../core/abi/kernel.ts';
import { type JournalStore, UpperJournal } from '../../core/upper.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import { createSharedQuota, setSharedRate } from '../fuel-quota.ts';
import { createSharedNodes, SharedNodes } from '../mounts/shared-nodes.ts';
import type { ByteLocation } from '../ports.ts';
import { Machine, type MachineHost } from '../runner/machine.ts';
import { defaultAction, signalName } from '../runner/signals.ts';
import type { SandboxResources, SandboxSpec } from '../sandbox.ts';
import type {
  ContainerFiles,
  ContainerHost,
  GuestProcess,
  HostContainer,
  HostContainerOptions,
  ProcessSpec,
} from './container.ts';
import type { CreateFiles } from './files-access.ts';
import { Guest, type GuestOptions, type GuestOwner, type GuestThread } from './guest.ts';
import { lockFree } from './kernel-lock.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { ChildStart, GuestAsk, GuestMessage, GuestStart, KernelAttachment, SharedBlock } from './messages.ts';
import { Session } from './session.ts';
import { ModuleShelf, memoryShare, shelfKey, spawnErrno, withMemory } from './spawns.ts';
import { ThreadPool } from './thread-pool.ts';

/** What a container needs of its host. */
export interface ContainerThreads {
  openThread(): GuestThread;
  /** With kernel.wasm for shared memory. */
  machineHost(): MachineHost;
  coreModule(): WebAssembly.Module;
  /** Opens a layer for all threads of the process. */
  shareBlock(location: ByteLocation): SharedBlock;
  closeShared(block: SharedBlock): void;
  openJournal(path: string): JournalStore;
  /** One that a thread has opened and not closed. */
  closeDescriptor(descriptor: number): void;
  /** CPU time of a thread that said this name of itself, milliseconds. */
  cpuMs(thread: string): number;
}

export interface ContainerHostOptions {
  /** Makes `HostContainer.files`; absent: asking for them is refused. */
  readonly files?: CreateFiles;
  /** How long a kernel call may take before the container is given up; a call that waits for a disk takes as long. */
  readonly patienceMs?: number;
  /** How often a journal that guests write to is looked at, whether it has grown too long. */
  readonly compactEveryMs?: number;
}

const PATIENCE_MS = 20_000;
const COMPACT_EVERY_MS = 10_000;

const STUCK = "the container's kernel does not answer any more";

/** Kernel processes of the host's own, beside those that count against the container's limit. */
const HOST_TASKS = 16;
/** Programs there may be, dead ones that nobody waited for included, where nothing else is said. */
const DEFAULT_PIDS = 4096;
/** As many run at once before no program may start another one: each is a thread of some megabytes. */
const DEFAULT_SPAWNED = 256;
/** A thread whose program had more memory is not used again: it would hold that until its collector finds it. */
const REUSABLE_BYTES = 64 * 1024 * 1024;

/** Below zero but above this is an error; a task may lie in the upper half of the memory. */
const MAX_ERRNO = 4096;

export function createThreadedContainers(threads: ContainerThreads, options: ContainerHostOptions = {}): ContainerHost {
  return {
    async open(spec, container) {
      if (spec.mounts.some(({ type }) => type === 'fs')) {
        throw new WctrError('unsupported', 'an fs object cannot be mounted into other threads', {
          hint: 'mount a directory of the host',
        });
      }
      const pool = new ThreadPool(() => threads.openThread());
      try {
        return new Container(spec, threads, container, options, pool);
      } catch (error) {
        void pool.close();
        throw error;
      }
    },
  };
}

class Container implements HostContainer, GuestOwner {
  readonly #spec: SandboxSpec;
  readonly #threads: ContainerThreads;
  readonly #options: HostContainerOptions;
  readonly #createFiles: CreateFiles | undefined;
  readonly #patienceMs: number;
  readonly #machine: Machine;
  readonly #attachment: KernelAttachment;
  readonly #words: Int32Array;
  readonly #event: number;
  readonly #guests = new Set<Guest>();
  readonly #budget: MemoryBudget<Guest>;
  #limits: Pick<SandboxResources, 'cpus' | 'pids'>;
  readonly #detach = new Map<Guest, () => void>();
  #files: ContainerFiles | undefined;
  readonly #pool: ThreadPool;
  readonly #modules = new ModuleShelf();
  #closed = false;
  readonly #compacting: ReturnType<typeof setInterval> | undefined;
  /** A thread died inside the kernel: nobody gets its lock any more. */
  #stuck = false;

  constructor(
    spec: SandboxSpec,
    threads: ContainerThreads,
    options: HostContainerOptions,
    { files, patienceMs, compactEveryMs = COMPACT_EVERY_MS }: ContainerHostOptions,
    pool: ThreadPool,
  ) {
    this.#spec = spec;
    this.#threads = threads;
    this.#options = options;
    this.#createFiles = files;
    this.#patienceMs = patienceMs ?? PATIENCE_MS;
    const host = threads.machineHost();
    const binds = spec.mounts.filter((mount) => mount.type === 'bind');
    const journal = options.journal?.path;
    const nodes = binds.length === 0 ? undefined : createSharedNodes();
    // How many processes there may be is asked here, since it may change; the kernel's own number cannot.
    const { pids, ...kernelLimits } = spec.resources;
    const { cpus, memoryBytes } = kernelLimits;
    this.#limits = { ...(pids === undefined ? {} : { pids }), ...(cpus === undefined ? {} : { cpus }) };
    this.#budget = new MemoryBudget(this.#guests, memoryBytes, (largest, limitBytes) => {
      const reason = `out of memory: the container held more than ${Math.round(limitBytes / 1048576)} MiB`;
      void largest.end({ exitCode: 137, signal: 'SIGKILL', oomKilled: true, reason }, true);
    });
    this.#machine = new Machine({ ...spec, resources: kernelLimits }, host, {
      shared: true,
      tasks: HOST_TASKS,
      tracksChanges: true,
      ...(journal === undefined ? {} : { journal: (link) => new UpperJournal(threads.openJournal(journal), link) }),
      ...(nodes === undefined ? {} : { nodes: (mount: number) => new SharedNodes(nodes, mount) }),
    });
    this.#machine.finish();
    const { memory, kernel } = this.#machine;
    this.#attachment = {
      memory,
      kernel: host.kernelModule(),
      layers: spec.root.layers.map((layer) => threads.shareBlock(layer)),
      mounts: [...this.#machine.mounts].map(([number, { rootNode }]) => ({
        number,
        rootNode,
        mount: binds[number - 1]!,
      })),
      ...(nodes === undefined ? {} : { nodes }),
      ...(journal === undefined ? {} : { journal }),
      quota: createSharedQuota(cpus),
    };
    this.#words = new Int32Array(memory.buffer);
    this.#event = kernel.event_word() >>> 2;
    this.#pool = pool;
    this.#limitPids();
    if (journal === undefined) return;
    this.#compacting = setInterval(() => this.#compact(), compactEveryMs);
    (this.#compacting as { unref?(): void }).unref?.();
  }

  get processes(): readonly GuestProcess[] {
    return [...this.#guests];
  }

  get files(): ContainerFiles {
    if (this.#createFiles === undefined)
      throw new WctrError('unsupported', "this host gives no access to a container's files");
    this.#files ??= this.#createFiles(this.#machine.access());
    return this.#files;
  }

  async start(process: ProcessSpec): Promise<GuestProcess> {
    if (this.#closed) throw new WctrError('conflict', 'the container is not running');
    this.#mustAnswer();
    const { pids } = this.#limits;
    if (pids !== undefined && this.#guests.size >= pids) {
      throw new WctrError('limit-exceeded', `the container may have ${pids} processes`, { data: { limit: 'pids' } });
    }
    const task = this.#machine.createTask(process.user);
    const session = new Session(process, () => this.wake());
    const guest = this.#add({ pid: this.#pidOf(task), task, spec: process, session, thread: this.#pool.take() });
    const { checkpoints } = this.#options;
    await this.#run(guest, specOf(this.#spec, process, this.#resources()), {
      ...(process.freeze === undefined ? {} : { freeze: process.freeze }),
      ...(checkpoints === undefined ? {} : { checkpoint: `${checkpoints}/.running-${guest.pid}` }),
    });
    return guest;
  }

  answer(guest: Guest, question: GuestAsk): Promise<number> {
    return question.type === 'spawn'
      ? this.#spawn(guest, question)
      : Promise.resolve(this.#killFor(question.pid, question.signal));
  }

  started(guest: Guest, { spawns, prepared }: Extract<GuestMessage, { type: 'started' }>): void {
    if (spawns) this.#pool.warm();
    if (prepared !== undefined && guest.shelf !== undefined) this.#modules.put(guest.shelf, prepared);
  }

  /** A program starts another one; its thread waits in its call. The pid, or a negative errno. */
  async #spawn(parent: Guest, { path, identity, args, env, cwd, fds }: GuestAsk & { type: 'spawn' }): Promise<number> {
    if (this.#stuck) return -EIO;
    if (this.#closed || parent.isEnding || this.#guests.size >= (this.#limits.pids ?? DEFAULT_SPAWNED)) return -EAGAIN;
    const { kernel, memory } = this.#machine;
    new Int32Array(memory.buffer, parent.task + TASK_IO, fds.length).set(fds);
    const task = kernel.process_spawn(parent.task, fds.length);
    if (task < 0 && task > -MAX_ERRNO) return task;
    const { freeze: _, ...inherited } = parent.spec;
    const { unknownImports } = inherited.program;
    const process: ProcessSpec = {
      ...inherited,
      args: textsOf(args),
      env: textsOf(env),
      cwd,
      program: { path, export: '_start', ...(unknownImports === undefined ? {} : { unknownImports }) },
    };
    const limit = this.#budget.limitBytes;
    const memoryBytes = limit === undefined ? undefined : memoryShare(this.#budget.leftBytes ?? limit, limit);
    const spec = specOf(this.#spec, process, withMemory(this.#resources(), memoryBytes));
    const thread = this.#pool.take();
    const guest = this.#add({ pid: this.#pidOf(task), task, spec: process, session: parent.session, thread, parent });
    guest.shelf = identity === undefined ? undefined : shelfKey(identity, spec);
    const prepared = guest.shelf === undefined ? undefined : this.#modules.get(guest.shelf);
    const child: ChildStart = {
      args,
      env,
      ...(identity === undefined ? {} : { identity }),
      ...(prepared === undefined ? {} : { prepared }),
    };
    try {
      await this.#run(guest, spec, { child });
    } catch (error) {
      // Ended from outside before it ran: whoever waits for it learns how.
      if (isWctrError(error, 'cancelled')) return guest.pid;
      // It never was: there is nothing to wait for.
      if (!parent.isEnding && !this.#stuck) kernel.process_wait(parent.task, guest.pid, WNOHANG);
      return spawnErrno(error);
    }
    this.#pool.warm();
    return guest.pid;
  }

  /** What a program sends another one. As a kernel has it, the first program hears only of what it handles. */
  #killFor(pid: number, signal: number): number {
    const guest = [...this.#guests].find((one) => one.pid === pid);
    if (guest === undefined || guest.isEnding) return 0;
    if (!guest.catches && (pid === 1 || defaultAction(signal) !== 'end')) return 0;
    if (pid === 1 && signalName(signal) === 'SIGKILL') return 0;
    guest.signal(signalName(signal));
    return 0;
  }

  #add(options: GuestOptions): Guest {
    const guest = new Guest(options, this);
    this.#guests.add(guest);
    this.#budget.watch();
    return guest;
  }

  async #run(
    guest: Guest,
    spec: SandboxSpec,
    more: Pick<GuestStart, 'freeze' | 'checkpoint' | 'child'>,
  ): Promise<void> {
    const network = this.#options.network?.attach(() => this.wake());
    if (network !== undefined) this.#detach.set(guest, () => network.detach());
    const start = { attachment: this.#attachment, core: this.#threads.coreModule(), spec, ...more };
    await guest.start(network === undefined ? start : { ...start, network: network.setup }, network?.transfer ?? []);
  }

  #pidOf(task: number): number {
    const view = new DataView(this.#machine.memory.buffer);
    return view.getUint32(view.getUint32((task >>> 0) + TASK_PROCESS, true) + PROCESS_PID, true);
  }

  #limitPids(): void {
    this.#machine.kernel.process_limit(this.#limits.pids ?? DEFAULT_PIDS);
  }

  update(limits: Pick<SandboxResources, 'memoryBytes' | 'cpus' | 'pids'>): readonly ('memoryBytes' | 'cpus')[] {
    const { memoryBytes, ...others } = limits;
    const later: ('memoryBytes' | 'cpus')[] = [];
    if (memoryBytes !== undefined) {
      const before = this.#budget.limitBytes;
      if (before !== undefined && memoryBytes > before) later.push('memoryBytes');
      this.#budget.limitBytes = memoryBytes;
    }
    if (others.cpus !== undefined) {
      if (this.#limits.cpus === undefined && this.#guests.size > 0) later.push('cpus');
      setSharedRate(this.#attachment.quota, others.cpus);
    }
    this.#limits = { ...this.#limits, ...others };
    this.#limitPids();
    return later;
  }

  /** What a process that starts now may have. */
  #resources(): SandboxResources {
    const { memoryBytes: _, cpus: __, pids: ___, ...others } = this.#spec.resources;
    const { leftBytes } = this.#budget;
    return { ...others, ...this.#limits, ...(leftBytes === undefined ? {} : { memoryBytes: leftBytes }) };
  }

  async sync(): Promise<void> {
    this.#mustAnswer();
    this.#machine.sync();
  }

  usage() {
    return {
      memoryBytes: this.#budget.usedBytes,
      storageBytes: this.#stuck ? 0 : this.#machine.kernel.kernel_data_bytes(),
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#compacting);
    this.#budget.stop();
    const killed = { exitCode: 137, signal: 'SIGKILL', oomKilled: false } as const;
    await Promise.all([...this.#guests].map((guest) => guest.end(killed, true)));
    await this.#pool.close();
    if (!this.#stuck) await this.sync();
    for (const layer of this.#attachment.layers) this.#threads.closeShared(layer);
    this.#machine.close();
  }

  wake(): void {
    Atomics.add(this.#words, this.#event, 1);
    Atomics.notify(this.#words, this.#event);
  }

  signal(guest: Guest, signal: number): boolean {
    return this.#machine.kernel.process_kill(guest.pid, signal) === 0;
  }

  cpuMs(thread: string): number {
    return this.#threads.cpuMs(thread);
  }

  /**
   * A thread that may be inside the kernel is stopped while the main thread holds the kernel's lock: it then stands
   * outside, or waits for the lock. The kernel process goes with it, its descriptors and pipe ends, too.
   */
  async reap(guest: Guest, status: number, busy: boolean): Promise<void> {
    const { kernel } = this.#machine;
    const { thread } = guest;
    if (!this.#stuck && busy && !(await lockFree(this.#words, this.#event, this.#patienceMs))) this.#stuck = true;
    if (this.#stuck) {
      await thread.terminate();
      const failed = { exitCode: 137, oomKilled: false, reason: STUCK, errorCode: 'sandbox-failed' } as const;
      for (const other of this.#guests) if (other !== guest) void other.end(failed, true);
      this.#forget(guest);
    } else if (busy) {
      kernel.kernel_freeze();
      try {
        await thread.terminate();
        kernel.process_exit(guest.task, status);
        this.#forget(guest);
      } finally {
        kernel.kernel_thaw();
      }
    } else {
      // Whoever waits for it may start another one at once, which must not find it among those that run.
      kernel.process_exit(guest.task, status);
      this.#forget(guest);
      thread.usedCpuMs += guest.cpuMs();
      if (guest.heldBytes > REUSABLE_BYTES || !this.#pool.give(thread)) await thread.terminate();
    }
    const journal = guest.takeJournal();
    if (journal !== undefined) this.#threads.closeDescriptor(journal);
  }

  #forget(guest: Guest): void {
    this.#guests.delete(guest);
    this.#detach.get(guest)?.();
    this.#detach.delete(guest);
  }

  #compact(): void {
    if (this.#stuck) return;
    try {
      this.#machine.compact();
    } catch {
      // A full disk: the journal is as it was, and the next look tries again.
    }
  }

  #mustAnswer(): void {
    if (this.#stuck) throw new WctrError('sandbox-failed', STUCK);
  }
}

/** The container's document with another program in it. */
function specOf(
  spec: SandboxSpec,
  { args, env, cwd, user, terminal, consoleSize, program, deterministic, clockStart }: ProcessSpec,
  resources: SandboxResources,
): SandboxSpec {
  return {
    ...spec,
    resources,
    process: {
      args,
      env: terminal ? withSize(env, consoleSize) : env,
      cwd,
      user,
      terminal,
      ...(consoleSize === undefined ? {} : { consoleSize }),
    },
    program,
    ...(deterministic === undefined ? {} : { deterministic }),
    ...(clockStart === undefined ? {} : { clockStart }),
  };
}

/** A guest cannot ask for the size of its terminal; this is where programs look else. */
function withSize(env: readonly string[], size: ProcessSpec['consoleSize']): readonly string[] {
  if (size === undefined || size.width === 0 || size.height === 0) return env;
  const given = new Set(env.map((entry) => entry.slice(0, entry.indexOf('='))));
  const sizes = [`COLUMNS=${size.width}`, `LINES=${size.height}`];
  return [...env, ...sizes.filter((entry) => !given.has(entry.slice(0, entry.indexOf('='))))];
}

/** For people to read; the program gets its strings as they are. */
function textsOf(strings: Uint8Array): string[] {
  const texts = new TextDecoder().decode(strings).split('\0');
  texts.pop();
  return texts;
}
