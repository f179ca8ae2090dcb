import { ERROR_TABLE, WctrError } from '../../errors.ts';
import type { ExecConfig } from '../../spec/engine-api.ts';
import type { Command, Context } from '../command.ts';
import { DEFAULT_DETACH_KEYS, parseDetachKeys } from '../detach-keys.ts';
import type { ParsedFlags } from '../flags.ts';
import { converse } from '../session.ts';
import { readEnvironment } from './environment.ts';
import { needTerminal } from './start-attached.ts';

export const command: Command = {
  usage: 'CONTAINER COMMAND [ARG...]',
  args: [2, Number.POSITIVE_INFINITY],
  interspersed: false,
  flags: [
    { name: 'detach', short: 'd', type: 'boolean', description: 'Run in the background' },
    { name: 'detach-keys', type: 'string', value: 'keys', description: 'Keys that leave it (default ctrl-p,ctrl-q)' },
    { name: 'env', short: 'e', type: 'list', value: 'NAME=value', description: 'Set an environment variable' },
    { name: 'env-file', type: 'list', value: 'path', description: 'Read environment variables from a file' },
    { name: 'interactive', short: 'i', type: 'boolean', description: 'Give the program standard input' },
    { name: 'privileged', type: 'boolean', description: 'Accepted; there are no privileges to give' },
    { name: 'tty', short: 't', type: 'boolean', description: 'Give the program a terminal' },
    { name: 'user', short: 'u', type: 'string', value: 'uid[:gid]', description: 'User, by number or by name' },
    { name: 'workdir', short: 'w', type: 'string', value: 'path', description: 'Working directory' },
  ],
  examples: ['wctr exec web ls /', 'wctr exec -it web sh', 'wctr exec -d -e A=1 web /job.wasm'],
  exitCode: (code) => (ERROR_TABLE[code].exit === 125 ? undefined : ERROR_TABLE[code].exit),
  async run(context, [name, ...words], flags) {
    const engine = await context.engine();
    const cmd = words[0] === '--' ? words.slice(1) : words;
    if (cmd.length === 0) throw new WctrError('invalid-argument', 'no command to run in the container');
    const keys = flags.string('detach-keys') ?? DEFAULT_DETACH_KEYS;
    parseDetachKeys(keys);
    const config = await execConfig(context, cmd, flags);
    if (config.Tty === true && config.AttachStdin === true) needTerminal(context);
    const { Id: id } = await engine.exec.create(name!, config);
    const tty = flags.bool('tty');
    if (flags.bool('detach')) {
      await engine.exec.startDetached(id, { tty });
      return 0;
    }
    const { ConsoleSize: size } = config;
    const streams = await engine.exec.start(id, {
      tty,
      ...(size === undefined || size === null ? {} : { consoleSize: size }),
    });
    const session = converse(context, { streams, detachKeys: keys, resize: (to) => engine.exec.resize(id, to) });
    session.resize();
    if ((await session.done) === 'detached') {
      await streams.detach().catch(() => {});
      context.terminal.err('read escape sequence\n');
      return 0;
    }
    return (await engine.exec.inspect(id)).ExitCode ?? 0;
  },
};

async function execConfig(context: Context, cmd: readonly string[], flags: ParsedFlags): Promise<ExecConfig> {
  const attached = !flags.bool('detach');
  const tty = flags.bool('tty');
  const env = await readEnvironment(context, flags);
  const size = tty && attached ? context.terminal.size() : undefined;
  return {
    User: flags.string('user') ?? '',
    Privileged: flags.bool('privileged'),
    Tty: tty,
    AttachStdin: attached && flags.bool('interactive'),
    AttachStdout: attached,
    AttachStderr: attached,
    DetachKeys: flags.string('detach-keys') ?? '',
    Env: env.length === 0 ? null : env,
    WorkingDir: flags.string('workdir') ?? '',
    Cmd: cmd,
    ...(size === undefined ? {} : { ConsoleSize: [size.height, size.width] as const }),
  };
}
