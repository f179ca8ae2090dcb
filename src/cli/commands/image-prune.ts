import type { Command } from '../command.ts';
import { humanSize } from '../format/units.ts';
import { removalLines } from './image-rm.ts';

export const command: Command = {
  usage: '',
  args: [0, 0],
  flags: [
    {
      name: 'all',
      short: 'a',
      type: 'boolean',
      description: 'Remove every image no container uses, not only those without a name',
    },
    { name: 'force', short: 'f', type: 'boolean', description: 'Do not ask' },
  ],
  examples: ['wctr image prune', 'wctr image prune --all --force'],
  async run({ terminal, engine, host }, _args, flags) {
    const all = flags.bool('all');
    const what = all ? 'all images that no container uses' : 'all images without a name';
    if (!flags.bool('force') && !(await host.confirm(`This removes ${what}. Continue? [y/N] `))) return 0;
    const { removed, reclaimedBytes } = await (await engine()).images.prune({ all });
    terminal.out(`${removalLines(removed)}Total reclaimed space: ${humanSize(reclaimedBytes)}\n`);
    return 0;
  },
};
