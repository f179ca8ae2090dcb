/** Binds and tmpfs of containers; volumes when the volume service is there. */
import type { ContainerRecord } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { SandboxMount } from '../host/sandbox.ts';
import type { ContainerCreateRequest, MountPoint } from '../spec/engine-api.ts';
import type { ContainerMounts } from './container-context.ts';
import type { EngineParts } from './parts.ts';

export class LocalMounts implements ContainerMounts {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async resolve(record: ContainerRecord, _request: ContainerCreateRequest): Promise<readonly MountPoint[]> {
    const { paths } = this.#parts.host;
    const found: MountPoint[] = [];
    for (const bind of record.hostConfig.Binds ?? []) {
      const [source = '', destination = '', options = ''] = bind.split(':');
      if (!source.startsWith('/')) throw new WctrError('unsupported', `named volumes are not supported yet: ${bind}`);
      if (paths !== undefined && (await paths.kind(source)) === undefined) await paths.makeDirectory(source);
      found.push({
        Type: 'bind',
        Source: source,
        Destination: destination,
        Mode: options,
        RW: !/\bro\b/.test(options),
        Propagation: 'rprivate',
      });
    }
    return found;
  }

  async prepare(record: ContainerRecord): Promise<readonly SandboxMount[]> {
    const tmpfs = Object.keys(record.hostConfig.Tmpfs ?? {}).map((destination) => ({
      type: 'tmpfs' as const,
      destination,
    }));
    return [
      ...record.mounts.map(({ Source, Destination, RW }) => ({
        type: 'bind' as const,
        source: Source,
        destination: Destination,
        readonly: !RW,
      })),
      ...tmpfs,
    ];
  }

  async release(): Promise<void> {}
}
