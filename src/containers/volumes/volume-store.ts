/**
 * Which volumes there are. One record per volume; the data is its driver's.
 *
 * ```
 * <root>/volume-records/<hash of the name>.json
 * <root>/volumes/<name>/_data                    (driver local)
 * ```
 */
import { isWctrError, WctrError } from '../../errors.ts';
import type { FileSystem, Locks } from '../../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../../images/digest.ts';
import { RecordFiles } from '../../images/store/records.ts';
import type { Volume, VolumeCreateRequest } from '../../spec/engine-api.ts';
import type { VolumeDriver } from './driver.ts';
import { ANONYMOUS_LABEL, checkVolumeName } from './volume-name.ts';

export interface VolumeRecord {
  /** Its name. */
  readonly key: string;
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  /** `underway`: the image's files are being put in, and may be there in part. */
  readonly populated?: 'underway' | 'done';
}

/** A container that has a volume, running or not. */
export interface VolumeUser {
  readonly id: string;
  readonly volumes: readonly string[];
}

export interface VolumeStoreOptions {
  readonly fs: FileSystem;
  readonly root: string;
  readonly tempDir: string;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly drivers: readonly VolumeDriver[];
  readonly users: () => Promise<readonly VolumeUser[]>;
  /** Told of `create` and `destroy`. */
  readonly onEvent?: (action: string, volume: VolumeRecord) => Promise<void>;
}

const DEFAULT_DRIVER = 'local';

export class VolumeStore {
  readonly #options: VolumeStoreOptions;
  readonly #records: RecordFiles<VolumeRecord>;

  constructor(options: VolumeStoreOptions) {
    this.#options = options;
    this.#records = new RecordFiles({
      fs: options.fs,
      dir: `${options.root}/volume-records`,
      tempDir: options.tempDir,
      createHasher: options.createHasher,
      what: 'volume record',
    });
  }

  /** Throws 'not-found' for a driver that is not there. */
  driver(name: string): VolumeDriver {
    const driver = this.#options.drivers.find((candidate) => candidate.name === name);
    if (driver !== undefined) return driver;
    throw new WctrError('not-found', `error looking up volume plugin ${name}: plugin "${name}" not found`, {
      hint: `drivers here: ${this.#options.drivers.map((candidate) => candidate.name).join(', ')}`,
    });
  }

  /** A volume that is there already stays as it is. Throws 'conflict' when it is there with another driver or options. */
  async create(request: VolumeCreateRequest): Promise<VolumeRecord> {
    const isAnonymous = request.Name === undefined || request.Name === '';
    const name = isAnonymous ? hex(this.#options.randomBytes(32)) : checkVolumeName(request.Name as string);
    const driver = this.driver(request.Driver || DEFAULT_DRIVER);
    const options = { ...request.DriverOpts };
    const labels = { ...request.Labels, ...(isAnonymous ? { [ANONYMOUS_LABEL]: '' } : {}) };
    return this.#locked(name, async () => {
      const there = await this.#records.get(name);
      if (there !== undefined) {
        const isSame =
          (request.Driver === undefined || request.Driver === '' || there.driver === driver.name) &&
          (Object.keys(options).length === 0 || sameOptions(there.options, options));
        if (isSame) return there;
        throw new WctrError('conflict', `create ${name}: conflict: volume name must be unique`, {
          hint: `it is there with driver ${there.driver}; remove it first, or choose another name`,
        });
      }
      await driver.create({ name, options });
      const record: VolumeRecord = { key: name, driver: driver.name, options, labels, createdAt: rfc3339() };
      await this.#records.put(record);
      await this.#options.onEvent?.('create', record);
      return record;
    });
  }

  /** Throws 'not-found'. */
  async get(name: string): Promise<VolumeRecord> {
    const record = isName(name) ? await this.#records.get(name) : undefined;
    if (record !== undefined) return record;
    throw new WctrError('not-found', `get ${JSON.stringify(name).slice(1, -1)}: no such volume`);
  }

  find(name: string): Promise<VolumeRecord | undefined> {
    return isName(name) ? this.#records.get(name) : Promise.resolve(undefined);
  }

  /** In order of name. */
  async list(): Promise<VolumeRecord[]> {
    const records = await this.#records.list(() => {});
    return records.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Throws 'in-use' with the ids of the containers that have it (`except` for one that is gone), 'not-found'. */
  async remove(name: string, except?: string): Promise<void> {
    const { key } = await this.get(name);
    await this.#locked(key, async () => {
      const record = await this.get(key);
      const users = (await this.#options.users()).filter(({ id, volumes }) => id !== except && volumes.includes(key));
      if (users.length > 0) {
        throw new WctrError('in-use', `remove ${key}: volume is in use - [${users.map(({ id }) => id).join(', ')}]`, {
          hint: `remove the container first: wctr rm ${users[0]!.id.slice(0, 12)}`,
          data: { volume: key, containers: users.map(({ id }) => id) },
        });
      }
      await this.driver(record.driver).remove({ name: key, options: record.options });
      await this.#records.delete(key);
      await this.#options.onEvent?.('destroy', record);
    });
  }

  /** False where a container still has it, or it is not there. */
  async removeUnused(name: string, except?: string): Promise<boolean> {
    try {
      await this.remove(name, except);
      return true;
    } catch (error) {
      if (isWctrError(error, 'in-use') || isWctrError(error, 'not-found')) return false;
      throw error;
    }
  }

  async sizeBytes({ key, driver, options }: VolumeRecord): Promise<number | undefined> {
    return this.driver(driver).sizeBytes?.({ name: key, options });
  }

  /**
   * Calls `populate` where the volume has never been filled and is empty, while nobody else fills or removes it. One that
   * was broken off by a crash is filled again. `populate` says whether there was anything to put in.
   */
  async populateOnce(name: string, populate: () => Promise<boolean>): Promise<void> {
    await this.#locked(name, async () => {
      const record = await this.get(name);
      if (record.populated === 'done') return;
      const driver = this.driver(record.driver);
      if (record.populated === undefined) {
        const isEmpty = await driver.isEmpty?.({ name, options: record.options });
        if (isEmpty !== true) return;
        await this.#records.put({ ...record, populated: 'underway' });
      }
      const { populated: _, ...before } = record;
      await this.#records.put((await populate()) ? { ...before, populated: 'done' } : before);
    });
  }

  /** docker's document. */
  view(record: VolumeRecord): Volume {
    const driver = this.#options.drivers.find(({ name }) => name === record.driver);
    return {
      CreatedAt: record.createdAt,
      Driver: record.driver,
      Labels: Object.keys(record.labels).length === 0 ? null : record.labels,
      Mountpoint: driver?.mountpoint({ name: record.key, options: record.options }) ?? '',
      Name: record.key,
      Options: Object.keys(record.options).length === 0 ? null : record.options,
      Scope: driver?.scope ?? 'local',
    };
  }

  users(): Promise<readonly VolumeUser[]> {
    return this.#options.users();
  }

  async #locked<T>(name: string, action: () => Promise<T>): Promise<T> {
    const { locks, createHasher } = this.#options;
    // A name may be as long as a file's name can be.
    const { hex: id } = digestParts(digestOf(createHasher, new TextEncoder().encode(name)));
    const lock = await locks.acquire(`volume-${id}`);
    try {
      return await action();
    } finally {
      await lock.release();
    }
  }
}

function isName(name: string): boolean {
  try {
    checkVolumeName(name);
    return true;
  } catch {
    return false;
  }
}

function sameOptions(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const text = (options: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(options).sort());
  return text(a) === text(b);
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** To the second, as docker gives it. */
function rfc3339(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}
