/** What the process of a container has to know of its networks, from its record. */
import { WctrError } from '../../errors.ts';
import type { NetworkAttachment, NetworkPlan } from '../../host/network/port.ts';
import type { EndpointSettings, HostConfig, PortBinding, PortMap } from '../../spec/engine-api.ts';
import type { ContainerRecord } from '../record.ts';
import { type NetworkRecord, poolOf } from './record.ts';

type Planned = Pick<ContainerRecord, 'key' | 'name' | 'config' | 'hostConfig' | 'networks'>;

export function networkPlan(record: Planned, networks: readonly NetworkRecord[], directory: string): NetworkPlan {
  const { key, config, hostConfig } = record;
  const isHost = Object.hasOwn(record.networks, 'host');
  const attachments = Object.entries(record.networks).flatMap(([name, endpoint]) => {
    const network = networks.find(({ key }) => key === endpoint.NetworkID) ?? networks.find((one) => one.name === name);
    return network === undefined || poolOf(network, 4) === undefined ? [] : [attachment(record, network, endpoint)];
  });
  const publish = isHost ? {} : publishPlan(record);
  const { Dns, DnsSearch } = hostConfig;
  return {
    mode: isHost ? 'host' : attachments.length > 0 ? 'networks' : 'none',
    hostname: config.Hostname,
    ...(config.Domainname === '' ? {} : { domainname: config.Domainname }),
    owner: key,
    networks: byPriority(attachments, record.networks),
    publish,
    listen: listenPlan(record, publish),
    extraHosts: hostConfig.ExtraHosts ?? [],
    ...(hasAny(Dns) || hasAny(DnsSearch) ? { dns: { servers: Dns ?? [], search: DnsSearch ?? [] } } : {}),
    directory,
  };
}

/** Of a container that uses another one's network: `owner` is that one's plan. */
export function joinedPlan(record: Planned, owner: NetworkPlan): NetworkPlan {
  return { ...owner, joined: true, publish: {}, listen: listenPlan(record, {}) };
}

/** `container:<name or id>`, as NetworkMode has it. */
export function sharedWith({ NetworkMode = '' }: Pick<HostConfig, 'NetworkMode'>): string | undefined {
  return NetworkMode.startsWith('container:') ? NetworkMode.slice('container:'.length) : undefined;
}

function listenPlan({ config }: Pick<ContainerRecord, 'config'>, publish: PortMap): readonly string[] {
  const ports = [...Object.keys(publish), ...Object.keys(config.ExposedPorts ?? {})];
  return [...new Set(ports)].filter((port) => /^\d+(\/tcp)?$/.test(port));
}

/** The first is the way out. */
function byPriority(
  attachments: readonly NetworkAttachment[],
  endpoints: Readonly<Record<string, EndpointSettings>>,
): readonly NetworkAttachment[] {
  const priority = ({ name }: NetworkAttachment) => endpoints[name]?.GwPriority ?? 0;
  return [...attachments].sort((a, b) => priority(b) - priority(a));
}

function hasAny(list: readonly string[] | null | undefined): boolean {
  return list !== undefined && list !== null && list.length > 0;
}

function attachment(
  { key, name, hostConfig }: Planned,
  network: NetworkRecord,
  endpoint: EndpointSettings,
): NetworkAttachment {
  const [pool, pool6] = [poolOf(network, 4)!, poolOf(network, 6)];
  const address6 = endpoint.GlobalIPv6Address ?? '';
  const links = [...(endpoint.Links ?? []), ...(network.name === 'bridge' ? (hostConfig.Links ?? []) : [])];
  return {
    id: network.key,
    name: network.name,
    internal: network.internal,
    subnet: pool.Subnet ?? '',
    gateway: pool.Gateway ?? '',
    address: endpoint.IPAddress ?? '',
    ...(pool6 === undefined || address6 === ''
      ? {}
      : { ipv6: { subnet: pool6.Subnet ?? '', gateway: pool6.Gateway ?? '', address: address6 } }),
    names: [...new Set([name, key.slice(0, 12), ...(endpoint.Aliases ?? [])])],
    links: Object.fromEntries(links.map(parseLink)),
  };
}

/** `container:alias`, `/container:/other/alias` as inspect shows it. */
export function parseLink(link: string): readonly [alias: string, container: string] {
  const [container = '', alias = container] = link.split(':');
  const last = (text: string) => text.slice(text.lastIndexOf('/') + 1);
  return [last(alias), last(container)];
}

/** Ports to publish: those asked for, and with -P every exposed one. Throws 'invalid-argument'. */
export function publishPlan({ config, hostConfig }: Pick<ContainerRecord, 'config' | 'hostConfig'>): PortMap {
  const publish: Record<string, readonly PortBinding[]> = {};
  for (const [port, bindings] of Object.entries(hostConfig.PortBindings ?? {})) {
    const name = port.includes('/') ? port : `${port}/tcp`;
    if (!/^\d+\/(tcp|udp)$/.test(name))
      throw new WctrError('invalid-argument', `invalid port specification: "${port}"`);
    // A port without a binding is published anywhere, as docker has it.
    publish[name] = bindings === null || bindings.length === 0 ? [ANYWHERE] : bindings;
  }
  if (hostConfig.PublishAllPorts === true) {
    for (const port of Object.keys(config.ExposedPorts ?? {})) {
      const name = port.includes('/') ? port : `${port}/tcp`;
      if (/^\d+\/(tcp|udp)$/.test(name)) publish[name] ??= [ANYWHERE];
    }
  }
  return publish;
}

const ANYWHERE: PortBinding = { HostIp: '', HostPort: '' };
