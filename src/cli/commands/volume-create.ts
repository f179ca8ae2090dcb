import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  usage: '[VOLUME]',
  args: [0, 1],
  flags: [
    {
      name: 'driver',
      short: 'd',
      type: 'string',
      value: 'string',
      description: 'What keeps the data: local (default), memfs',
    },
    { name: 'label', type: 'list', value: 'key=value', description: 'Label it' },
    { name: 'name', type: 'string', value: 'string', description: 'Its name; the same as VOLUME' },
    { name: 'opt', short: 'o', type: 'list', value: 'key=value', description: 'An option for the driver' },
  ],
  examples: ['wctr volume create data', 'wctr volume create --driver memfs --label purpose=cache scratch'],
  async run({ terminal, engine }, [argument], flags) {
    const named = flags.string('name');
    if (named !== undefined && argument !== undefined) {
      throw new WctrError(
        'invalid-argument',
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg',
      );
    }
    const name = argument ?? named;
    const driver = flags.string('driver');
    const { volumes } = await engine();
    const { Name } = await volumes.create({
      ...(name === undefined ? {} : { Name: name }),
      ...(driver === undefined ? {} : { Driver: driver }),
      DriverOpts: pairs(flags.list('opt')),
      Labels: pairs(flags.list('label')),
    });
    terminal.out(`${Name}\n`);
    return 0;
  },
};

/** `a=b`; `a` alone is empty. */
function pairs(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text): [string, string] => {
      const [key = '', ...rest] = text.split('=');
      return [key, rest.join('=')];
    }),
  );
}
