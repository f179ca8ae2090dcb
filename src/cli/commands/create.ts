import type { Command } from '../command.ts';
import { createContainer } from './create-container.ts';
import { CREATE_FLAGS } from './create-flags.ts';
import { createRequest } from './create-request.ts';

export const command: Command = {
  usage: 'IMAGE|FILE.wasm [COMMAND] [ARG...]',
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  flags: CREATE_FLAGS,
  examples: ['wctr create --name web -p 8080:80 app', 'wctr start -a web'],
  async run(context, args, flags) {
    const request = await createRequest(context, args, flags);
    context.terminal.out(`${await createContainer(context, request, flags)}\n`);
    return 0;
  },
};
