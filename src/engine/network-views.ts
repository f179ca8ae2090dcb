/** Networks as docker's clients see them, and who is on one. */
import { type NetworkRecord, poolOf } from '../containers/networks/record.ts';
import type { ContainerRecord } from '../containers/record.ts';
import type { EndpointSettings, Network } from '../spec/engine-api.ts';

const RUNNING = new Set(['running', 'paused', 'restarting']);

export function networkView(network: NetworkRecord, containers: readonly ContainerRecord[]): Network {
  const present = containers.filter((record) => isRunning(record) && isOn(record, network));
  return {
    Name: network.name,
    Id: network.key,
    Created: network.createdAt,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: true,
    EnableIPv6: network.ipv6 === true,
    IPAM: { Driver: network.ipamDriver, Options: network.ipamOptions, Config: network.pools },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(present.map((record) => [record.key, memberView(record, network)])),
    Options: network.options,
    Labels: network.labels,
  };
}

function memberView(record: ContainerRecord, network: NetworkRecord): Network['Containers'][string] {
  const { EndpointID, MacAddress, IPAddress, IPPrefixLen, GlobalIPv6Address, GlobalIPv6PrefixLen } =
    endpointOn(record, network) ?? {};
  const withPrefix = (address = '', prefix = 0) => (address === '' ? '' : `${address}/${prefix}`);
  return {
    Name: record.name,
    EndpointID: EndpointID ?? '',
    MacAddress: MacAddress ?? '',
    IPv4Address: withPrefix(IPAddress, IPPrefixLen),
    IPv6Address: poolOf(network, 6) === undefined ? '' : withPrefix(GlobalIPv6Address, GlobalIPv6PrefixLen),
  };
}

function endpointOn({ networks }: ContainerRecord, { key, name }: NetworkRecord): EndpointSettings | undefined {
  return networks[name] ?? Object.values(networks).find(({ NetworkID }) => NetworkID === key);
}

export function isOn(record: ContainerRecord, network: NetworkRecord): boolean {
  return endpointOn(record, network) !== undefined;
}

export function isRunning({ state }: Pick<ContainerRecord, 'state'>): boolean {
  return RUNNING.has(state.status);
}

/** With the names it answers to there. */
export function withNames(endpoint: EndpointSettings, { name, key, config }: ContainerRecord): EndpointSettings {
  const names = [name, ...(endpoint.Aliases ?? []), key.slice(0, 12), config.Hostname].filter((one) => one !== '');
  return { ...endpoint, DNSNames: [...new Set(names)] };
}
