/** Volumes as users see them. */
import { ANONYMOUS_LABEL } from '../containers/volumes/volume-name.ts';
import type { VolumeRecord, VolumeStore } from '../containers/volumes/volume-store.ts';
import { isWctrError } from '../errors.ts';
import type { Filters, Volume, VolumeCreateRequest } from '../spec/engine-api.ts';
import type { VolumeUseCases } from './engine.ts';
import { matchesLabels, readFilters } from './filters.ts';

export class LocalVolumes implements VolumeUseCases {
  readonly #volumes: VolumeStore;

  constructor(volumes: VolumeStore) {
    this.#volumes = volumes;
  }

  async create(request: VolumeCreateRequest): Promise<Volume> {
    return this.#volumes.view(await this.#volumes.create(request));
  }

  async list(given: Filters = {}): Promise<{ Volumes: readonly Volume[]; Warnings: null }> {
    const filters = readFilters(given, ['dangling', 'driver', 'label', 'name']);
    const used = await this.#used();
    const dangling = filters.dangling?.[0];
    const isKept = ({ key, driver, labels }: VolumeRecord) =>
      (filters.driver === undefined || filters.driver.includes(driver)) &&
      (filters.name === undefined || filters.name.some((part) => key.includes(part))) &&
      (dangling === undefined || used.has(key) !== isTrue(dangling)) &&
      matchesLabels(labels, filters);
    const records = (await this.#volumes.list()).filter(isKept);
    return { Volumes: records.map((record) => this.#volumes.view(record)), Warnings: null };
  }

  async inspect(name: string): Promise<Volume> {
    return this.#volumes.view(await this.#volumes.get(name));
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    try {
      await this.#volumes.remove(name);
    } catch (error) {
      if (options.force !== true || !isWctrError(error, 'not-found')) throw error;
    }
  }

  async prune(given: Filters = {}): Promise<{ VolumesDeleted: readonly string[]; SpaceReclaimed: number }> {
    const filters = readFilters(given, ['all', 'label', 'label!']);
    const all = filters.all?.some(isTrue) ?? false;
    const used = await this.#used();
    const deleted: string[] = [];
    let reclaimed = 0;
    for (const record of await this.#volumes.list()) {
      if (used.has(record.key) || !(all || Object.hasOwn(record.labels, ANONYMOUS_LABEL))) continue;
      if (!matchesLabels(record.labels, filters)) continue;
      const size = (await this.#volumes.sizeBytes(record)) ?? 0;
      if (!(await this.#volumes.removeUnused(record.key))) continue;
      deleted.push(record.key);
      reclaimed += size;
    }
    return { VolumesDeleted: deleted, SpaceReclaimed: reclaimed };
  }

  /** Every volume with what it takes and how many containers have it: for `system df`. */
  async usage(): Promise<Volume[]> {
    const used = await this.#used();
    const views = (await this.#volumes.list()).map(async (record): Promise<Volume> => {
      const Size = (await this.#volumes.sizeBytes(record)) ?? -1;
      return { ...this.#volumes.view(record), UsageData: { Size, RefCount: used.get(record.key) ?? 0 } };
    });
    return Promise.all(views);
  }

  async #used(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (const { volumes } of await this.#volumes.users()) {
      for (const name of new Set(volumes)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }
}

function isTrue(text: string): boolean {
  return /^(1|t|true)$/i.test(text);
}
