/** /etc/hosts and /etc/resolv.conf of a container, as docker writes them. */
import { hostGateway, parseExtraHost } from '../../host/network/hosts.ts';
import type { NetworkPlan } from '../../host/network/port.ts';

/** A container that is linked to: its address and what it is called here. */
export interface LinkedHost {
  readonly address: string;
  readonly names: readonly string[];
}

const STANDARD = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::\tip6-localnet',
  'ff00::\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

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
    ...STANDARD,
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
