import { WctrError } from '../../errors.ts';
import { parseAddress } from '../../host/network/address.ts';
import { parseSubnet, subnetHolds } from '../../host/network/subnet.ts';
import type { IpamPool } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';
import type { ParsedFlags } from '../flags.ts';

export const command: Command = {
  usage: 'NETWORK',
  args: [1, 1],
  flags: [
    { name: 'attachable', type: 'boolean', description: 'Kept, and shown by inspect' },
    { name: 'aux-address', type: 'list', value: 'name=ip', description: 'An address that no container gets' },
    { name: 'driver', short: 'd', type: 'string', value: 'string', description: 'Only bridge (default)' },
    { name: 'gateway', type: 'list', value: 'ip', description: "The host's address on it" },
    { name: 'internal', type: 'boolean', description: 'Without a way out' },
    { name: 'ip-range', type: 'list', value: 'subnet', description: 'Give addresses from this part of the subnet' },
    { name: 'ipam-driver', type: 'string', value: 'string', description: 'Only default' },
    { name: 'ipv6', type: 'boolean', description: 'Give containers addresses of IPv6, too' },
    { name: 'label', type: 'list', value: 'key=value', description: 'Label it' },
    { name: 'opt', short: 'o', type: 'list', value: 'key=value', description: 'An option for the driver; kept' },
    { name: 'subnet', type: 'list', value: 'subnet', description: 'Addresses of the network, as 10.1.0.0/16' },
  ],
  examples: ['wctr network create backend', 'wctr network create --subnet 10.1.0.0/16 --internal vault'],
  async run({ terminal, engine }, [name], flags) {
    const { networks } = await engine();
    const pools = poolsOf(flags);
    const { Id, Warning } = await networks.create({
      Name: name!,
      Driver: flags.string('driver') ?? 'bridge',
      Internal: flags.bool('internal'),
      Attachable: flags.bool('attachable'),
      EnableIPv6: flags.bool('ipv6'),
      IPAM: { Driver: flags.string('ipam-driver') ?? 'default', Config: pools, Options: {} },
      Labels: pairs(flags.list('label')),
      Options: pairs(flags.list('opt')),
    });
    if (Warning !== '') terminal.err(`WARNING: ${Warning}\n`);
    terminal.out(`${Id}\n`);
    return 0;
  },
};

/** Gateways, ranges and kept addresses belong to the subnet that holds them. */
function poolsOf(flags: ParsedFlags): IpamPool[] {
  const pools = flags.list('subnet').map((Subnet) => ({
    Subnet,
    subnet: parseSubnet(Subnet),
    gateways: [] as string[],
    ranges: [] as string[],
    kept: {} as Record<string, string>,
  }));
  const holding = (address: string, what: string) => {
    const bytes = parseAddress(address.split('/')[0] ?? '');
    const found = pools.find(({ subnet }) => subnet !== undefined && bytes !== undefined && subnetHolds(subnet, bytes));
    if (found !== undefined) return found;
    const isAlone = pools.length === 0;
    throw new WctrError(
      'invalid-argument',
      isAlone
        ? 'every ip-range or gateway must have a corresponding subnet'
        : `no matching subnet for ${what} ${address}`,
    );
  };
  for (const gateway of flags.list('gateway')) holding(gateway, 'gateway').gateways.push(gateway);
  for (const range of flags.list('ip-range')) holding(range, 'range').ranges.push(range);
  for (const [name, address] of Object.entries(pairs(flags.list('aux-address')))) {
    holding(address, 'aux-address').kept[name] = address;
  }
  return pools.map(({ Subnet, gateways, ranges, kept }) => {
    if (gateways.length > 1 || ranges.length > 1) {
      throw new WctrError('invalid-argument', `cannot configure multiple ranges or gateways on the subnet (${Subnet})`);
    }
    return {
      Subnet,
      ...(gateways[0] === undefined ? {} : { Gateway: gateways[0] }),
      ...(ranges[0] === undefined ? {} : { IPRange: ranges[0] }),
      ...(Object.keys(kept).length === 0 ? {} : { AuxiliaryAddresses: kept }),
    };
  });
}

/** `a=b`; `a` alone is empty. */
function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text): [string, string] => {
      const [key = '', ...rest] = text.split('=');
      return [key, rest.join('=')];
    }),
  );
}
