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
  /** The first is the one addresses come from. Empty for `host` and `none`. */
  readonly pools: readonly IpamPool[];
  /** The user chose the subnet, and may choose addresses in it. */
  readonly chosenSubnet: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Address by container id, of those that were started and not removed since. */
  readonly leases: Readonly<Record<string, string>>;
}

/** Docker's three. They cannot be removed, and their addresses are leased like others'. */
export const DEFAULT_NETWORKS = ['bridge', 'host', 'none'] as const;
export type DefaultNetwork = (typeof DEFAULT_NETWORKS)[number];

export function isDefaultNetwork(name: string): name is DefaultNetwork {
  return (DEFAULT_NETWORKS as readonly string[]).includes(name);
}

export const BRIDGE_POOL: IpamPool = { Subnet: '172.17.0.0/16', Gateway: '172.17.0.1' };
