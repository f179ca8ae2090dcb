import type { Command } from '../command.ts';
import { createProgress, NO_PROGRESS } from '../progress.ts';

export const command: Command = {
  usage: 'NAME[:TAG|@DIGEST]',
  args: [1, 1],
  flags: [
    {
      name: 'platform',
      type: 'string',
      value: 'os/arch',
      description: 'Choose this platform of a multi-platform image',
    },
    { name: 'quiet', short: 'q', type: 'boolean', description: 'Print the image name only' },
  ],
  examples: ['wctr pull ghcr.io/example/app:1.2', 'wctr pull --platform wasi/wasm localhost:5000/app'],
  async run({ terminal, engine, signal }, [reference], flags) {
    const progress = flags.bool('quiet') ? NO_PROGRESS : createProgress(terminal);
    const platform = flags.string('platform');
    try {
      const outcome = await (await engine()).images.pull(reference!, {
        signal,
        onEvent: (event) => progress.show(event),
        ...(platform === undefined ? {} : { platform }),
      });
      progress.end();
      terminal.out(`${outcome.reference}\n`);
      return 0;
    } catch (error) {
      progress.end();
      throw error;
    }
  },
};
