import type { Command } from '../command.ts';
import { printableLine } from '../format/units.ts';

const LETTERS = ['C', 'A', 'D'] as const;

export const command: Command = {
  usage: 'CONTAINER',
  args: [1, 1],
  flags: [],
  examples: ['wctr diff web'],
  async run({ terminal, engine }, [name]) {
    const changes = await (await engine()).containers.changes(name!);
    terminal.out(changes.map(({ Kind: kind, Path: path }) => `${LETTERS[kind]} ${printableLine(path)}\n`).join(''));
    return 0;
  },
};
