/**
 * What `ps` needs of every record, in one file: `<root>/containers.list`. It is a copy that anybody may delete, and is
 * believed as long as the directory of the records has the time it had when the copy was made: every change of a record
 * is a rename into that directory. A time is trusted once it is so old that no later change can have the same one.
 */
import type { FileSystem } from '../host/ports.ts';
import { writeAtomically } from '../images/store/durable.ts';
import type { ContainerConfig, EndpointSettings, HostConfig } from '../spec/engine-api.ts';
import type { ContainerRecord } from './record.ts';

/** The part of a record that lists, and what they ask about a container's process, are made of. */
export type ListedContainer = Pick<
  ContainerRecord,
  | 'key'
  | 'name'
  | 'createdAt'
  | 'image'
  | 'imageId'
  | 'args'
  | 'mounts'
  | 'networks'
  | 'ports'
  | 'isolation'
  | 'managed'
  | 'restartCount'
  | 'stoppedByUser'
  | 'state'
> & {
  readonly config: Pick<ContainerConfig, 'Labels' | 'ExposedPorts'>;
  readonly hostConfig: Pick<HostConfig, 'AutoRemove' | 'NetworkMode' | 'PortBindings' | 'RestartPolicy'>;
};

interface Listing {
  readonly version: typeof VERSION;
  readonly mtimeMs: number;
  readonly containers: readonly ListedContainer[];
}

const VERSION = 1;

/** The coarsest file times that are in use have two seconds. */
const TRUSTED_MS = 2500;

export interface ContainerListingOptions {
  readonly fs: FileSystem;
  readonly root: string;
}

export class ContainerListing {
  readonly #options: ContainerListingOptions;

  constructor(options: ContainerListingOptions) {
    this.#options = options;
  }

  /** What `read` gives, or the copy of it that is there. A new copy is made when that is possible; it need not be. */
  async of(read: () => Promise<readonly ContainerRecord[]>): Promise<readonly ListedContainer[]> {
    const mtimeMs = await this.#changed();
    const known = mtimeMs === undefined ? undefined : await this.#load();
    if (known !== undefined && known.mtimeMs === mtimeMs) return known.containers;
    const containers = (await read()).map(listed);
    const isOld = mtimeMs !== undefined && Date.now() - mtimeMs > TRUSTED_MS;
    if (isOld) await this.#save({ version: VERSION, mtimeMs, containers }).catch(() => {});
    return containers;
  }

  get #path(): string {
    return `${this.#options.root}/containers.list`;
  }

  async #changed(): Promise<number | undefined> {
    const { fs, root } = this.#options;
    try {
      return (await fs.stat(`${root}/containers`)).mtimeMs;
    } catch {
      return undefined;
    }
  }

  async #load(): Promise<Listing | undefined> {
    try {
      const listing = JSON.parse(new TextDecoder().decode(await this.#options.fs.readFile(this.#path))) as Listing;
      return listing.version === VERSION ? listing : undefined;
    } catch {
      return undefined;
    }
  }

  async #save(listing: Listing): Promise<void> {
    const { fs, root } = this.#options;
    await writeAtomically(fs, `${root}/tmp`, this.#path, new TextEncoder().encode(JSON.stringify(listing)));
  }
}

/** Without what says nothing, which is most of it. */
function said(endpoint: EndpointSettings): EndpointSettings {
  return Object.fromEntries(
    Object.entries(endpoint).filter(([, value]) => value !== null && value !== '' && value !== 0),
  );
}

function listed(record: ContainerRecord): ListedContainer {
  const { key, name, createdAt, image, imageId, args, mounts, networks, ports, isolation, managed } = record;
  const { restartCount, stoppedByUser, state } = record;
  const { Labels, ExposedPorts } = record.config;
  const { AutoRemove, NetworkMode, PortBindings, RestartPolicy } = record.hostConfig;
  return {
    key,
    name,
    createdAt,
    image,
    imageId,
    args,
    mounts,
    networks: Object.fromEntries(Object.entries(networks).map(([name, endpoint]) => [name, said(endpoint)])),
    ports,
    isolation,
    managed,
    restartCount,
    stoppedByUser,
    // Of a health check only how it stands: the outputs of the last ones are what is long.
    state: state.health === undefined ? state : { ...state, health: { ...state.health, Log: [] } },
    config: { Labels, ...(ExposedPorts === undefined ? {} : { ExposedPorts }) },
    hostConfig: {
      ...(AutoRemove === undefined ? {} : { AutoRemove }),
      ...(NetworkMode === undefined ? {} : { NetworkMode }),
      ...(PortBindings === undefined ? {} : { PortBindings }),
      ...(RestartPolicy === undefined ? {} : { RestartPolicy }),
    },
  };
}
