import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'CONTAINER NEW_NAME',
  args: [2, 2],
  flags: [],
  examples: ['wctr rename web web-old'],
  async run({ engine }, [name, newName]) {
    await (await engine()).containers.rename(name!, newName!);
    return 0;
  },
};
