import { isRunning } from '../containers/records.ts';
import { imageDiskUsage } from '../images/disk-usage.ts';
import { diskUsage } from '../images/gc.ts';
import { collectorOptions } from './collector.ts';
import type { DiskUsage, SystemUseCases } from './engine.ts';
import type { EngineParts } from './parts.ts';

export class LocalSystem implements Omit<SystemUseCases, 'events'> {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async info(): Promise<Record<string, unknown>> {
    const { host, images, containers, layout, sandboxes, version } = this.#parts;
    const records = await containers.list();
    const running = records.filter(({ state }) => isRunning(state, host.isAlive)).length;
    const facts = host.facts();
    return {
      Containers: records.length,
      ContainersRunning: running,
      ContainersStopped: records.length - running,
      Images: new Set((await images.records(() => {})).map(({ id }) => id)).size,
      Driver: 'layer-index',
      OSType: 'wasi',
      Architecture: 'wasm',
      Platforms: ['wasip1/wasm', 'wasi/wasm', 'wasi/wasm32'],
      Isolations: sandboxes.available,
      DefaultIsolation: sandboxes.default,
      Runtime: facts.runtime,
      OperatingSystem: `${facts.os}/${facts.architecture}`,
      NCPU: facts.cpus,
      MemTotal: facts.memoryBytes,
      Name: facts.hostname,
      DockerRootDir: layout.root,
      ServerVersion: version,
    };
  }

  async version(): Promise<Record<string, unknown>> {
    const { host, version } = this.#parts;
    const facts = host.facts();
    return {
      Version: version,
      Runtime: facts.runtime,
      Os: facts.os,
      Arch: facts.architecture,
      Wasi: 'preview1, snapshot 0',
    };
  }

  async diskUsage(): Promise<DiskUsage> {
    const { containers, fs, layout, host } = this.#parts;
    const records = await containers.list();
    const usage = await imageDiskUsage(collectorOptions(this.#parts), async (id) => {
      return records.filter(({ imageId }) => imageId === id).length;
    });
    const running = records.filter(({ state }) => isRunning(state, host.isAlive)).length;
    // Unfinished transfers, and the compiled code of the command itself.
    const temporary = (await diskUsage(fs, layout.tmp)) + (await diskUsage(fs, `${layout.root}/code`));
    return {
      images: {
        total: usage.imageCount,
        active: usage.activeCount,
        sizeBytes: usage.totalBytes,
        reclaimableBytes: usage.reclaimableBytes,
      },
      containers: { total: records.length, active: running, sizeBytes: 0, reclaimableBytes: 0 },
      volumes: { total: 0, active: 0, sizeBytes: 0, reclaimableBytes: 0 },
      cache: { total: 0, active: 0, sizeBytes: temporary, reclaimableBytes: temporary },
    };
  }
}
