/** /etc/hosts and /etc/resolv.conf of a container, as docker writes them. */
import { hostGateway, parseExtraHost } from '../../host/network/hosts.ts';
import type { NetworkPlan } from '../../host/network/port.ts';
import { STANDARD_HOSTS } from '../../host/runner/standard-hosts.ts';

/** A container that is linked to: its address and what it is called here. */
export interface LinkedHost {
  readonly address: string;
  readonly names: readonly string[];
}

export function hostsFile(plan: NetworkPlan, linked: readonly LinkedHost[] = []): string {
  const { hostname, domainname, networks, extraHosts, mode } = plan;
  const own = domainname === undefined ? hostname : `${hostname}.${domainname} ${hostname}`;
  const extra = extraHosts.flatMap((line) => {
    const host = parseExtraHost(line);
    if (host === undefined) return [];
    const address = host[1] === 'host-gateway' ? (hostGateway(plan) ?? '127.0.0.1') : host[1];
    return [`${address}\t${host[0]}`];
  });
  const addresses = networks.flatMap(({ address, ipv6 }) => [address, ...(ipv6 === undefined ? [] : [ipv6.address])]);
  return [
    ...STANDARD_HOSTS,
    ...extra,
    ...linked.map(({ address, names }) => `${address}\t${names.join(' ')}`),
    ...(mode === 'networks' ? addresses : ['127.0.0.1']).map((address) => `${address}\t${own}`),
    '',
  ].join('\n');
}

/** Empty where there is nobody to ask. */
export function resolvFile({ mode, dns }: NetworkPlan, options: readonly string[]): string {
  if (mode !== 'networks') return '';
  const { search = [] } = dns ?? {};
  return [
    'nameserver 127.0.0.11',
    ...(search.length === 0 || search.includes('.') ? [] : [`search ${search.join(' ')}`]),
    `options ${options.length === 0 ? 'ndots:0' : options.join(' ')}`,
    '',
  ].join('\n');
}
