import type { BuildCacheRecord } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';
import { type Row, renderRows } from '../format/rows.ts';
import { humanAge, humanSize, printableLine } from '../format/units.ts';
import { readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'filter', type: 'list', value: 'key=value', description: 'Only what fits (id=..., type=regular)' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
    { name: 'verbose', type: 'boolean', description: 'Show each record in full' },
  ],
  examples: ['wctr builder du', "wctr builder du --format '{{.ID}} {{.Size}}'", 'wctr builder du --verbose'],
  async run({ terminal, engine }, _args, flags) {
    const { builds } = await engine();
    const records = await builds.usage(readFilters(flags.list('filter')));
    if (flags.bool('verbose')) {
      terminal.out(records.map(verbose).join(''));
    } else {
      const columns = ['ID', 'Reclaimable', 'Size', 'LastUsedAt'];
      const heads = { ID: 'ID', Reclaimable: 'RECLAIMABLE', Size: 'SIZE', LastUsedAt: 'LAST ACCESSED' };
      const extra = { ...heads, Type: 'TYPE', Description: 'DESCRIPTION', Shared: 'SHARED', UsageCount: 'USAGE' };
      terminal.out(renderRows(flags.string('format'), { columns, heads: extra }, records.map(row)));
    }
    if (flags.has('format')) return 0;
    terminal.out(totals(records));
    return 0;
  },
};

function row(record: BuildCacheRecord): Row {
  return {
    ID: printableLine(record.ID),
    Type: record.Type,
    Description: printableLine(record.Description),
    Shared: String(record.Shared),
    Reclaimable: String(!record.InUse),
    Size: humanSize(record.Size),
    UsageCount: String(record.UsageCount),
    LastUsedAt: record.LastUsedAt === null ? '' : humanAge(record.LastUsedAt, Date.now()),
  };
}

function verbose(record: BuildCacheRecord): string {
  const lines: readonly (readonly [string, string])[] = [
    ['ID', record.ID],
    ...(record.Parents.length > 0 ? ([['Parents', record.Parents.join(', ')]] as const) : []),
    ['Created at', record.CreatedAt],
    ['Mutable', 'false'],
    ['Reclaimable', String(!record.InUse)],
    ['Shared', String(record.Shared)],
    ['Size', humanSize(record.Size)],
    ['Description', record.Description],
    ['Usage count', String(record.UsageCount)],
    ...(record.LastUsedAt === null ? [] : ([['Last used', humanAge(record.LastUsedAt, Date.now())]] as const)),
    ['Type', record.Type],
  ];
  return `${lines.map(([name, value]) => `${`${name}:`.padEnd(16)}${printableLine(value)}\n`).join('')}\n`;
}

function totals(records: readonly BuildCacheRecord[]): string {
  const sum = (some: readonly BuildCacheRecord[]) => humanSize(some.reduce((total, { Size }) => total + Size, 0));
  const lines: readonly (readonly [string, string])[] = [
    ['Shared', sum(records.filter(({ Shared }) => Shared))],
    ['Private', sum(records.filter(({ Shared }) => !Shared))],
    ['Reclaimable', sum(records.filter(({ InUse }) => !InUse))],
    ['Total', sum(records)],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(16)}${value}\n`).join('');
}
