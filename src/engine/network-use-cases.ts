import { NetworkStore } from '../containers/networks/network-store.ts';
import { choosePools } from '../containers/networks/pools.ts';
import { isDefaultNetwork, type NetworkRecord } from '../containers/networks/record.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { controlSocketName } from '../containers/records.ts';
import { WctrError } from '../errors.ts';
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
import { NetworkPlaces } from './network-places.ts';
import { checkEndpoint, checkRequest, timeOf } from './network-requests.ts';
import { isOn, isRunning, networkView, withNames } from './network-views.ts';
import type { EngineParts } from './parts.ts';
import { isBuildRun } from './run-places.ts';

const FILTERS = ['driver', 'id', 'label', 'label!', 'name', 'scope', 'type', 'dangling'] as const;
const PRUNE_FILTERS = ['label', 'label!', 'until'] as const;

type ChosenNetworks = Readonly<Record<string, EndpointSettings>>;

/** Networks of this store, and the places containers have on them. */
export class LocalNetworks implements NetworkUseCases, ContainerNetworks {
  readonly #parts: EngineParts;
  readonly #store: NetworkStore;
  readonly #places: NetworkPlaces;

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
        if (record === undefined) return (await isBuildRun(parts, id)) ? 'running' : 'gone';
        return isRunning(record) ? 'running' : 'stopped';
      },
    });
    this.#places = new NetworkPlaces(parts, this.#store);
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

  attach(record: ContainerRecord, request: ContainerCreateRequest): Promise<AttachedContainer> {
    return this.#places.attach(record, request);
  }

  plan(record: ContainerRecord): Promise<PlannedNetworks> {
    return this.#places.plan(record);
  }

  release(record: ContainerRecord): Promise<void> {
    return this.#places.release(record);
  }

  async renamed(record: ContainerRecord): Promise<void> {
    await this.#changed(record.key, (networks) =>
      Object.fromEntries(Object.entries(networks).map(([name, endpoint]) => [name, withNames(endpoint, record)])),
    );
  }

  /** Writes the record, and tells the container's process if there is one. */
  async #changed(id: string, change: (networks: ChosenNetworks) => ChosenNetworks): Promise<void> {
    const record = await this.#parts.containers.change(id, (current) => ({
      ...current,
      networks: change(current.networks),
    }));
    const { processes } = this.#parts.host;
    if (record === undefined || !record.managed || !isRunning(record) || processes === undefined) return;
    const plan = await this.#places.planOf(record);
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
