import { WctrError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { readTime } from '../format/time.ts';
import { InertText } from '../inert-text.ts';

export const command: Command = {
  usage: 'CONTAINER',
  args: [1, 1],
  flags: [
    { name: 'details', type: 'boolean', description: "Show the log's extra attributes" },
    { name: 'follow', short: 'f', type: 'boolean', description: 'Go on with what is written from now on' },
    {
      name: 'since',
      type: 'string',
      value: 'time',
      description: 'From this time on (2026-01-02T13:23:37Z, or 42m ago)',
    },
    { name: 'tail', short: 'n', type: 'string', value: 'lines', description: "The last so many lines (default 'all')" },
    { name: 'timestamps', short: 't', type: 'boolean', description: 'Show when each line was written' },
    { name: 'until', type: 'string', value: 'time', description: 'Until this time' },
  ],
  examples: ['wctr logs web', 'wctr logs -f --tail 20 web', 'wctr logs --since 10m -t web'],
  async run({ terminal, engine, host, signal }, [name], flags) {
    const tail = readTail(flags.string('tail'));
    const since = readTime(flags.string('since'), '--since', Date.now());
    const until = readTime(flags.string('until'), '--until', Date.now());
    const { containers } = await engine();
    const chunks = containers.logs(name!, {
      stdout: true,
      stderr: true,
      follow: flags.bool('follow'),
      timestamps: flags.bool('timestamps'),
      details: flags.bool('details'),
      signal,
      ...(tail === undefined ? {} : { tail }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
    });
    // What a program wrote must not command the terminal it is looked at with. A file or pipe gets every byte.
    const inert = {
      stdout: terminal.stdoutIsTTY ? new InertText() : undefined,
      stderr: terminal.stderrIsTTY ? new InertText() : undefined,
    };
    for await (const { stream, bytes } of chunks) {
      const shown = inert[stream]?.push(bytes) ?? bytes;
      await (stream === 'stdout' ? host.writeStdout(shown) : host.writeStderr(shown));
    }
    return 0;
  },
};

function readTail(text: string | undefined): number | undefined {
  if (text === undefined || text === 'all') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  // A negative number is everything, as docker reads it.
  if (/^-\d+$/.test(text)) return undefined;
  throw new WctrError('invalid-argument', `invalid value "${text}" for --tail`, { hint: "write a number, or 'all'" });
}
