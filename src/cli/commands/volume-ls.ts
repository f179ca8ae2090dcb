import type { Volume } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';
import { renderRows } from '../format/rows.ts';
import { printable } from '../format/units.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { ...FILTER_FLAG, description: 'Only what fits (dangling=true, driver=local, label=a=b, name=data)' },
    { name: 'format', type: 'string', value: 'template', description: "Go template, 'table' or 'json'" },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print names only' },
  ],
  examples: ['wctr volume ls', 'wctr volume ls -q --filter dangling=true'],
  async run({ terminal, engine }, _args, flags) {
    const filters = readFilters(flags.list('filter'));
    const { Volumes: found } = await (await engine()).volumes.list(filters);
    if (flags.bool('quiet')) terminal.out(found.map(({ Name }) => `${printable(Name)}\n`).join(''));
    else terminal.out(renderRows(flags.string('format'), FORMAT, found.map(volumeRow)));
    return 0;
  },
};

const FORMAT = {
  columns: ['Driver', 'Name'],
  heads: {
    Driver: 'DRIVER',
    Name: 'VOLUME NAME',
    Labels: 'LABELS',
    Mountpoint: 'MOUNTPOINT',
    Scope: 'SCOPE',
    Availability: 'AVAILABILITY',
    Group: 'GROUP',
    Links: 'LINKS',
    Size: 'SIZE',
    Status: 'STATUS',
    Label: () => 'LABEL',
  },
};

function volumeRow({ Name, Driver, Labels, Mountpoint, Scope }: Volume) {
  return {
    Availability: 'N/A',
    Driver: printable(Driver),
    Group: 'N/A',
    Labels: Object.entries(Labels ?? {})
      .map(([key, value]) => printable(`${key}=${value}`))
      .join(','),
    Links: 'N/A',
    Mountpoint: printable(Mountpoint),
    Name: printable(Name),
    Scope,
    Size: 'N/A',
    Status: 'N/A',
    Label: (key: string) => printable(Labels?.[key] ?? ''),
  };
}
