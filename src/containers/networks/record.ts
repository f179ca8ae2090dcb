/** What is kept of a network on disk: one file each, `<root>/networks/<hex>.json`, changed under the lock `networks`. */
import type { IpamPool } from '../../spec/engine-api.ts';

export interface NetworkRecord {
  /** The network's id, 64 hex digits. */
  readonly key: string;
  readonly name: string;
  readonly createdAt: string;
  readonly driver: string;
  /** No way out. */
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ipamDriver: string;
  readonly ipamOptions: Readonly<Record<string, string>> | null;
  /** One of IPv4 and, where the user named one or asked for IPv6, one of that. Empty for `host` and `none`. */
  readonly pools: readonly IpamPool[];
  /** Containers have addresses of IPv6, too. */
  readonly ipv6?: boolean;
  /** The user chose the subnet, and may choose addresses in it. */
  readonly chosenSubnet: boolean;
  /** The same of IPv6. */
  readonly chosenSubnet6?: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Address by container id, of those that were started and not removed since. */
  readonly leases: Readonly<Record<string, string>>;
  /** The same of IPv6. */
  readonly leases6?: Readonly<Record<string, string>>;
}

/** Where containers of a network get their addresses from; undefined where they get none. */
export function poolOf({ pools, ipv6 }: NetworkRecord, family: 4 | 6): IpamPool | undefined {
  if (family === 6 && ipv6 !== true) return undefined;
  return pools.find(({ Subnet = '' }) => Subnet.includes(':') === (family === 6));
}

/** Docker's three. They cannot be removed, and their addresses are leased like others'. */
export const DEFAULT_NETWORKS = ['bridge', 'host', 'none'] as const;
export type DefaultNetwork = (typeof DEFAULT_NETWORKS)[number];

export function isDefaultNetwork(name: string): name is DefaultNetwork {
  return (DEFAULT_NETWORKS as readonly string[]).includes(name);
}

export const BRIDGE_POOL: IpamPool = { Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' };
