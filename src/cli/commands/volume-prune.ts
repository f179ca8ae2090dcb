import type { Command } from '../command.ts';
import { humanSize } from '../format/units.ts';
import { readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Remove named ones too, not only those nobody named' },
    { name: 'filter', type: 'list', value: 'key=value', description: 'Only what fits (label=a=b, label!=a)' },
    { name: 'force', short: 'f', type: 'boolean', description: 'Do not ask' },
  ],
  examples: ['wctr volume prune', 'wctr volume prune --all --force --filter label!=keep'],
  async run({ terminal, engine, host }, _args, flags) {
    const all = flags.bool('all');
    const given = readFilters(flags.list('filter'));
    const filters = all ? { ...given, all: ['true'] } : given;
    const what = all ? 'all volumes' : 'all anonymous volumes';
    const question = `This removes ${what} that no container uses. Continue? [y/N] `;
    if (!flags.bool('force') && !(await host.confirm(question))) return 0;
    const { VolumesDeleted: names, SpaceReclaimed: bytes } = await (await engine()).volumes.prune(filters);
    if (names !== null && names.length > 0) {
      terminal.out(`Deleted Volumes:\n${names.map((name) => `${name}\n`).join('')}\n`);
    }
    terminal.out(`Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  },
};
