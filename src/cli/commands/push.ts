import type { Command } from '../command.ts';
import { createProgress, NO_PROGRESS } from '../progress.ts';

export const command: Command = {
  usage: 'NAME[:TAG]',
  args: [1, 1],
  flags: [
    { name: 'all-tags', short: 'a', type: 'boolean', description: 'Push every tag of the repository that is here' },
    {
      name: 'platform',
      type: 'string',
      value: 'os/arch',
      description: "Push this platform's manifest alone, without its index",
    },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print the image name only' },
  ],
  examples: ['wctr push registry.example.com/team/hello:1.0', 'wctr push --all-tags localhost:5000/hello'],
  async run({ terminal, engine, signal }, [reference], flags) {
    const progress = flags.bool('quiet') ? NO_PROGRESS : createProgress(terminal);
    const platform = flags.string('platform');
    try {
      const pushed = await (await engine()).images.push(reference!, {
        all: flags.bool('all-tags'),
        signal,
        onEvent: (event) => progress.show(event),
        ...(platform === undefined ? {} : { platform }),
      });
      progress.end();
      if (flags.bool('quiet')) {
        const repository = reference!.replace(/:[^:/]*$/, '');
        for (const { tag } of pushed) terminal.out(`${repository}:${tag}\n`);
      }
      return 0;
    } catch (error) {
      progress.end();
      throw error;
    }
  },
};
