import { WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import type { ParsedFlags } from '../flags.ts';
import { forEachName } from './each-name.ts';
import { needTerminal, startAttached } from './start-attached.ts';

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: [
    { name: 'attach', short: 'a', type: 'boolean', description: 'Show its output, pass signals on, exit as it exits' },
    { name: 'interactive', short: 'i', type: 'boolean', description: 'Give it standard input' },
    { name: 'detach-keys', type: 'string', value: 'keys', description: 'Keys that leave it' },
    { name: 'checkpoint', type: 'string', value: 'name', description: 'Start from this checkpoint' },
  ],
  examples: ['wctr start web', 'wctr start -ai shell'],
  async run(context, names, flags) {
    const keys = flags.string('detach-keys');
    if (keys !== undefined) parseDetachKeys(keys);
    const checkpoint = flags.string('checkpoint');
    if (flags.bool('attach') || flags.bool('interactive')) {
      if (names.length > 1)
        throw new WctrError('invalid-argument', 'you cannot start and attach multiple containers at once');
      return startOne(context, names[0]!, flags);
    }
    const { containers } = await context.engine();
    return forEachName(context, names, (name) =>
      containers.start(name, checkpoint === undefined ? {} : { checkpoint }),
    );
  },
};

async function startOne(context: Context, name: string, flags: ParsedFlags): Promise<number> {
  const { containers } = await context.engine();
  const { Id: id, Config, HostConfig } = await containers.inspect(name);
  const stdin = flags.bool('interactive') && Config.OpenStdin;
  if (Config.Tty && stdin) needTerminal(context);
  return startAttached(context, {
    id,
    streams: { stdin, stdout: true, stderr: true },
    autoRemove: HostConfig.AutoRemove === true,
    signalProxy: true,
    detachKeys: flags.string('detach-keys'),
    checkpoint: flags.string('checkpoint'),
  });
}
