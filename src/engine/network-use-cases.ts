import { hostsFile, type LinkedHost, resolvFile } from '../containers/networks/etc-files.ts';
import { NetworkStore } from '../containers/networks/network-store.ts';
import { joinedPlan, networkPlan, parseLink, publishPlan, sharedWith } from '../containers/networks/plan.ts';
import { choosePools, macOf } from '../containers/networks/pools.ts';
import { isDefaultNetwork, type NetworkRecord } from '../containers/networks/record.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { controlSocketName } from '../containers/records.ts';
import { WctrError } from '../errors.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type {
  ContainerCreateRequest,
  EndpointSettings,
  Filters,
  Network,
  NetworkCreateRequest,
} from '../spec/engine-api.ts';
import type { AttachedContainer, ContainerNetworks, PlannedNetworks } from './container-context.ts';
import type { NetworkUseCases } from './engine.ts';
import { matchesLabels, readFilters } from './filters.ts';
import {
  checkEndpoint,
  checkHostNetwork,
  checkRequest,
  checkShared,
  macAddressOf,
  timeOf,
} from './network-requests.ts';
import { isOn, isRunning, networkView, withNames } from './network-views.ts';
import type { EngineParts } from './parts.ts';

const FILTERS = ['driver', 'id', 'label', 'label!', 'name', 'scope', 'type', 'dangling'] as const;
const PRUNE_FILTERS = ['label', 'label!', 'until'] as const;

type ChosenNetworks = Readonly<Record<string, EndpointSettings>>;

