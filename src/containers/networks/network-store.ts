/** Networks on disk, and the addresses containers have in them. */
import { WctrError } from '../../errors.ts';
import { formatAddress, parseAddress } from '../../host/network/address.ts';
import { parseSubnet, subnetHolds } from '../../host/network/subnet.ts';
import type { FileSystem, Locks } from '../../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../../images/digest.ts';
import { RecordFiles } from '../../images/store/records.ts';
import type { EndpointSettings, IpamPool } from '../../spec/engine-api.ts';
import { checkAddress, freeAddress, macOf, prefixOf } from './pools.ts';
import {
  BRIDGE_POOL,
  DEFAULT_NETWORKS,
  type DefaultNetwork,
  isDefaultNetwork,
  type NetworkRecord,
  poolOf,
} from './record.ts';

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

  /** 40 bits that are this store's own. */
  globalId(): Uint8Array {
    const { hex } = this.#digest('addresses');
    return Uint8Array.from({ length: 5 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
  }

  /**
   * The container's place on a network: the addresses it asks for, those it had, or the least free ones. Throws
   * 'not-found', 'forbidden' (address in use), 'invalid-argument', 'conflict' (none left).
   */
  lease(networkName: string, container: string, asked: EndpointSettings): Promise<EndpointSettings> {
    return this.locked(async () => {
      const network = await this.find(networkName);
      const [pool, pool6] = [poolOf(network, 4), poolOf(network, 6)];
      const common = { ...asked, NetworkID: network.key, EndpointID: this.newId() };
      if (pool === undefined) return { ...common, Gateway: '', IPAddress: '', IPPrefixLen: 0, MacAddress: '' };
      const ipam = asked.IPAMConfig;
      const leases = await this.#leased(network.leases, pool, container, ipam?.IPv4Address);
      const leases6 =
        pool6 === undefined
          ? undefined
          : await this.#leased(network.leases6 ?? {}, pool6, container, canonical(ipam?.IPv6Address));
      await this.put({ ...network, leases, ...(leases6 === undefined ? {} : { leases6 }) });
      const address = leases[container]!;
      return {
        ...common,
        Gateway: pool.Gateway ?? '',
        IPAddress: address,
        IPPrefixLen: prefixOf(pool),
        ...(pool6 === undefined
          ? { IPv6Gateway: '', GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0 }
          : {
              IPv6Gateway: pool6.Gateway ?? '',
              GlobalIPv6Address: leases6![container]!,
              GlobalIPv6PrefixLen: prefixOf(pool6),
            }),
        MacAddress: asked.MacAddress !== undefined && asked.MacAddress !== '' ? asked.MacAddress : macOf(address),
      };
    });
  }

  async release(networkId: string, container: string): Promise<void> {
    await this.locked(async () => {
      const network = (await this.list()).find(({ key }) => key === networkId);
      if (network === undefined || network.leases[container] === undefined) return;
      const { [container]: _, ...leases } = network.leases;
      const { [container]: __, ...leases6 } = network.leases6 ?? {};
      await this.put({ ...network, leases, ...(network.leases6 === undefined ? {} : { leases6 }) });
    });
  }

  /** Gives back the addresses of containers that are gone: one that removes itself gives none back. */
  async sweep(): Promise<void> {
    await this.locked(async () => {
      for (const network of await this.list()) {
        const leases = await this.#alive(network.leases);
        const leases6 = network.leases6 === undefined ? undefined : await this.#alive(network.leases6);
        if (Object.keys(leases).length === Object.keys(network.leases).length) continue;
        await this.put({ ...network, leases, ...(leases6 === undefined ? {} : { leases6 }) });
      }
    });
  }

  async #leased(
    leases: Readonly<Record<string, string>>,
    pool: IpamPool,
    container: string,
    wanted: string | undefined,
  ): Promise<Record<string, string>> {
    const { [container]: before, ...others } = await this.#swept(leases);
    if (wanted === undefined || wanted === '') {
      const used = new Set(Object.values(others));
      const kept = before !== undefined && !used.has(before) && inPool(pool, before);
      return { ...others, [container]: kept ? before : freeAddress(pool, used) };
    }
    checkAddress(pool, wanted);
    const holder = Object.keys(others).find((id) => others[id] === wanted);
    if (holder !== undefined) {
      if ((await this.#options.containerState(holder)) === 'running') {
        throw new WctrError('forbidden', 'Address already in use', { data: { address: wanted } });
      }
      delete others[holder];
    }
    return { ...others, [container]: wanted };
  }

  async #swept(leases: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const count = Object.keys(leases).length;
    return count === 0 || count % SWEEP_EVERY !== 0 ? { ...leases } : this.#alive(leases);
  }

  async #alive(leases: Readonly<Record<string, string>>): Promise<Record<string, string>> {
    const ids = Object.keys(leases);
    const states = await Promise.all(ids.map((id) => this.#options.containerState(id)));
    return Object.fromEntries(Object.entries(leases).filter((_, i) => states[i] !== 'gone'));
  }

  #digest(what: string): { readonly hex: string } {
    const { createHasher, root } = this.#options;
    return digestParts(digestOf(createHasher, new TextEncoder().encode(`network ${what} of ${root}`)));
  }

  /** The same id in every process, without a file. */
  #default(name: DefaultNetwork): NetworkRecord {
    return {
      key: this.#digest(name).hex,
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

/** An address of a lease from before a network was made anew with other subnets is none of this one. */
function inPool({ Subnet = '' }: IpamPool, text: string): boolean {
  const [subnet, address] = [parseSubnet(Subnet), parseAddress(text)];
  return subnet !== undefined && address !== undefined && subnetHolds(subnet, address);
}

/** IPv6 has many spellings of an address; leases have one. */
function canonical(text: string | undefined): string | undefined {
  const address = parseAddress(text ?? '');
  return address === undefined ? text : formatAddress(address);
}
