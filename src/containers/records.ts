/** What is kept of each container on disk: one record per id, and one small file per name that claims it. */
import { WctrError } from '../errors.ts';
import type { FileSystem, Locks } from '../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../images/digest.ts';
import { diskError, isMissing } from '../images/store/disk-error.ts';
import { openCreating, writeAll } from '../images/store/durable.ts';
import { RecordFiles } from '../images/store/records.ts';
import { ContainerListing, type ListedContainer } from './listing.ts';
import type { ContainerRecord } from './record.ts';

export interface ContainerRecordsOptions {
  readonly fs: FileSystem;
  /** Data root of the store. */
  readonly root: string;
  readonly createHasher: CreateHasher;
  readonly locks: Locks;
  /** Whether a process is still there, where there are processes. `startedAt`: not another one with its pid. */
  readonly isAlive?: (pid: number, startedAt?: string) => boolean;
  /** The file names of the sockets that somebody listens on now, where they can be had at once. */
  readonly listeners?: () => ReadonlySet<string>;
  /** Where a directory's time changes with every rename into it. */
  readonly keepsListing?: boolean;
}

const HEX = /^[0-9a-f]+$/;

/** In the run directory. Short, since the path of a socket is. */
export function controlSocketName(id: string): string {
  return `${id.slice(0, 32)}.sock`;
}

export class ContainerRecords {
  readonly #options: ContainerRecordsOptions;
  readonly #listing: ContainerListing | undefined;
  readonly #records: RecordFiles<ContainerRecord>;

