import { WctrError } from '../../errors.ts';
import type { Command, Context } from '../command.ts';
import { complain } from '../complain.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import type { ParsedFlags } from '../flags.ts';
import { converse } from '../session.ts';
import { forEachName } from './each-name.ts';
import { needTerminal } from './run-managed.ts';

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
      return startAttached(context, names[0]!, flags);
    }
    const { containers } = await context.engine();
    return forEachName(context, names, (name) =>
      containers.start(name, checkpoint === undefined ? {} : { checkpoint }),
    );
  },
};

async function startAttached(context: Context, name: string, flags: ParsedFlags): Promise<number> {
  const { containers } = await context.engine();
  const { Id: id, Config, HostConfig } = await containers.inspect(name);
  const keys = flags.string('detach-keys');
  const checkpoint = flags.string('checkpoint');
  const stdin = flags.bool('interactive') && Config.OpenStdin;
  if (Config.Tty && stdin) needTerminal(context);
  const streams = await containers.attach(id, { stdin, stdout: true, stderr: true, stream: true });
  const ended = containers.wait(id, HostConfig.AutoRemove === true ? 'removed' : 'next-exit');
  // Asked for after the output has ended; until then a failure is no news.
  ended.catch(() => {});
  const session = converse(context, {
    streams,
    ...(keys === undefined ? {} : { detachKeys: keys }),
    resize: (size) => containers.resize(id, size),
    signal: (signal) => containers.kill(id, signal),
  });
  try {
    await containers.start(id, checkpoint === undefined ? {} : { checkpoint });
  } catch (error) {
    session.stop();
    await streams.detach().catch(() => {});
    throw error;
  }
  session.resize();
  if ((await session.done) === 'detached') {
    await streams.detach().catch(() => {});
    context.terminal.err('read escape sequence\n');
    return 0;
  }
  const { StatusCode, Error: failure } = await ended;
  if (failure === undefined || failure === null) return StatusCode;
  complain(context.terminal, failure.Message);
  return 125;
}
