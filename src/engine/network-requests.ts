/** What may be asked of networks, refused in docker's words where it may not. */
import { parseLink } from '../containers/networks/plan.ts';
import { checkAddress } from '../containers/networks/pools.ts';
import { isDefaultNetwork, type NetworkRecord, poolOf } from '../containers/networks/record.ts';
import { WctrError } from '../errors.ts';
import type { ContainerCreateRequest, EndpointSettings, HostConfig, NetworkCreateRequest } from '../spec/engine-api.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

export function checkRequest({ Name, Driver, Scope, Ingress, IPAM, EnableIPv4 }: NetworkCreateRequest): void {
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
  if (EnableIPv4 === false) throw new WctrError('unsupported', 'networks without IPv4 are not supported');
  if (Ingress === true) throw new WctrError('unsupported', 'ingress networks are not supported');
  if (IPAM?.Driver !== undefined && IPAM.Driver !== '' && IPAM.Driver !== 'default') {
    throw new WctrError('not-found', `could not find an IPAM driver named ${IPAM.Driver}`);
  }
}

export function checkEndpoint(network: NetworkRecord, settings: EndpointSettings): void {
  const { IPv4Address = '', IPv6Address = '' } = settings.IPAMConfig ?? {};
  const where = `invalid config for network ${network.name}: invalid endpoint settings:\n`;
  for (const [family, address] of [
    [4, IPv4Address],
    [6, IPv6Address],
  ] as const) {
    if (address === '') continue;
    if (isDefaultNetwork(network.name)) {
      throw new WctrError(
        'invalid-argument',
        'invalid config for network bridge: invalid endpoint settings:\nuser specified IP address is supported on user defined networks only',
      );
    }
    if (!(family === 4 ? network.chosenSubnet : network.chosenSubnet6 === true)) {
      throw new WctrError(
        'invalid-argument',
        `${where}user specified IP address is supported only when connecting to networks with user configured subnets`,
      );
    }
    const pool = poolOf(network, family);
    if (pool === undefined)
      throw new WctrError('invalid-argument', `${where}no configured subnet contains the IP address ${address}`);
    checkAddress(pool, address);
  }
  const { MacAddress = '' } = settings;
  if (MacAddress !== '' && !MAC.test(MacAddress)) {
    throw new WctrError('invalid-argument', `${where}invalid MAC address: ${MacAddress}`);
  }
  if (network.name === 'bridge' && (settings.Aliases ?? []).length > 0) {
    throw new WctrError(
      'invalid-argument',
      'invalid config for network bridge: invalid endpoint settings:\nnetwork-scoped aliases are only supported for user-defined networks',
    );
  }
  for (const link of settings.Links ?? []) parseLink(link);
}

/** What a container that uses another one's network cannot have of its own. */
export function checkShared(request: ContainerCreateRequest): void {
  const { HostConfig = {}, Hostname = '', ExposedPorts } = request;
  const isEmpty = (value: object | null | undefined) =>
    value === undefined || value === null || Object.keys(value).length === 0;
  const refused: readonly (readonly [boolean, string])[] = [
    [Hostname !== '', 'hostname and the network mode'],
    [
      !isEmpty(HostConfig.Links),
      "container type network can't be used with links. This would result in undefined behavior",
    ],
    [!isEmpty(HostConfig.Dns), 'dns and the network mode'],
    [!isEmpty(HostConfig.ExtraHosts), 'custom host-to-IP mapping and the network mode'],
    [macAddressOf(request) !== '', 'mac-address and the network mode'],
    [
      !isEmpty(HostConfig.PortBindings) || HostConfig.PublishAllPorts === true,
      'port publishing and the container type network mode',
    ],
    [!isEmpty(ExposedPorts), 'port exposing and the container type network mode'],
  ];
  const conflict = refused.find(([isGiven]) => isGiven);
  if (conflict !== undefined) throw new WctrError('invalid-argument', `conflicting options: ${conflict[1]}`);
}

export function checkHostNetwork({ Links }: HostConfig): void {
  if ((Links ?? []).length === 0) return;
  throw new WctrError(
    'invalid-argument',
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  );
}

/** Where clients of API 1.43 and before put it. */
export function macAddressOf(request: ContainerCreateRequest): string {
  const { MacAddress } = request as { MacAddress?: unknown };
  return typeof MacAddress === 'string' ? MacAddress : '';
}

/** A time, seconds since the epoch, or how long ago (`24h`). In milliseconds since the epoch. */
export function timeOf(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const ago = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (ago !== null && text !== '') {
    return Date.now() - (Number(ago[1] ?? 0) * 3600 + Number(ago[2] ?? 0) * 60 + Number(ago[3] ?? 0)) * 1000;
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw new WctrError('invalid-argument', `invalid filter 'until=${text}'`);
  return time;
}
