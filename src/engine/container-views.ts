/** Containers as docker shows them: `inspect` and the lines of the list. No image is opened for them. */
import type { ListedContainer } from '../containers/listing.ts';
import type { ContainerRecord } from '../containers/record.ts';
import {
  type ContainerInspect,
  type ContainerStateView,
  type ContainerSummary,
  EMPTY_ENDPOINT,
  type EndpointSettings,
  type NetworkSettings,
  NO_ADDRESSES,
  type PortMap,
  type PortSummary,
  ZERO_TIME,
} from '../spec/engine-api.ts';
import { isRunning } from './container-state.ts';

/** GET /containers/{id}/json */
export function inspectContainer(record: ContainerRecord, logPath: string): ContainerInspect {
  const { args, config, hostConfig } = record;
  return {
    Id: record.key,
    Created: record.createdAt,
    Path: args[0] ?? '',
    Args: args.slice(1),
    State: stateView(record),
    Image: record.imageId,
    ResolvConfPath: '',
    HostnamePath: '',
    HostsPath: '',
    LogPath: record.managed && hostConfig.LogConfig?.Type !== 'none' ? logPath : '',
    Name: `/${record.name}`,
    RestartCount: record.restartCount,
    Driver: 'layer-index',
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: { ...HOST_CONFIG_DEFAULTS, ...hostConfig, Isolation: hostConfig.Isolation ?? record.isolation },
    GraphDriver: { Name: 'layer-index', Data: null },
    Mounts: record.mounts,
    Config: config,
    NetworkSettings: networkSettings(record),
  };
}

/** What clients read without asking whether it is there. */
const HOST_CONFIG_DEFAULTS = {
  Binds: null,
  ContainerIDFile: '',
  PortBindings: {},
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0] as const,
  CapAdd: null,
  CapDrop: null,
  Dns: [],
  DnsOptions: [],
  DnsSearch: [],
  ExtraHosts: null,
  GroupAdd: null,
  Links: null,
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpusetCpus: '',
  MemoryReservation: 0,
  MemorySwap: 0,
  PidsLimit: null,
  Ulimits: null,
};

function stateView({ state }: ContainerRecord): ContainerStateView {
  const runs = isRunning(state);
  return {
    Status: state.status,
    Running: runs,
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.exit?.oomKilled ?? false,
    Dead: state.status === 'dead',
    Pid: runs && state.status !== 'restarting' ? (state.pid ?? 0) : 0,
    ExitCode: runs && state.status !== 'restarting' ? 0 : (state.exit?.exitCode ?? 0),
    Error: state.error ?? (state.status === 'exited' ? (state.exit?.reason ?? '') : ''),
    StartedAt: state.startedAt ?? ZERO_TIME,
    FinishedAt: state.finishedAt ?? ZERO_TIME,
    ...(state.health === undefined ? {} : { Health: state.health }),
  };
}

function networkSettings(record: ContainerRecord): NetworkSettings {
  const networks = currentNetworks(record);
  const { bridge } = networks;
  return {
    SandboxID: isRunning(record.state) ? record.key : '',
    SandboxKey: '',
    Ports: isRunning(record.state) ? allPorts(record) : {},
    Networks: networks,
    Bridge: '',
    Gateway: bridge?.Gateway ?? '',
    IPAddress: bridge?.IPAddress ?? '',
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    MacAddress: bridge?.MacAddress ?? '',
  };
}

/** A container that does not run has no addresses. */
function currentNetworks({ networks, state }: ListedContainer): Readonly<Record<string, EndpointSettings>> {
  return Object.fromEntries(
    Object.entries(networks).map(([name, endpoint]) => [
      name,
      { ...EMPTY_ENDPOINT, ...endpoint, ...(isRunning(state) ? {} : { ...NO_ADDRESSES, MacAddress: '' }) },
    ]),
  );
}

/** Published ones, and those that are only exposed. */
function allPorts({ config, ports }: ListedContainer): PortMap {
  return { ...Object.fromEntries(Object.keys(config.ExposedPorts ?? {}).map((port) => [port, null])), ...ports };
}

/** An entry of GET /containers/json */
export function summarise(record: ListedContainer, nowMs = Date.now()): ContainerSummary {
  return {
    Id: record.key,
    Names: [`/${record.name}`],
    Image: record.image,
    ImageID: record.imageId,
    Command: record.args.join(' '),
    Created: Math.floor(Date.parse(record.createdAt) / 1000),
    Ports: isRunning(record.state) ? portSummaries(allPorts(record)) : [],
    Labels: record.config.Labels,
    State: record.state.status,
    Status: statusText(record, nowMs),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode ?? 'bridge' },
    NetworkSettings: { Networks: currentNetworks(record) },
    Mounts: record.mounts,
  };
}

export function portSummaries(ports: PortMap): PortSummary[] {
  return Object.entries(ports).flatMap(([key, bindings]): PortSummary[] => {
    const [port, type = 'tcp'] = key.split('/');
    const base = { PrivatePort: Number(port), Type: type as PortSummary['Type'] };
    if (bindings === null || bindings.length === 0) return [base];
    return bindings.map(({ HostIp, HostPort }) => ({ IP: HostIp || '0.0.0.0', ...base, PublicPort: Number(HostPort) }));
  });
}

/** `Up 2 minutes (healthy)`, as docker words it. */
export function statusText({ state }: Pick<ContainerRecord, 'state'>, nowMs: number): string {
  const since = (time: string | undefined) => humanDuration(nowMs - Date.parse(time ?? ''));
  switch (state.status) {
    case 'running':
      return `Up ${since(state.startedAt)}${healthText(state.health?.Status)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exit?.exitCode ?? 0}) ${since(state.finishedAt)} ago`;
    case 'exited':
      return `Exited (${state.exit?.exitCode ?? 0}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    default:
      return 'Created';
  }
}

function healthText(health: string | undefined): string {
  if (health === undefined || health === 'none') return '';
  return health === 'starting' ? ' (health: starting)' : ` (${health})`;
}

/** Go's units.HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (!(seconds >= 1)) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(seconds / 86_400);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}
