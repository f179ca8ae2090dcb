import type { Command } from '../command.ts';
import { readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    {
      name: 'filter',
      type: 'list',
      value: 'key=value',
      description: 'Only what fits (until=24h, label=a=b, label!=a)',
    },
    { name: 'force', short: 'f', type: 'boolean', description: 'Do not ask' },
  ],
  examples: ['wctr network prune', 'wctr network prune --force --filter until=24h'],
  async run({ terminal, engine, host }, _args, flags) {
    const question = 'This removes all networks of your own that no container uses. Continue? [y/N] ';
    if (!flags.bool('force') && !(await host.confirm(question))) return 0;
    const filters = readFilters(flags.list('filter'));
    const { NetworksDeleted: names } = await (await engine()).networks.prune(filters);
    if (names !== null && names.length > 0) {
      terminal.out(`Deleted Networks:\n${names.map((name) => `${name}\n`).join('')}\n`);
    }
    return 0;
  },
};
