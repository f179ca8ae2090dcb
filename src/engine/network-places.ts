/** The places containers have on networks: chosen when they are created, leased at each start, given back at the end. */
import { hostsFile, type LinkedHost, resolvFile } from '../containers/networks/etc-files.ts';
import type { NetworkStore } from '../containers/networks/network-store.ts';
import { joinedPlan, networkPlan, parseLink, publishPlan, sharedWith } from '../containers/networks/plan.ts';
import { macOf } from '../containers/networks/pools.ts';
import type { NetworkRecord } from '../containers/networks/record.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type { ContainerCreateRequest, EndpointSettings } from '../spec/engine-api.ts';
import type { AttachedContainer, PlannedNetworks } from './container-context.ts';
import { checkEndpoint, checkHostNetwork, checkShared, macAddressOf } from './network-requests.ts';
import { isRunning, withNames } from './network-views.ts';
import type { EngineParts } from './parts.ts';

type ChosenNetworks = Readonly<Record<string, EndpointSettings>>;

export class NetworkPlaces {
  readonly #parts: EngineParts;
  readonly #store: NetworkStore;

  constructor(parts: EngineParts, store: NetworkStore) {
    this.#parts = parts;
    this.#store = store;
  }

  async attach(record: ContainerRecord, request: ContainerCreateRequest): Promise<AttachedContainer> {
    const { config, hostConfig } = record;
    const mode = hostConfig.NetworkMode ?? '';
    const shared = sharedWith(hostConfig);
    if (shared !== undefined) {
      checkShared(request);
      const owner = await this.#parts.containers.find(shared);
      const { Hostname, Domainname } = owner.config;
      return {
        networks: {},
        config: { ...config, Hostname, Domainname },
        hostConfig: { ...hostConfig, NetworkMode: `container:${owner.key}` },
      };
    }
    // Wrong ports are found now rather than at the start.
    publishPlan(record);
    const first = await this.#store.find(mode);
    if (first.name === 'host') {
      checkHostNetwork(hostConfig);
      const Hostname = (request.Hostname ?? '') === '' ? this.#parts.host.facts().hostname : config.Hostname;
      return { networks: await this.#chosen(record, first, request), config: { ...config, Hostname }, hostConfig };
    }
    if (first.name === 'bridge') for (const link of hostConfig.Links ?? []) await this.#linked(link);
    return { networks: await this.#chosen(record, first, request), config, hostConfig };
  }

  async #chosen(
    record: ContainerRecord,
    first: NetworkRecord,
    request: ContainerCreateRequest,
  ): Promise<ChosenNetworks> {
    const mode = record.hostConfig.NetworkMode ?? '';
    const asked = Object.entries(request.NetworkingConfig?.EndpointsConfig ?? {});
    const chosen: Record<string, EndpointSettings> = {};
    const own = asked.find(
      ([key]) =>
        key === mode || key === first.name || key === first.key || (key === 'default' && first.name === 'bridge'),
    );
    const mac = macAddressOf(request);
    chosen[first.name] = { ...(mac === '' ? {} : { MacAddress: mac }), ...own?.[1] };
    for (const [key, settings] of asked) {
      if (key === own?.[0]) continue;
      const network = await this.#store.find(key);
      if (first.pools.length === 0 || network.pools.length === 0) {
        throw new WctrError(
          'invalid-argument',
          'conflicting options: cannot attach both user-defined and non-user-defined network-modes',
        );
      }
      chosen[network.name] = settings ?? {};
    }
    const networks = await this.#store.list();
    return Object.fromEntries(
      Object.entries(chosen).map(([name, settings]) => {
        const network = networks.find((one) => one.name === name)!;
        checkEndpoint(network, settings);
        return [name, { ...withNames(settings, record), NetworkID: network.key }];
      }),
    );
  }

  async plan(record: ContainerRecord): Promise<PlannedNetworks> {
    const shared = sharedWith(record.hostConfig);
    if (shared !== undefined) return this.#sharedPlan(record, shared);
    const chosen =
      Object.keys(record.networks).length === 0
        ? (await this.attach(record, { Image: record.image })).networks
        : record.networks;
    const linked = await this.#linkedHosts(record);
    const networks: Record<string, EndpointSettings> = {};
    for (const [name, asked] of Object.entries(chosen)) {
      const { NetworkID, MacAddress = '', IPAddress = '' } = asked;
      const leased = await this.#store.lease(
        NetworkID !== undefined && NetworkID !== '' ? NetworkID : name,
        record.key,
        {
          ...asked,
          // What it had by itself last time is not what the user asked for.
          MacAddress: MacAddress === macOf(IPAddress) ? '' : MacAddress,
        },
      );
      networks[name] = withNames(leased, record);
    }
    const plan = await this.planOf({ ...record, networks });
    return { plan, networks, names: this.#names(record, plan, linked) };
  }

  async #sharedPlan(record: ContainerRecord, shared: string): Promise<PlannedNetworks> {
    const owner = await this.#parts.containers.find(shared);
    if (!isRunning(owner)) {
      throw new WctrError('conflict', `cannot join network of a non running container: ${owner.key}`, {
        hint: `start it first: wctr start ${owner.name}`,
      });
    }
    if (sharedWith(owner.hostConfig) !== undefined) {
      throw new WctrError('unsupported', `container ${owner.name} has its network from another one itself`);
    }
    const owned = await this.planOf(owner);
    const names = this.#names(owner, owned, await this.#linkedHosts(owner));
    return { plan: joinedPlan(record, owned), networks: {}, names };
  }

