/** Subnets and the addresses in them. */
import { WctrError } from '../../errors.ts';
import { parseAddress } from '../../host/network/address.ts';
import {
  addressAt,
  addressNumber,
  formatSubnet,
  parseSubnet,
  type Subnet,
  subnetHolds,
  subnetsOverlap,
} from '../../host/network/subnet.ts';
import type { IpamPool } from '../../spec/engine-api.ts';

/** Docker's default address pools: 172.18.0.0/16 and on, then /20s of 192.168.0.0/16. */
function* subnetsV4(): Generator<string> {
  for (let second = 18; second < 32; second++) yield `172.${second}.0.0/16`;
  for (let third = 0; third < 256; third += 16) yield `192.168.${third}.0/20`;
}

/** Unique local addresses (RFC 4193): 65,536 subnets under the store's own 48 bits. */
function* subnetsV6(globalId: Uint8Array): Generator<string> {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = globalId;
  const group = (high: number, low: number) => ((high << 8) | low).toString(16);
  for (let i = 0; i < 65_536; i++) yield `${group(0xfd, a)}:${group(b, c)}:${group(d, e)}:${i.toString(16)}::/64`;
}

/**
 * The pools of a new network: one of IPv4 and, where that is asked for, one of IPv6. Throws 'invalid-argument',
 * 'forbidden' when one overlaps with one there is.
 */
export function choosePools(
  asked: readonly IpamPool[],
  { used, ipv6, globalId }: { readonly used: readonly string[]; readonly ipv6: boolean; readonly globalId: Uint8Array },
): IpamPool[] {
  const taken = used.flatMap((text) => parseSubnet(text) ?? []);
  const isV6 = ({ Subnet = '', Gateway = '' }: IpamPool) => (Subnet === '' ? Gateway : Subnet).includes(':');
  const [v4, v6] = [asked.filter((pool) => !isV6(pool)), asked.filter(isV6)];
  if (v4.length > 1 || v6.length > 1) {
    throw new WctrError('forbidden', "bridge driver doesn't support multiple subnets");
  }
  const pools = [choosePool(v4[0], taken, subnetsV4())];
  if (ipv6 || v6.length > 0) pools.push(choosePool(v6[0], taken, subnetsV6(globalId)));
  return pools;
}

function choosePool(asked: IpamPool | undefined, taken: readonly Subnet[], defaults: Iterable<string>): IpamPool {
  if (asked?.Subnet === undefined || asked.Subnet === '') {
    if (asked?.Gateway !== undefined && asked.Gateway !== '') throw bad('no subnet for the gateway');
    for (const text of defaults) {
      const subnet = parseSubnet(text)!;
      if (!taken.some((other) => subnetsOverlap(subnet, other))) return withGateway(subnet, undefined, {});
    }
    throw new WctrError('forbidden', 'all predefined address pools have been fully subnetted');
  }
  const subnet = parseSubnet(asked.Subnet);
  if (subnet === undefined) throw bad(`invalid subnet ${asked.Subnet} : invalid CIDR address`);
  // An IPv6 subnet has many spellings; what matters is that no bit is set behind the prefix.
  const first = parseAddress(asked.Subnet.split('/')[0]!)!;
  if (addressNumber(first) !== subnet.base) {
    throw bad(`invalid network config:\ninvalid subnet ${asked.Subnet}: it should be ${formatSubnet(subnet)}`);
  }
  if (taken.some((other) => subnetsOverlap(subnet, other))) {
    throw new WctrError('forbidden', 'invalid pool request: Pool overlaps with other one on this address space', {
      data: { subnet: asked.Subnet },
    });
  }
  return withGateway(subnet, asked.Gateway, asked);
}

function withGateway(subnet: Subnet, gateway: string | undefined, asked: IpamPool): IpamPool {
  if (subnet.size < 4n) throw bad(`the subnet ${formatSubnet(subnet)} has no room for containers`);
  // Some clients give the gateway with the prefix.
  const chosen = gateway === undefined || gateway === '' ? addressAt(subnet, 1n) : gateway.replace(/\/\d+$/, '');
  const address = parseAddress(chosen);
  if (address === undefined || !subnetHolds(subnet, address)) {
    throw bad(`no matching subnet for gateway ${chosen}`);
  }
  const range = asked.IPRange === undefined || asked.IPRange === '' ? undefined : parseSubnet(asked.IPRange);
  if (asked.IPRange !== undefined && asked.IPRange !== '') {
    if (range === undefined) throw bad(`invalid ip-range ${asked.IPRange}`);
    if (!subnetsOverlap(subnet, range) || range.size > subnet.size) {
      throw bad(`no matching subnet for range ${asked.IPRange}`);
    }
  }
  for (const reserved of Object.values(asked.AuxiliaryAddresses ?? {})) {
    const at = parseAddress(reserved);
    if (at === undefined || !subnetHolds(subnet, at)) throw bad(`no matching subnet for aux-address ${reserved}`);
  }
  return {
    Subnet: formatSubnet(subnet),
    ...(range === undefined ? {} : { IPRange: formatSubnet(range) }),
    Gateway: chosen,
    ...(asked.AuxiliaryAddresses === undefined || Object.keys(asked.AuxiliaryAddresses).length === 0
      ? {}
      : { AuxiliaryAddresses: asked.AuxiliaryAddresses }),
  };
}

/** The least free address of the pool. Throws 'conflict' when there is none. */
export function freeAddress(pool: IpamPool, used: ReadonlySet<string>): string {
  const subnet = parseSubnet(pool.Subnet ?? '')!;
  const range = parseSubnet(pool.IPRange ?? '') ?? subnet;
  const reserved = new Set([...Object.values(pool.AuxiliaryAddresses ?? {}), pool.Gateway]);
  const [from, to] = [range.base - subnet.base, range.base + range.size - subnet.base];
  const last = to < subnet.size - 1n ? to : subnet.size - 1n;
  for (let offset = from > 1n ? from : 1n; offset < last; offset++) {
    const text = addressAt(subnet, offset);
    if (!used.has(text) && !reserved.has(text)) return text;
  }
  const family = subnet.bits === 32 ? 'IPv4' : 'IPv6';
  throw new WctrError('conflict', `no available ${family} addresses on this network's address pools: ${pool.Subnet}`);
}

/** Throws 'invalid-argument' for an address that is no container's in this pool. */
export function checkAddress(pool: IpamPool, text: string): void {
  const subnet = parseSubnet(pool.Subnet ?? '');
  const address = parseAddress(text);
  if (subnet === undefined || address === undefined || !subnetHolds(subnet, address)) {
    throw bad(`invalid endpoint settings:\nno configured subnet contains the IP address ${text}`);
  }
  const offset = addressNumber(address) - subnet.base;
  const isGateway = addressNumber(parseAddress(pool.Gateway ?? '') ?? new Uint8Array(0)) === addressNumber(address);
  if (isGateway || offset === 0n || offset === subnet.size - 1n) {
    throw new WctrError('forbidden', 'Address already in use', { data: { address: text } });
  }
}

/** `02:42:` and the address, as docker gave them for long. */
export function macOf(address: string): string {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  return ['02', '42', ...[...bytes].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

export function prefixOf(pool: IpamPool): number {
  return parseSubnet(pool.Subnet ?? '')?.prefix ?? 0;
}

function bad(message: string): WctrError {
  return new WctrError('invalid-argument', message);
}
