import type { Command } from '../command.ts';
import { humanSize, parseBytes, printableLine } from '../format/units.ts';
import { readFilters } from './filters.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    { name: 'all', short: 'a', type: 'boolean', description: 'Remove also what a later build could use' },
    { name: 'filter', type: 'list', value: 'key=value', description: 'Only what fits (until=24h, id=..., type=...)' },
    { name: 'force', short: 'f', type: 'boolean', description: 'Do not ask' },
    {
      name: 'keep-storage',
      type: 'string',
      value: 'bytes',
      description: 'Remove the longest unused until no more than this is kept (512m, 10g)',
    },
    { name: 'max-used-space', type: 'string', value: 'bytes', description: 'The same' },
  ],
  examples: ['wctr builder prune', 'wctr builder prune --all --force', 'wctr builder prune -f --keep-storage 1g'],
  async run({ terminal, engine, host }, _args, flags) {
    const all = flags.bool('all');
    const filters = readFilters(flags.list('filter'));
    const keep = flags.string('keep-storage') ?? flags.string('max-used-space');
    const keepBytes = keep === undefined ? undefined : parseBytes(keep, '--keep-storage');
    const what = all ? 'all of the build cache' : 'what no build can use any more';
    if (!flags.bool('force') && !(await host.confirm(`This removes ${what}. Continue? [y/N] `))) return 0;
    const { builds } = await engine();
    const { CachesDeleted: ids, SpaceReclaimed: bytes } = await builds.prune({
      all,
      filters,
      ...(keepBytes === undefined ? {} : { keepBytes }),
    });
    if (ids.length > 0)
      terminal.out(`Deleted build cache objects:\n${ids.map((id) => `${printableLine(id)}\n`).join('')}\n`);
    terminal.out(`Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  },
};
