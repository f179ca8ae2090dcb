import type { Command } from '../command.ts';
import { humanSize } from '../format/units.ts';
import { FILTER_FLAG, readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { ...longOnly(FILTER_FLAG), description: 'Only what fits (until=24h, label=a=b)' },
    { name: 'force', short: 'f', type: 'boolean', description: 'Do not ask' },
  ],
  examples: ['wctr container prune', 'wctr container prune -f --filter until=24h'],
  async run({ terminal, engine, host }, _args, flags) {
    const filters = readFilters(flags.list('filter'));
    if (!flags.bool('force') && !(await host.confirm('This removes all stopped containers. Continue? [y/N] ')))
      return 0;
    const { ContainersDeleted: removed, SpaceReclaimed: bytes } = await (await engine()).containers.prune(filters);
    const ids = removed ?? [];
    if (ids.length > 0) terminal.out(`Deleted Containers:\n${ids.map((id) => `${id}\n`).join('')}\n`);
    terminal.out(`Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  },
};

/** `-f` means --force here. */
function longOnly({ short: _, ...flag }: typeof FILTER_FLAG) {
  return flag;
}
