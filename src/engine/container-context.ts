/** What the use cases of containers share. */
import type { ControlRequest } from '../containers/control/protocol.ts';
import type { ContainerProcesses, ControlSession } from '../containers/processes.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { controlSocketName } from '../containers/records.ts';
import { WctrError } from '../errors.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type { SandboxMount, SandboxSpec } from '../host/sandbox.ts';
import type { ContainerCreateRequest, MountPoint } from '../spec/engine-api.ts';
import { assertManaged, assertRunning } from './container-state.ts';
import type { EngineParts, HostProcesses } from './parts.ts';
import type { ProgramFiles, ProgramSources } from './program.ts';

/** Binds, volumes and tmpfs of containers. */
export interface ContainerMounts {
  /** At the creation: names anonymous volumes, makes what is missing. */
  resolve(record: ContainerRecord, request: ContainerCreateRequest): Promise<readonly MountPoint[]>;
  /** At each start: fills empty volumes from the image, and says what to mount. */
  prepare(record: ContainerRecord, files: ProgramFiles): Promise<readonly SandboxMount[]>;
  /** Removes the anonymous volumes of a container that is gone. */
  release(record: ContainerRecord): Promise<void>;
}

/** Networks of containers. */
export interface ContainerNetworks {
  /** At the creation: which networks, by name, with what the user asked for. Throws 'not-found'. */
  attach(record: ContainerRecord, request: ContainerCreateRequest): Promise<AttachedContainer>;
  /** At each start: addresses, and what the container's process has to know. */
  plan(record: ContainerRecord): Promise<PlannedNetworks>;
  /** Gives its addresses back. */
  release(record: ContainerRecord): Promise<void>;
  /** It runs, and has another name. */
  renamed(record: ContainerRecord): Promise<void>;
}

export type AttachedContainer = Pick<ContainerRecord, 'networks' | 'config' | 'hostConfig'>;

export interface PlannedNetworks {
  readonly plan: NetworkPlan;
  readonly networks: ContainerRecord['networks'];
  readonly names: NonNullable<SandboxSpec['names']>;
}

export class ContainerContext {
  readonly parts: EngineParts;
  readonly programs: ProgramSources;
  readonly mounts: ContainerMounts;
  readonly networks: ContainerNetworks;
  /** By container id: who wants to be connected at its next start, before the guest runs. */
  readonly pending = new Map<string, Set<Pending>>();
  readonly #background = new Set<Promise<void>>();

  constructor(parts: EngineParts, programs: ProgramSources, mounts: ContainerMounts, networks: ContainerNetworks) {
    this.parts = parts;
    this.programs = programs;
    this.mounts = mounts;
    this.networks = networks;
  }

  /** Throws 'unsupported' where there are no processes. */
  get host(): HostProcesses {
    const { processes } = this.parts.host;
    if (processes === undefined) {
      throw new WctrError('unsupported', 'this host cannot keep containers in processes of their own');
    }
    return processes;
  }

  processes(): Promise<ContainerProcesses> {
    return this.host.containers();
  }

  /** Goes on beside the caller; whoever closes the engine waits for it, so that a short command does it, too. */
  background(work: Promise<unknown>): void {
    const done = work
      .catch(() => {})
      .then(() => {
        this.#background.delete(done);
      });
    this.#background.add(done);
  }

  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }

  /** Where the container's process listens. */
  socket(id: string): string {
    return `${this.host.runDirectory()}/${controlSocketName(id)}`;
  }

  /** As the record says now, or what it means when its process was killed; puts that right in the background. */
  async find(name: string): Promise<ContainerRecord> {
    const record = await this.parts.containers.find(name);
    const { currentRecord } = await import('./container-state.ts');
    const current = currentRecord(record, this.parts.containers);
    if (current === record) return record;
    const { reconcile } = await import('./reconcile.ts');
    await reconcile(this, record.key);
    return (await this.parts.containers.get(record.key)) ?? current;
  }

  /** One request to a container that runs. Throws 'conflict' when it does not. */
  async control(record: ContainerRecord, request: ControlRequest, action: string): Promise<ControlSession> {
    assertRunning(record, action);
    assertManaged(record, action);
    return (await this.processes()).connect(this.socket(record.key), request);
  }

  /** The same for a request whose whole answer is the reply. */
  async ask(record: ContainerRecord, request: ControlRequest, action: string): Promise<unknown> {
    const session = await this.control(record, request, action);
    session.end.catch(() => {});
    session.close();
    return session.result;
  }

  addPending(id: string, pending: Pending): () => void {
    const all = this.pending.get(id) ?? new Set();
    this.pending.set(id, all);
    all.add(pending);
    return () => {
      all.delete(pending);
      if (all.size === 0 && this.pending.get(id) === all) this.pending.delete(id);
    };
  }

  /** Takes those that wait for this container's start. */
  takePending(id: string): readonly Pending[] {
    const all = [...(this.pending.get(id) ?? [])];
    this.pending.delete(id);
    return all;
  }
}

export interface Pending {
  /** The container's process listens; its guest waits until all are connected. */
  connect(socket: string): Promise<void>;
  /** The start failed. */
  fail(error: unknown): void;
}