  constructor(options: ContainerRecordsOptions) {
    this.#options = options;
    this.#listing = options.keepsListing === true ? new ContainerListing(options) : undefined;
    this.#records = new RecordFiles({
      fs: options.fs,
      dir: `${options.root}/containers`,
      tempDir: `${options.root}/tmp`,
      createHasher: options.createHasher,
      what: 'container record',
      isCurrent: (record) => 'managed' in record && 'hostConfig' in record && 'state' in record,
    });
  }

  /** Everything else of a container: writable layer, log. */
  directory(id: string): string {
    return `${this.#options.root}/containers/${id}.d`;
  }

  /** Throws `conflict` when another container has the name. */
  async claimName(name: string, id: string): Promise<void> {
    const { fs } = this.#options;
    const path = this.#namePath(name);
    for (;;) {
      try {
        const file = await openCreating(fs, path, 'wx');
        try {
          await writeAll(file, new TextEncoder().encode(id), 0);
        } finally {
          await file.close();
        }
        return;
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EEXIST') {
          throw diskError(error, 'record the container', this.#options.root);
        }
      }
      const owner = await this.#owner(path);
      // The claim is made before the record: one whose record is not there yet counts while it is young. A record that
      // has another name by now has left the claim behind when its renaming was interrupted.
      const record = owner === undefined ? undefined : await this.#records.get(owner.id);
      const holds = record === undefined ? owner?.isYoung === true : !this.isForsaken(record);
      if (owner !== undefined && holds && (record === undefined || record.name === name || owner.isYoung)) {
        throw new WctrError(
          'conflict',
          `the container name "${name}" is already in use by container ${owner.id.slice(0, 12)}`,
          {
            hint: 'choose another --name, or remove that container',
            data: { name, id: owner.id },
          },
        );
      }
      if (record !== undefined && record.name === name) await this.remove(record);
      else await this.#removeClaim(path);
    }
  }

  /** One at a time, each looking again: the claim may be another one by now. */
  async #removeClaim(path: string): Promise<void> {
    const lock = await this.#options.locks.acquire('container-names');
    try {
      const owner = await this.#owner(path);
      if (owner === undefined || owner.isYoung) return;
      const record = await this.#records.get(owner.id);
      if (record !== undefined && this.#namePath(record.name) === path) return;
      await this.#options.fs.rm(path, { force: true });
    } finally {
      await lock.release();
    }
  }

  /** One that goes with its process need not outlive the machine, and is not waited for. */
  put(record: ContainerRecord): Promise<void> {
    return this.#records.put(record, { durable: record.managed || record.hostConfig.AutoRemove !== true });
  }

  /** Throws `store-corrupt`. */
  async get(id: string): Promise<ContainerRecord | undefined> {
    const record = await this.#records.get(id);
    return record === undefined ? undefined : this.#current(record);
  }

  /** Runs `action` while nobody else changes the container. */
  async locked<T>(id: string, action: () => Promise<T>): Promise<T> {
    const lock = await this.#options.locks.acquire(`container-${id}`);
    try {
      return await action();
    } finally {
      await lock.release();
    }
  }

  /**
   * Reads, applies `change` and writes, under the container's lock. Undefined from `change` leaves it as it is.
   * Resolves with what the record says now; undefined when there is none.
   */
  change(
    id: string,
    change: (record: ContainerRecord) => ContainerRecord | undefined,
  ): Promise<ContainerRecord | undefined> {
    return this.locked(id, () => this.changeLocked(id, change));
  }

  /** The same for who holds the lock. */
  async changeLocked(
    id: string,
    change: (record: ContainerRecord) => ContainerRecord | undefined,
  ): Promise<ContainerRecord | undefined> {
    const record = await this.#records.get(id);
    const changed = record === undefined ? undefined : change(record);
    if (changed === undefined) return record;
    await this.put(changed);
    return changed;
  }

  /** The record goes first: without it nothing else of the container counts. */
  async remove(record: Pick<ListedContainer, 'key' | 'name' | 'managed' | 'hostConfig'>): Promise<void> {
    await this.#records.delete(record.key, { durable: record.managed || record.hostConfig.AutoRemove !== true });
    await this.releaseName(record.name, record.key);
    if (record.managed) await this.#options.fs.rm(this.directory(record.key), { recursive: true, force: true });
  }

  /** What a removal or a creation that was killed has left: directories and names without a record. */
  async sweep(): Promise<void> {
    const { fs, root } = this.#options;
    const listed = (path: string) => fs.readdir(path).catch(() => []);
    for (const entry of await listed(`${root}/containers`)) {
      const id = /^([0-9a-f]{64})\.d$/.exec(entry)?.[1];
      // Made after the record: where there is none, there will be none.
      if (id === undefined || (await this.#records.get(id).catch(() => id)) !== undefined) continue;
      await fs.rm(this.directory(id), { recursive: true, force: true });
    }
    for (const entry of await listed(`${root}/containers/names`)) {
      await this.#removeClaim(`${root}/containers/names/${entry}`).catch(() => {});
    }
  }

  async releaseName(name: string, id: string): Promise<void> {
    const path = this.#namePath(name);
    if ((await this.#owner(path))?.id === id) await this.#options.fs.rm(path, { force: true });
  }

  /** `verify: false`: for who only shows them. */
  async list(options: { readonly verify?: boolean } = {}): Promise<ContainerRecord[]> {
    // A damaged record must not hide all others.
    return this.#kept(await this.#records.list(() => {}, options));
  }

  /** The same for who needs no more of each than a list shows: there may be a copy of that. */
  async listed(): Promise<ListedContainer[]> {
    const all = () => this.#records.list(() => {}, { verify: false });
    return this.#kept((await this.#listing?.of(all)) ?? (await all()));
  }

  async #kept<T extends ListedContainer>(records: readonly T[]): Promise<T[]> {
    const kept: T[] = [];
    for (const record of records) {
      if (!this.isForsaken(record)) kept.push(this.#current(record));
      else await this.remove(record).catch(() => {});
    }
    return kept;
  }

  /** A foreground run that was to remove itself at its end, and was killed. */
  isForsaken(record: ListedContainer): boolean {
    return (
      !record.managed && record.hostConfig.AutoRemove === true && record.state.pid !== undefined && !this.runs(record)
    );
  }

  /** A foreground run that is to remove itself writes one record, before its guest runs. */
  #current<T extends ListedContainer>(record: T): T {
    const { managed, state, createdAt } = record;
    if (managed || state.status !== 'created' || state.pid === undefined || !this.runs(record)) return record;
    return { ...record, state: { ...state, status: 'running', startedAt: createdAt } };
  }

  /** What `runs` answers, for who asks about many at once: a container's process lives while its control socket does. */
  processes(): Pick<ContainerRecords, 'runs'> {
    let listeners: ReadonlySet<string> | undefined;
    return {
      runs: (record) => {
        listeners ??= this.#options.listeners?.() ?? new Set();
        return listeners.has(controlSocketName(record.key)) || this.runs(record);
      },
    };
  }

  /** Whether the process the record names is there. */
  runs({ state }: Pick<ContainerRecord, 'key' | 'state'>): boolean {
    const { isAlive } = this.#options;
    return state.pid === undefined || isAlive === undefined || isAlive(state.pid, state.pidStartedAt);
  }

  /** By name, id, or the beginning of an id. Throws `no-such-container`, `conflict` when several ids begin so. */
  async find(name: string): Promise<ContainerRecord> {
    const exact = HEX.test(name) && name.length === 64 ? await this.get(name) : undefined;
    if (exact !== undefined && !this.isForsaken(exact)) return exact;
    const wanted = name.replace(/^\//, '');
    const owner = wanted === '' ? undefined : await this.#owner(this.#namePath(wanted));
    const named = owner === undefined ? undefined : await this.get(owner.id);
    if (named?.name === wanted && !this.isForsaken(named)) return named;
    const matching = HEX.test(name) ? (await this.list()).filter((record) => record.key.startsWith(name)) : [];
    if (matching.length > 1) {
      throw new WctrError('conflict', `several containers have an id that begins with ${name}`, {
        hint: 'give more digits of it',
      });
    }
    if (matching.length === 1) return matching[0]!;
    throw new WctrError('no-such-container', `no such container: ${name}`, { data: { name } });
  }

  #namePath(name: string): string {
    const { createHasher, root } = this.#options;
    return `${root}/containers/names/${digestParts(digestOf(createHasher, new TextEncoder().encode(name))).hex}`;
  }

  async #owner(path: string): Promise<{ id: string; isYoung: boolean } | undefined> {
    const { fs } = this.#options;
    try {
      const [bytes, stat] = await Promise.all([fs.readFile(path), fs.stat(path)]);
      return { id: new TextDecoder().decode(bytes), isYoung: Date.now() - stat.mtimeMs < CLAIM_MS };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

/** How long a claim counts without a record: far longer than creating a container takes. */
const CLAIM_MS = 30_000;
