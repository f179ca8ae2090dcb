import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'CONTAINER',
  args: [1, 1],
  flags: [{ name: 'output', short: 'o', type: 'string', value: 'path', description: 'Write to this file' }],
  examples: ['wctr export -o web.tar web', 'wctr export web | tar -t'],
  async run({ terminal, engine, host }, [name], flags) {
    const output = flags.string('output');
    if (output === undefined && terminal.stdoutIsTTY) {
      throw new WctrError('invalid-argument', 'cowardly refusing to save to a terminal', {
        hint: 'use -o FILE or redirect',
      });
    }
    const tar = (await engine()).containers.export(name!);
    if (output !== undefined) await host.writeStream(output, tar);
    else for await (const chunk of tar) await host.writeStdout(chunk);
    return 0;
  },
};
