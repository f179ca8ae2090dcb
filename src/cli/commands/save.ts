import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'IMAGE [IMAGE...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    {
      name: 'output',
      short: 'o',
      type: 'string',
      value: 'path',
      description: 'Write to this file instead of standard output',
    },
  ],
  examples: ['wctr save -o hello.tar hello', 'wctr save hello | docker load'],
  async run({ terminal, engine, host }, names, flags) {
    const output = flags.string('output');
    if (output === undefined && terminal.stdoutIsTTY) {
      throw new WctrError('invalid-argument', 'cowardly refusing to save to a terminal', {
        hint: 'use -o FILE or redirect',
      });
    }
    const archive = (await engine()).images.save(names);
    if (output !== undefined) await host.writeStream(output, archive);
    else for await (const chunk of archive) await host.writeStdout(chunk);
    return 0;
  },
};
