import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import { converse } from '../session.ts';
import { finish, needTerminal } from './start-attached.ts';

export const command: Command = {
  usage: 'CONTAINER',
  args: [1, 1],
  flags: [
    { name: 'detach-keys', type: 'string', value: 'keys', description: 'Keys that leave it (default ctrl-p,ctrl-q)' },
    { name: 'no-stdin', type: 'boolean', description: 'Do not pass standard input on' },
    { name: 'sig-proxy', type: 'boolean', description: 'Pass signals on to the program (default true)' },
  ],
  examples: ['wctr attach web', 'wctr attach --no-stdin web'],
  async run(context, [name], flags) {
    const keys = flags.string('detach-keys');
    if (keys !== undefined) parseDetachKeys(keys);
    const { containers } = await context.engine();
    const { Id: id, Config, State } = await containers.inspect(name!);
    const why = !State.Running ? 'stopped' : State.Paused ? 'paused' : State.Restarting ? 'restarting' : undefined;
    if (why !== undefined) {
      const first = { stopped: 'start it first', paused: 'unpause it first', restarting: 'wait until it is running' }[
        why
      ];
      throw new WctrError('conflict', `you cannot attach to a ${why} container, ${first}`);
    }
    const stdin = !flags.bool('no-stdin') && Config.OpenStdin;
    if (Config.Tty && stdin) needTerminal(context);
    // Before the output is shown: the program may end while it is.
    const ended = containers.wait(id, 'next-exit');
    ended.catch(() => {});
    const streams = await containers.attach(id, { stdin, stdout: true, stderr: true, stream: true });
    const session = converse(context, {
      streams,
      ...(keys === undefined ? {} : { detachKeys: keys }),
      resize: (size) => containers.resize(id, size),
      ...(flags.string('sig-proxy') === 'false' ? {} : { signal: (signal) => containers.kill(id, signal) }),
    });
    session.resize();
    return finish(context, { session, streams, ended, failed: 1 });
  },
};
