import type { Network } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';
import { renderRows } from '../format/rows.ts';
import { printable } from '../format/units.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { ...FILTER_FLAG, description: 'Only what fits (driver=bridge, type=custom, label=a=b, name=net, dangling=true)' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
    { name: 'no-trunc', type: 'boolean', description: 'Print whole ids' },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print ids only' },
  ],
  examples: ['wctr network ls', 'wctr network ls -q --filter type=custom'],
  async run({ terminal, engine }, _args, flags) {
    const filters = readFilters(flags.list('filter'));
    const found = await (await engine()).networks.list(filters);
    const sorted = [...found].sort((a, b) => (a.Name < b.Name ? -1 : 1));
    const rows = sorted.map((network) => networkRow(network, flags.bool('no-trunc')));
    if (flags.bool('quiet')) terminal.out(rows.map(({ ID }) => `${ID}\n`).join(''));
    else terminal.out(renderRows(flags.string('format'), FORMAT, rows));
    return 0;
  },
};

const FORMAT = {
  columns: ['ID', 'Name', 'Driver', 'Scope'],
  heads: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    CreatedAt: 'CREATED AT',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    Label: () => 'LABEL',
  },
};

function networkRow(network: Network, whole: boolean) {
  const { Id, Name, Driver, Scope, Created, Internal, Labels, EnableIPv4, EnableIPv6 } = network;
  return {
    CreatedAt: Created,
    Driver: printable(Driver),
    ID: whole ? Id : Id.slice(0, 12),
    IPv4: String(EnableIPv4 ?? true),
    IPv6: String(EnableIPv6 ?? false),
    Internal: String(Internal),
    Labels: Object.entries(Labels)
      .map(([key, value]) => printable(`${key}=${value}`))
      .join(','),
    Name: printable(Name),
    Scope,
    Label: (key: string) => printable(Labels[key] ?? ''),
  };
}