  #names({ hostConfig }: ContainerRecord, plan: NetworkPlan, linked: readonly LinkedHost[]): PlannedNetworks['names'] {
    return { hosts: hostsFile(plan, linked), resolv: resolvFile(plan, hostConfig.DnsOptions ?? []) };
  }

  /** Those that /etc/hosts names: of the default network, whose links are older than name resolution. */
  async #linkedHosts(record: ContainerRecord): Promise<readonly LinkedHost[]> {
    if (!Object.hasOwn(record.networks, 'bridge')) return [];
    const hosts: LinkedHost[] = [];
    for (const link of record.hostConfig.Links ?? []) {
      const [alias] = parseLink(link);
      const other = await this.#linked(link);
      if (!isRunning(other)) {
        throw new WctrError(
          'conflict',
          `Cannot link to a non running container: /${other.name} AS /${record.name}/${alias}`,
          { hint: `start it first: wctr start ${other.name}` },
        );
      }
      const address = other.networks.bridge?.IPAddress ?? '';
      const names = [...new Set([alias, other.key.slice(0, 12), other.name])];
      if (address !== '') hosts.push({ address, names });
    }
    return hosts;
  }

  #linked(link: string): Promise<ContainerRecord> {
    const [, name] = parseLink(link);
    return this.#parts.containers.find(name).catch((cause: unknown) => {
      throw new WctrError('invalid-argument', `could not get container for ${name}: ${(cause as Error).message}`, {
        cause,
      });
    });
  }

  async release(record: ContainerRecord): Promise<void> {
    for (const { NetworkID } of Object.values(record.networks)) {
      if (NetworkID !== undefined && NetworkID !== '') await this.#store.release(NetworkID, record.key);
    }
    // What is left of a process that was killed.
    const { processes } = this.#parts.host;
    if (processes === undefined || !record.managed) return;
    const loopback = `${processes.runDirectory()}/net/l${record.key.slice(0, 10)}`;
    await this.#parts.fs.rm(loopback, { recursive: true, force: true });
  }

  async planOf(record: ContainerRecord): Promise<NetworkPlan> {
    const directory = `${this.#parts.host.processes?.runDirectory() ?? ''}/net`;
    return networkPlan(record, await this.#store.list(), directory);
  }
}
