/** Subnets and the addresses in them. */
import { WctrError } from '../../errors.ts';
import {
  formatAddress,
  formatSubnet,
  parseAddress,
  parseSubnet,
  type Subnet,
  subnetHolds,
  v4Bytes,
  v4Number,
} from '../../host/network/address.ts';
import type { IpamPool } from '../../spec/engine-api.ts';

/** Docker's default address pools: 172.18.0.0/16 and on, then /20s of 192.168.0.0/16. */
function* defaultSubnets(): Generator<string> {
  for (let second = 18; second < 32; second++) yield `172.${second}.0.0/16`;
  for (let third = 0; third < 256; third += 16) yield `192.168.${third}.0/20`;
}

/** The pool of a new network. Throws 'invalid-argument', 'forbidden' when it overlaps one there is. */
export function choosePool(asked: IpamPool | undefined, used: readonly string[]): IpamPool {
  const taken = used.flatMap((text) => parseSubnet(text) ?? []);
  if (asked?.Subnet === undefined || asked.Subnet === '') {
    if (asked?.Gateway !== undefined && asked.Gateway !== '') throw bad('no subnet for the gateway');
    for (const text of defaultSubnets()) {
      const subnet = parseSubnet(text)!;
      if (!taken.some((other) => overlaps(subnet, other))) return withGateway(subnet, undefined, {});
    }
    throw new WctrError('forbidden', 'all predefined address pools have been fully subnetted');
  }
  const subnet = parseSubnet(asked.Subnet);
  if (subnet === undefined) {
    if (asked.Subnet.includes(':'))
      throw new WctrError('unsupported', `IPv6 subnets are not supported: ${asked.Subnet}`);
    throw bad(`invalid subnet ${asked.Subnet} : invalid CIDR address`);
  }
  if (formatSubnet(subnet) !== asked.Subnet) {
    throw bad(`invalid network config:\ninvalid subnet ${asked.Subnet}: it should be ${formatSubnet(subnet)}`);
  }
  if (taken.some((other) => overlaps(subnet, other))) {
    throw new WctrError('forbidden', 'invalid pool request: Pool overlaps with other one on this address space', {
      data: { subnet: asked.Subnet },
    });
  }
  return withGateway(subnet, asked.Gateway, asked);
}

function withGateway(subnet: Subnet, gateway: string | undefined, asked: IpamPool): IpamPool {
  if (subnet.size < 4) throw bad(`the subnet ${formatSubnet(subnet)} has no room for containers`);
  const chosen = gateway === undefined || gateway === '' ? formatAddress(v4Bytes(subnet.base + 1)) : gateway;
  const address = parseAddress(chosen);
  if (address === undefined || !subnetHolds(subnet, address)) {
    throw bad(`no matching subnet for gateway ${chosen}`);
  }
  const range = asked.IPRange === undefined || asked.IPRange === '' ? undefined : parseSubnet(asked.IPRange);
  if (asked.IPRange !== undefined && asked.IPRange !== '') {
    if (range === undefined) throw bad(`invalid ip-range ${asked.IPRange}`);
    if (!subnetHolds(subnet, v4Bytes(range.base)) || range.size > subnet.size) {
      throw bad(`no matching subnet for range ${asked.IPRange}`);
    }
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
  const last = Math.min(range.base + range.size, subnet.base + subnet.size - 1);
  for (let at = Math.max(range.base, subnet.base + 1); at < last; at++) {
    const text = formatAddress(v4Bytes(at));
    if (!used.has(text) && !reserved.has(text)) return text;
  }
  throw new WctrError('conflict', `no available IPv4 addresses on this network's address pools: ${pool.Subnet}`);
}

/** Throws 'invalid-argument' for an address that is no container's in this pool. */
export function checkAddress(pool: IpamPool, text: string): void {
  const subnet = parseSubnet(pool.Subnet ?? '');
  const address = parseAddress(text);
  const value = address?.length === 4 ? v4Number(address) : -1;
  if (subnet === undefined || address === undefined || !subnetHolds(subnet, address)) {
    throw bad(`invalid endpoint settings:\nno configured subnet contains the IP address ${text}`);
  }
  if (text === pool.Gateway || value === subnet.base || value === subnet.base + subnet.size - 1) {
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

function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + b.size && b.base < a.base + a.size;
}

function bad(message: string): WctrError {
  return new WctrError('invalid-argument', message);
}
