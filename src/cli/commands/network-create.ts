import { WctrError } from '../../errors.ts';
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
    { name: 'ipv6', type: 'boolean', description: 'Refused: networks are of IPv4' },
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

/** Gateways, ranges and kept addresses belong to the subnets in their order. */
function poolsOf(flags: ParsedFlags): IpamPool[] {
  const subnets = flags.list('subnet');
  const gateways = flags.list('gateway');
  const ranges = flags.list('ip-range');
  const kept = flags.list('aux-address');
  if (subnets.length === 0 && gateways.length + ranges.length + kept.length > 0) {
    throw new WctrError('invalid-argument', 'every ip-range or gateway must have a corresponding subnet');
  }
  return subnets.map((Subnet, i) => ({
    Subnet,
    ...(gateways[i] === undefined ? {} : { Gateway: gateways[i] }),
    ...(ranges[i] === undefined ? {} : { IPRange: ranges[i] }),
    ...(i === 0 && kept.length > 0 ? { AuxiliaryAddresses: pairs(kept) } : {}),
  }));
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
