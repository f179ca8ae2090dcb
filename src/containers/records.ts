/** What is kept of each container on disk: one record per id, and one small file per name that claims it. */
import { WctrError } from '../errors.ts';
import type { FileSystem } from '../host/ports.ts';
import type { SandboxExit, SandboxMount, SandboxResources } from '../host/sandbox.ts';
import { type CreateHasher, digestOf, digestParts } from '../images/digest.ts';
import { diskError, isMissing } from '../images/store/disk-error.ts';
import { openCreating, writeAll } from '../images/store/durable.ts';
import { RecordFiles } from '../images/store/records.ts';
import type { Digest } from '../spec/image-spec.ts';

export interface ContainerRecord {
  /** The container's id, 64 hex digits. */
  readonly key: string;
  readonly name: string;
  /** What the user called the image, and the digest of its config. Empty for a bare module. */
  readonly image: string;
  readonly imageId: string;
  /** The image's manifest and layers, which the garbage collector leaves alone while the container is there. */
  readonly manifest?: Digest;
  readonly diffIds: readonly Digest[];
  readonly createdAt: string;
  readonly process: {
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly user: string;
    readonly terminal: boolean;
  };
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly mounts: readonly Omit<SandboxMount, 'fs'>[];
  readonly resources: SandboxResources;
  readonly readonlyRootfs: boolean;
  readonly autoRemove: boolean;
  readonly isolation: string;
  readonly state: ContainerState;
}

export interface ContainerState {
  readonly status: 'created' | 'running' | 'exited';
  readonly pid?: number;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly exit?: SandboxExit;
}

/** Whether the record still tells the truth when it says `running`: its process may have been killed. */
export function isRunning({ status, pid }: ContainerState, isAlive: (pid: number) => boolean): boolean {
  return status === 'running' && (pid === undefined || isAlive(pid));
}

export interface ContainerRecordsOptions {
  readonly fs: FileSystem;
  /** Data root of the store. */
  readonly root: string;
  readonly createHasher: CreateHasher;
  /** Whether a process is still there, where there are processes. */
  readonly isAlive?: (pid: number) => boolean;
}

const HEX = /^[0-9a-f]+$/;

export class ContainerRecords {
  readonly #options: ContainerRecordsOptions;
  readonly #records: RecordFiles<ContainerRecord>;

  constructor(options: ContainerRecordsOptions) {
    this.#options = options;
    this.#records = new RecordFiles({
      fs: options.fs,
      dir: `${options.root}/containers`,
      tempDir: `${options.root}/tmp`,
      createHasher: options.createHasher,
      what: 'container record',
    });
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
      // The claim is made before the record: one whose record is not there yet counts while it is young.
      const record = owner === undefined ? undefined : await this.#records.get(owner.id);
      const isFree = record === undefined ? owner?.isYoung !== true : this.#isForsaken(record);
      if (owner !== undefined && !isFree) {
        throw new WctrError(
          'conflict',
          `the container name "${name}" is already in use by container ${owner.id.slice(0, 12)}`,
          {
            hint: 'choose another --name, or remove that container',
            data: { name, id: owner.id },
          },
        );
      }
      if (record === undefined) await fs.rm(path, { force: true });
      else await this.remove(record);
    }
  }

  put(record: ContainerRecord): Promise<void> {
    return this.#records.put(record, { durable: !record.autoRemove });
  }

  async remove(record: ContainerRecord): Promise<void> {
    await this.#records.delete(record.key, { durable: !record.autoRemove });
    await this.releaseName(record.name, record.key);
  }

  async releaseName(name: string, id: string): Promise<void> {
    const path = this.#namePath(name);
    if ((await this.#owner(path))?.id === id) await this.#options.fs.rm(path, { force: true });
  }

  async list(): Promise<ContainerRecord[]> {
    const kept: ContainerRecord[] = [];
    for (const record of await this.#records.list()) {
      if (!this.#isForsaken(record)) kept.push(record);
      else await this.remove(record).catch(() => {});
    }
    return kept;
  }

  /** Meant to be removed at its end, and whoever was to do that was killed. */
  #isForsaken(record: ContainerRecord): boolean {
    const { isAlive } = this.#options;
    const { pid } = record.state;
    return record.autoRemove && pid !== undefined && isAlive !== undefined && !isAlive(pid);
  }

  /** By name, id, or the beginning of an id. Throws `no-such-container`, `conflict` when several ids begin so. */
  async find(name: string): Promise<ContainerRecord> {
    const exact = HEX.test(name) && name.length === 64 ? await this.#records.get(name) : undefined;
    if (exact !== undefined) return exact;
    const all = await this.list();
    const named = all.find((record) => record.name === name.replace(/^\//, ''));
    if (named !== undefined) return named;
    const matching = HEX.test(name) ? all.filter((record) => record.key.startsWith(name)) : [];
    if (matching.length > 1) throw new WctrError('conflict', `several containers have an id that begins with ${name}`);
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
