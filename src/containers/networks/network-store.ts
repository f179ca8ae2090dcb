/** Networks on disk, and the addresses containers have in them. */
import { WctrError } from '../../errors.ts';
import type { FileSystem, Locks } from '../../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../../images/digest.ts';
import { RecordFiles } from '../../images/store/records.ts';
import type { EndpointSettings } from '../../spec/engine-api.ts';
import { checkAddress, freeAddress, macOf, prefixOf } from './pools.ts';
import { BRIDGE_POOL, DEFAULT_NETWORKS, type DefaultNetwork, isDefaultNetwork, type NetworkRecord } from './record.ts';

export interface NetworkStoreOptions {
  readonly fs: FileSystem;
  /** Data root of the store. */
  readonly root: string;
  readonly createHasher: CreateHasher;
  readonly locks: Locks;
  readonly randomBytes: (length: number) => Uint8Array;
  /** Whether this container still has a record, and whether it runs. */
  readonly containerState: (id: string) => Promise<'running' | 'stopped' | 'gone'>;
}

/** Leases of containers that went without giving theirs back are looked for whenever there are so many more. */
const SWEEP_EVERY = 32;

export class NetworkStore {
  readonly #options: NetworkStoreOptions;
  readonly #records: RecordFiles<NetworkRecord>;

  constructor(options: NetworkStoreOptions) {
    this.#options = options;
    this.#records = new RecordFiles({
      fs: options.fs,
      dir: `${options.root}/networks`,
      tempDir: `${options.root}/tmp`,
      createHasher: options.createHasher,
      what: 'network record',
    });
  }

  /** Docker's three first, then by time. */
  async list(): Promise<NetworkRecord[]> {
    const stored = await this.#records.list(() => {});
    const defaults = DEFAULT_NETWORKS.map((name) => stored.find((one) => one.name === name) ?? this.#default(name));
    const own = stored.filter(({ name }) => !isDefaultNetwork(name));
    return [...defaults, ...own.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))];
  }

  /** By name, id, or the beginning of an id. Throws 'not-found', 'conflict' when several ids begin so. */
  async find(name: string): Promise<NetworkRecord> {
    const wanted = name === 'default' || name === '' ? 'bridge' : name;
    const all = await this.list();
    const exact = all.find(({ key }) => key === wanted) ?? all.find((one) => one.name === wanted);
    if (exact !== undefined) return exact;
    const matching = /^[0-9a-f]+$/.test(wanted) ? all.filter(({ key }) => key.startsWith(wanted)) : [];
    if (matching.length > 1) {
      throw new WctrError('conflict', `several networks have an id that begins with ${wanted}`);
    }
    if (matching.length === 1) return matching[0]!;
    throw new WctrError('not-found', `network ${name} not found`, { data: { name } });
  }

  async locked<T>(action: () => Promise<T>): Promise<T> {
    const lock = await this.#options.locks.acquire('networks');
    try {
      return await action();
    } finally {
      await lock.release();
    }
  }

  async put(record: NetworkRecord): Promise<void> {
    await this.#options.fs.mkdir(`${this.#options.root}/networks`, { recursive: true });
    await this.#records.put(record);
  }

  remove(record: NetworkRecord): Promise<void> {
    return this.#records.delete(record.key);
  }

  newId(): string {
    return [...this.#options.randomBytes(32)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  /**
   * The container's place on a network: the address it asks for, the one it had, or the least free one. Throws
   * 'not-found', 'forbidden' (address in use), 'invalid-argument', 'conflict' (none left).
   */
  lease(networkName: string, container: string, asked: EndpointSettings): Promise<EndpointSettings> {
    return this.locked(async () => {
      const network = await this.find(networkName);
      const pool = network.pools[0];
      const common = { ...asked, NetworkID: network.key, EndpointID: this.newId() };
      if (pool === undefined) return { ...common, Gateway: '', IPAddress: '', IPPrefixLen: 0, MacAddress: '' };
      const { [container]: before, ...others } = await this.#swept(network);
      const wanted = asked.IPAMConfig?.IPv4Address;
      let address: string;
      if (wanted !== undefined && wanted !== '') {
        checkAddress(pool, wanted);
        const holder = Object.keys(others).find((id) => others[id] === wanted);
        if (holder !== undefined) {
          if ((await this.#options.containerState(holder)) === 'running') {
            throw new WctrError('forbidden', 'Address already in use', { data: { address: wanted } });
          }
          delete others[holder];
        }
        address = wanted;
      } else {
        const used = new Set(Object.values(others));
        address = before !== undefined && !used.has(before) ? before : freeAddress(pool, used);
      }
      await this.put({ ...network, leases: { ...others, [container]: address } });
      return {
        ...common,
        Gateway: pool.Gateway ?? '',
        IPAddress: address,
        IPPrefixLen: prefixOf(pool),
        MacAddress: asked.MacAddress !== undefined && asked.MacAddress !== '' ? asked.MacAddress : macOf(address),
      };
    });
  }

  async release(networkId: string, container: string): Promise<void> {
    await this.locked(async () => {
      const network = (await this.list()).find(({ key }) => key === networkId);
      if (network === undefined || network.leases[container] === undefined) return;
      const { [container]: _, ...leases } = network.leases;
      await this.put({ ...network, leases });
    });
  }

  async #swept({ leases }: NetworkRecord): Promise<Record<string, string>> {
    const ids = Object.keys(leases);
    if (ids.length === 0 || ids.length % SWEEP_EVERY !== 0) return { ...leases };
    const states = await Promise.all(ids.map((id) => this.#options.containerState(id)));
    return Object.fromEntries(Object.entries(leases).filter((_, i) => states[i] !== 'gone'));
  }

  /** The same id in every process, without a file. */
  #default(name: DefaultNetwork): NetworkRecord {
    const { createHasher, root } = this.#options;
    const { hex } = digestParts(digestOf(createHasher, new TextEncoder().encode(`network ${name} of ${root}`)));
    return {
      key: hex,
      name,
      createdAt: '2024-01-01T00:00:00Z',
      driver: name === 'none' ? 'null' : name,
      internal: false,
      attachable: false,
      ipamDriver: 'default',
      ipamOptions: null,
      pools: name === 'bridge' ? [BRIDGE_POOL] : [],
      chosenSubnet: false,
      options: {},
      labels: {},
      leases: {},
    };
  }
}
