/** Names a container knows without asking anybody: `localhost`, its own, --add-host. */
import { LOOPBACK_V4, LOOPBACK_V6, parseAddress } from './address.ts';
import type { NetworkPlan } from './port.ts';

export interface Hosts {
  /** Undefined: not known here. */
  find(name: string): readonly Uint8Array[] | undefined;
  /** Addresses of --add-host, as they were given. */
  readonly named: readonly string[];
  /** The host itself was named. */
  readonly hasHost: boolean;
}

const GATEWAY = 'host-gateway';

/** `name:address` and `name=address` of --add-host, the address without brackets. */
export function parseExtraHost(line: string): readonly [name: string, target: string] | undefined {
  const at = line.search(/[:=]/);
  return at < 1 ? undefined : [line.slice(0, at), line.slice(at + 1).replace(/^\[(.*)\]$/, '$1')];
}

/** What `host-gateway` stands for; undefined where there is no way to the host. */
export function hostGateway({ networks }: Pick<NetworkPlan, 'networks'>): string | undefined {
  return networks.find(({ internal }) => !internal)?.gateway;
}

export function hostsOf(plan: NetworkPlan): Hosts {
  const known = new Map<string, Uint8Array[]>();
  const add = (name: string, text: string) => {
    const address = parseAddress(text);
    if (address === undefined || name === '') return;
    const key = name.toLowerCase();
    known.set(key, [...(known.get(key) ?? []), address]);
  };
  const extra = plan.extraHosts.map(parseExtraHost).filter((one) => one !== undefined);
  for (const [name, target] of extra) {
    add(name, target === GATEWAY ? (hostGateway(plan) ?? '127.0.0.1') : target);
  }
  const own = plan.networks[0];
  const names = [plan.hostname, ...(plan.domainname ? [`${plan.hostname}.${plan.domainname}`] : [])];
  for (const name of names) {
    if (known.has(name.toLowerCase())) continue;
    add(name, own?.address ?? '127.0.0.1');
    if (own?.ipv6 !== undefined) add(name, own.ipv6.address);
  }
  known.set('localhost', [LOOPBACK_V4, LOOPBACK_V6]);
  return {
    find(name) {
      const address = parseAddress(name);
      return address === undefined ? known.get(name.toLowerCase()) : [address];
    },
    named: extra.map(([, target]) => target),
    hasHost: extra.some(([, target]) => target === GATEWAY),
  };
}