/** Networks of this store, and the places containers have on them. */
export class LocalNetworks implements NetworkUseCases, ContainerNetworks {
  readonly #parts: EngineParts;
  readonly #store: NetworkStore;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#store = new NetworkStore({
      fs: parts.fs,
      root: parts.layout.root,
      createHasher: parts.createHasher,
      locks: parts.locks,
      randomBytes: (length) => parts.host.randomBytes(length),
      containerState: async (id) => {
        const record = await parts.containers.get(id);
        return record === undefined ? 'gone' : isRunning(record) ? 'running' : 'stopped';
      },
    });
  }

  async create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }> {
    const { Name, IPAM } = request;
    checkRequest(request);
    const pools = IPAM?.Config ?? [];
    const ipv6 = request.EnableIPv6 === true;
    const network = await this.#store.locked(async () => {
      const all = await this.#store.list();
      if (all.some(({ name }) => name === Name)) {
        throw new WctrError('conflict', `network with name ${Name} already exists`, { data: { name: Name } });
      }
      const used = all.flatMap((one) => one.pools.map(({ Subnet }) => Subnet ?? ''));
      const created: NetworkRecord = {
        key: this.#store.newId(),
        name: Name,
        createdAt: new Date().toISOString(),
        driver: 'bridge',
        internal: request.Internal === true,
        attachable: request.Attachable === true,
        ipamDriver: 'default',
        ipamOptions: IPAM?.Options ?? {},
        pools: choosePools(pools, { used, ipv6, globalId: this.#store.globalId() }),
        ...(ipv6 ? { ipv6 } : {}),
        chosenSubnet: pools.some(({ Subnet = '' }) => Subnet !== '' && !Subnet.includes(':')),
        ...(pools.some(({ Subnet = '' }) => Subnet.includes(':')) ? { chosenSubnet6: true } : {}),
        options: request.Options ?? {},
        labels: request.Labels ?? {},
        leases: {},
      };
      await this.#store.put(created);
      return created;
    });
    await this.#event(network, 'create');
    return { Id: network.key, Warning: '' };
  }

  async list(filters: Filters = {}): Promise<Network[]> {
    const wanted = readFilters(filters, FILTERS);
    const [networks, containers] = await Promise.all([this.#store.list(), this.#parts.containers.list()]);
    const dangling = wanted.dangling?.map((value) => value === 'true' || value === '1');
    return networks
      .filter((one) => {
        const isCustom = !isDefaultNetwork(one.name);
        return (
          any(wanted.name, (text) => one.name.includes(text)) &&
          any(wanted.id, (text) => one.key.startsWith(text)) &&
          any(wanted.driver, (text) => one.driver === text) &&
          any(wanted.scope, (text) => text === 'local') &&
          any(wanted.type, (text) => text === (isCustom ? 'custom' : 'builtin')) &&
          matchesLabels(one.labels, wanted) &&
          any(dangling, (value) => value === (isCustom && !containers.some((record) => isOn(record, one))))
        );
      })
      .map((one) => networkView(one, []));
  }

  async inspect(name: string): Promise<Network> {
    const network = await this.#store.find(name);
    return networkView(network, await this.#parts.containers.list());
  }

  async remove(name: string): Promise<void> {
    const network = await this.#store.find(name);
    if (isDefaultNetwork(network.name)) {
      throw new WctrError('forbidden', `${network.name} is a pre-defined network and cannot be removed`);
    }
    await this.#store.locked(async () => {
      const active = (await this.#parts.containers.list()).filter((one) => isOn(one, network) && isRunning(one));
      if (active.length > 0) {
        const endpoints = active.map((one) => `name:"${one.name}" id:"${one.key.slice(0, 12)}"`).join(', ');
        throw new WctrError(
          'forbidden',
          `error while removing network: network ${network.name} id ${network.key} has active endpoints (${endpoints})`,
          {
            hint: 'stop or disconnect those containers first',
            data: { network: network.name },
          },
        );
      }
      await this.#store.remove(network);
    });
    const { processes } = this.#parts.host;
    if (processes !== undefined) {
      const short = network.key.slice(0, 10);
      const directory = `${processes.runDirectory()}/net`;
      await this.#parts.fs.rm(`${directory}/s${short}`, { force: true });
      await this.#parts.fs.rm(`${directory}/${short}`, { recursive: true, force: true });
    }
    await this.#event(network, 'destroy');
  }

  async prune(filters: Filters = {}): Promise<{ NetworksDeleted: readonly string[] }> {
    const wanted = readFilters(filters, PRUNE_FILTERS);
    const until = wanted.until?.[0];
    const before = until === undefined ? Number.POSITIVE_INFINITY : timeOf(until);
    const deleted: string[] = [];
    await this.#store.sweep();
    const containers = await this.#parts.containers.list();
    for (const network of await this.#store.list()) {
      if (isDefaultNetwork(network.name) || containers.some((record) => isOn(record, network))) continue;
      if (!matchesLabels(network.labels, wanted) || Date.parse(network.createdAt) > before) continue;
      const gone = await this.remove(network.key).then(
        () => true,
        () => false,
      );
      if (gone) deleted.push(network.name);
    }
    return { NetworksDeleted: deleted };
  }

  async connect(name: string, container: string, settings: EndpointSettings = {}): Promise<void> {
    const network = await this.#store.find(name);
    const record = await this.#parts.containers.find(container);
    if (isOn(record, network)) {
      throw new WctrError('forbidden', `endpoint with name ${record.name} already exists in network ${network.name}`);
    }
    if (network.name === 'host' || network.name === 'none' || Object.hasOwn(record.networks, 'host')) {
      throw new WctrError(
        'forbidden',
        'container cannot be disconnected from host network or connected to host network',
      );
    }
    checkEndpoint(network, settings);
    const asked = { ...settings, NetworkID: network.key };
    const endpoint = isRunning(record) ? await this.#store.lease(network.key, record.key, asked) : asked;
    await this.#changed(record.key, (networks) => {
      const { none: _, ...others } = networks;
      return { ...others, [network.name]: withNames(endpoint, record) };
    });
    await this.#event(network, 'connect', record);
  }

  async disconnect(name: string, container: string, options: { force?: boolean } = {}): Promise<void> {
    const network = await this.#store.find(name);
    const record = await this.#parts.containers.find(container).catch((error: unknown) => {
      if (options.force === true) return undefined;
      throw error;
    });
    if (record === undefined) return;
    if (network.name === 'host') {
      throw new WctrError(
        'forbidden',
        'container cannot be disconnected from host network or connected to host network',
      );
    }
    if (!isOn(record, network)) {
      throw new WctrError('forbidden', `container ${record.key} is not connected to network ${network.name}`);
    }
    await this.#changed(record.key, (networks) => {
      const others = Object.entries(networks).filter(
        ([key, { NetworkID }]) => key !== network.name && NetworkID !== network.key,
      );
      return others.length === 0 ? { none: {} } : Object.fromEntries(others);
    });
    await this.#store.release(network.key, record.key);
    await this.#event(network, 'disconnect', record);
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
    const plan = await this.#planOf({ ...record, networks });
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
    const owned = await this.#planOf(owner);
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

  async renamed(record: ContainerRecord): Promise<void> {
    await this.#changed(record.key, (networks) =>
      Object.fromEntries(Object.entries(networks).map(([name, endpoint]) => [name, withNames(endpoint, record)])),
    );
  }

  async #planOf(record: ContainerRecord): Promise<NetworkPlan> {
    const directory = `${this.#parts.host.processes?.runDirectory() ?? ''}/net`;
    return networkPlan(record, await this.#store.list(), directory);
  }

  /** Writes the record, and tells the container's process if there is one. */
  async #changed(id: string, change: (networks: ChosenNetworks) => ChosenNetworks): Promise<void> {
    const record = await this.#parts.containers.change(id, (current) => ({
      ...current,
      networks: change(current.networks),
    }));
    const { processes } = this.#parts.host;
    if (record === undefined || !record.managed || !isRunning(record) || processes === undefined) return;
    const plan = await this.#planOf(record);
    const socket = `${processes.runDirectory()}/${controlSocketName(record.key)}`;
    const session = await (await processes.containers()).connect(socket, { op: 'networks.changed', plan });
    session.close();
  }

  #event(network: NetworkRecord, action: string, record?: ContainerRecord): Promise<void> {
    return this.#parts.events.append({
      Type: 'network',
      Action: action,
      Actor: {
        ID: network.key,
        Attributes: {
          name: network.name,
          type: network.driver,
          ...(record === undefined ? {} : { container: record.key }),
        },
      },
    });
  }
}

function any<T>(values: readonly T[] | undefined, matches: (value: T) => boolean): boolean {
  return values === undefined || values.some(matches);
}
