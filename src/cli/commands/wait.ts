import { isWctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { complain } from '../complain.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [],
  examples: ['wctr wait web'],
  async run({ terminal, engine, signal }, names) {
    const { containers } = await engine();
    let code = 0;
    for (const name of names) {
      try {
        const { StatusCode, Error: failure } = await containers.wait(name, 'not-running', signal);
        terminal.out(`${StatusCode}\n`);
        if (failure !== undefined && failure !== null) complain(terminal, failure.Message);
      } catch (error) {
        if (!isWctrError(error) || error.code === 'cancelled') throw error;
        complain(terminal, error.message, error.hint);
        code = 1;
      }
    }
    return code;
  },
};
