import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  args: [2, 2],
  flags: [],
  examples: ['wctr tag hello registry.example.com/team/hello:1.0'],
  async run({ engine }, [source, target]) {
    await (await engine()).images.tag(source!, target!);
    return 0;
  },
};
