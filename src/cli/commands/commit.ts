import type { Command } from '../command.ts';

export const command: Command = {
  usage: 'CONTAINER [REPOSITORY[:TAG]]',
  args: [1, 2],
  flags: [
    { name: 'author', short: 'a', type: 'string', value: 'name', description: 'Author of the image' },
    { name: 'change', short: 'c', type: 'list', value: 'instruction', description: 'Apply a Dockerfile instruction' },
    { name: 'message', short: 'm', type: 'string', value: 'text', description: 'Comment for the history' },
    { name: 'pause', short: 'p', type: 'boolean', description: 'Pause it meanwhile (default true)' },
  ],
  examples: [`wctr commit -m 'with data' -c 'CMD ["serve"]' web web:2`],
  async run({ terminal, engine }, [name, reference], flags) {
    const [author, message] = [flags.string('author'), flags.string('message')];
    const { Id: id } = await (await engine()).containers.commit(name!, {
      changes: flags.list('change'),
      pause: flags.string('pause') !== 'false',
      ...(reference === undefined ? {} : { reference }),
      ...(author === undefined ? {} : { author }),
      ...(message === undefined ? {} : { message }),
    });
    terminal.out(`${id}\n`);
    return 0;
  },
};
