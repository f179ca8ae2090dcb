/** What the process of a container has to know of its networks, from its record. */
import { WctrError } from '../../errors.ts';
import type { NetworkAttachment, NetworkPlan } from '../../host/network/port.ts';
import type { EndpointSettings, PortBinding, PortMap } from '../../spec/engine-api.ts';
import type { ContainerRecord } from '../record.ts';
import type { NetworkRecord } from './record.ts';

export function networkPlan(
  record: Pick<ContainerRecord, 'key' | 'name' | 'config' | 'hostConfig' | 'networks'>,
  networks: readonly NetworkRecord[],
  directory: string,
): NetworkPlan {
  const { config, hostConfig } = record;
  const isHost = Object.hasOwn(record.networks, 'host');
  const attachments = Object.entries(record.networks).flatMap(([name, endpoint]) => {
    const network = networks.find(({ key }) => key === endpoint.NetworkID) ?? networks.find((one) => one.name === name);
    return network === undefined || network.pools.length === 0 ? [] : [attachment(record, network, endpoint)];
  });
  const exposed = Object.keys(config.ExposedPorts ?? {});
  const publish = publishPlan(record);
  return {
    mode: isHost ? 'host' : attachments.length > 0 ? 'networks' : 'none',
    hostname: config.Hostname,
    networks: attachments,
    publish,
    listen: [...new Set([...Object.keys(publish), ...exposed])].filter((port) => /^\d+(\/tcp)?$/.test(port)),
    extraHosts: hostConfig.ExtraHosts ?? [],
    directory,
  };
}

function attachment(
  { key, name, hostConfig }: Pick<ContainerRecord, 'key' | 'name' | 'hostConfig'>,
  network: NetworkRecord,
  endpoint: EndpointSettings,
): NetworkAttachment {
  const pool = network.pools[0]!;
  const links = [...(endpoint.Links ?? []), ...(network.name === 'bridge' ? (hostConfig.Links ?? []) : [])];
  return {
    id: network.key,
    name: network.name,
    internal: network.internal,
    subnet: pool.Subnet ?? '',
    gateway: pool.Gateway ?? '',
    address: endpoint.IPAddress ?? '',
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
