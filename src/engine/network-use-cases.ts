import { NetworkStore } from '../containers/networks/network-store.ts';
import { networkPlan, parseLink, publishPlan } from '../containers/networks/plan.ts';
import { checkAddress, choosePool } from '../containers/networks/pools.ts';
import { isDefaultNetwork, type NetworkRecord } from '../containers/networks/record.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type { EndpointSettings, Filters, Network, NetworkCreateRequest, NetworkingConfig } from '../spec/engine-api.ts';
import type { ContainerNetworks } from './container-context.ts';
import type { NetworkUseCases } from './engine.ts';
import { matchesLabels, readFilters } from './filters.ts';
import type { EngineParts } from './parts.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const FILTERS = ['driver', 'id', 'label', 'label!', 'name', 'scope', 'type', 'dangling'] as const;
const PRUNE_FILTERS = ['label', 'label!', 'until'] as const;
const RUNNING = new Set(['running', 'paused', 'restarting']);

export type ChosenNetworks = Readonly<Record<string, EndpointSettings>>;

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
        return record === undefined ? 'gone' : RUNNING.has(record.state.status) ? 'running' : 'stopped';
      },
    });
  }

  async create(request: NetworkCreateRequest): Promise<{ Id: string; Warning: string }> {
    const { Name, IPAM } = request;
    checkRequest(request);
    const pools = IPAM?.Config ?? [];
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
        pools: [choosePool(pools[0], used)],
        chosenSubnet: pools[0]?.Subnet !== undefined && pools[0].Subnet !== '',
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
      .map((one) => view(one, []));
  }

  async inspect(name: string): Promise<Network> {
    const network = await this.#store.find(name);
    return view(network, await this.#parts.containers.list());
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

  async attach(record: ContainerRecord, config: NetworkingConfig): Promise<ChosenNetworks> {
    const mode = record.hostConfig.NetworkMode ?? '';
    if (mode.startsWith('container:')) {
      throw new WctrError('unsupported', 'sharing the network of another container is not supported', {
        hint: 'put both on one network; they reach each other by name',
      });
    }
    // Wrong ports are found now rather than at the start.
    publishPlan(record);
    const asked = Object.entries(config.EndpointsConfig ?? {});
    const first = await this.#store.find(mode);
    const chosen: Record<string, EndpointSettings> = {};
    const own = asked.find(
      ([key]) =>
        key === mode || key === first.name || key === first.key || (key === 'default' && first.name === 'bridge'),
    );
    chosen[first.name] = own?.[1] ?? {};
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

  async plan(record: ContainerRecord): Promise<{ plan: NetworkPlan; networks: ChosenNetworks }> {
    const chosen = Object.keys(record.networks).length === 0 ? await this.attach(record, {}) : record.networks;
    const networks: Record<string, EndpointSettings> = {};
    for (const [name, asked] of Object.entries(chosen)) {
      const { NetworkID } = asked;
      const leased = await this.#store.lease(
        NetworkID !== undefined && NetworkID !== '' ? NetworkID : name,
        record.key,
        {
          ...asked,
          // What it had by itself last time is not what the user asked for.
          MacAddress: asked.IPAddress !== undefined && asked.IPAddress !== '' ? '' : (asked.MacAddress ?? ''),
        },
      );
      networks[name] = withNames(leased, record);
    }
    return { plan: await this.#planOf({ ...record, networks }), networks };
  }

  async release(record: ContainerRecord): Promise<void> {
    for (const { NetworkID } of Object.values(record.networks)) {
      if (NetworkID !== undefined && NetworkID !== '') await this.#store.release(NetworkID, record.key);
    }
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
    const socket = `${processes.runDirectory()}/${record.key.slice(0, 32)}.sock`;
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

function view(network: NetworkRecord, containers: readonly ContainerRecord[]): Network {
  const present = containers.filter((record) => isRunning(record) && isOn(record, network));
  return {
    Name: network.name,
    Id: network.key,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: { Driver: network.ipamDriver, Options: network.ipamOptions, Config: network.pools },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      present.map((record) => {
        const endpoint = endpointOn(record, network) ?? {};
        const { IPAddress = '', IPPrefixLen = 0 } = endpoint;
        return [
          record.key,
          {
            Name: record.name,
            EndpointID: endpoint.EndpointID ?? '',
            MacAddress: endpoint.MacAddress ?? '',
            IPv4Address: IPAddress === '' ? '' : `${IPAddress}/${IPPrefixLen}`,
            IPv6Address: '',
          },
        ];
      }),
    ),
    Options: network.options,
    Labels: network.labels,
  };
}

function endpointOn({ networks }: ContainerRecord, { key, name }: NetworkRecord): EndpointSettings | undefined {
  return networks[name] ?? Object.values(networks).find(({ NetworkID }) => NetworkID === key);
}

function isOn(record: ContainerRecord, network: NetworkRecord): boolean {
  return endpointOn(record, network) !== undefined;
}

function isRunning({ state }: ContainerRecord): boolean {
  return RUNNING.has(state.status);
}

function withNames(endpoint: EndpointSettings, { name, key, config }: ContainerRecord): EndpointSettings {
  const names = [name, ...(endpoint.Aliases ?? []), key.slice(0, 12), config.Hostname].filter((one) => one !== '');
  return { ...endpoint, DNSNames: [...new Set(names)] };
}

function checkRequest({ Name, Driver, Scope, EnableIPv6, Ingress, IPAM }: NetworkCreateRequest): void {
  if (!NAME.test(Name)) throw new WctrError('invalid-argument', `invalid network name: "${Name}"`);
  if (isDefaultNetwork(Name) || Name === 'default') {
    throw new WctrError('forbidden', `operation is not permitted on predefined ${Name} network`);
  }
  if (Driver !== undefined && Driver !== '' && Driver !== 'bridge') {
    const known =
      Driver === 'host' || Driver === 'null' ? `only one instance of "${Driver}" network is allowed` : undefined;
    throw new WctrError(
      known === undefined ? 'not-found' : 'forbidden',
      known ?? `could not find plugin ${Driver} in v1 plugin registry: plugin not found`,
      {
        hint: 'wctr has the drivers bridge, host and null',
      },
    );
  }
  if (Scope !== undefined && Scope !== '' && Scope !== 'local') {
    throw new WctrError('unsupported', `networks of scope ${Scope} are not supported`);
  }
  if (EnableIPv6 === true) throw new WctrError('unsupported', 'networks with IPv6 are not supported');
  if (Ingress === true) throw new WctrError('unsupported', 'ingress networks are not supported');
  if (IPAM?.Driver !== undefined && IPAM.Driver !== '' && IPAM.Driver !== 'default') {
    throw new WctrError('not-found', `could not find an IPAM driver named ${IPAM.Driver}`);
  }
  if ((IPAM?.Config?.length ?? 0) > 1) {
    throw new WctrError('unsupported', 'a network has one subnet; several are not supported');
  }
}

function checkEndpoint(network: NetworkRecord, settings: EndpointSettings): void {
  const address = settings.IPAMConfig?.IPv4Address ?? '';
  const pool = network.pools[0];
  if (address !== '') {
    if (isDefaultNetwork(network.name)) {
      throw new WctrError(
        'invalid-argument',
        'invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
      );
    }
    if (!network.chosenSubnet) {
      throw new WctrError(
        'invalid-argument',
        `invalid config for network ${network.name}: invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets`,
      );
    }
    if (pool !== undefined) checkAddress(pool, address);
  }
  if ((settings.IPAMConfig?.IPv6Address ?? '') !== '') {
    throw new WctrError('unsupported', 'addresses of IPv6 are not supported');
  }
  if (network.name === 'bridge' && (settings.Aliases ?? []).length > 0) {
    throw new WctrError(
      'invalid-argument',
      'invalid config for network bridge: invalid endpoint settings:\nnetwork-scoped aliases are only supported for user-defined networks',
    );
  }
  for (const link of settings.Links ?? []) parseLink(link);
}

function any<T>(values: readonly T[] | undefined, matches: (value: T) => boolean): boolean {
  return values === undefined || values.some(matches);
}

/** A time, seconds since the epoch, or how long ago (`24h`). In milliseconds since the epoch. */
function timeOf(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const ago = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (ago !== null && text !== '') {
    return Date.now() - (Number(ago[1] ?? 0) * 3600 + Number(ago[2] ?? 0) * 60 + Number(ago[3] ?? 0)) * 1000;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new WctrError('invalid-argument', `invalid filter 'until=${text}'`);
  return time;
}
