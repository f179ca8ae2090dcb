import { WctrError } from '../../errors.ts';
import type { Resources, RestartPolicy } from '../../spec/engine-api.ts';
import type { Command } from '../command.ts';
import { complain } from '../complain.ts';
import type { Flag, ParsedFlags } from '../flags.ts';
import { parseBytes, printable } from '../format/units.ts';
import { CREATE_FLAGS } from './create-flags.ts';
import { forEachName } from './each-name.ts';
import { integer, readRestartPolicy } from './resource-flags.ts';
import { positive } from './run-options.ts';

const NAMES = new Set([
  'blkio-weight',
  'cpu-period',
  'cpu-quota',
  'cpu-shares',
  'cpus',
  'cpuset-cpus',
  'cpuset-mems',
  'memory',
  'memory-reservation',
  'memory-swap',
  'pids-limit',
  'restart',
]);
const FLAGS: readonly Flag[] = CREATE_FLAGS.filter(({ name }) => NAMES.has(name));

export const command: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  args: [1, Number.POSITIVE_INFINITY],
  flags: FLAGS,
  examples: ['wctr update -m 128m --cpus 2 web', 'wctr update --restart on-failure:3 web'],
  async run(context, names, flags) {
    if (flags.names().length === 0) {
      throw new WctrError('invalid-argument', 'you must provide one or more flags when using this command');
    }
    const changes = readChanges(flags);
    const { containers } = await context.engine();
    const warnings: string[] = [];
    const code = await forEachName(context, names, async (name) => {
      warnings.push(...((await containers.update(name, changes)).Warnings ?? []));
    });
    for (const warning of warnings) complain(context.terminal, printable(warning));
    return code;
  },
};

/** Only what was asked for: what is left out stays as it is. */
function readChanges(flags: ParsedFlags): Resources & { RestartPolicy?: RestartPolicy } {
  const set = <T>(flag: string, member: string, read: (text: string) => T) => {
    const text = flags.string(flag);
    return text === undefined ? {} : { [member]: read(text) };
  };
  const number = (flag: string) => (text: string) => integer(text, `--${flag}`);
  const bytes = (flag: string) => (text: string) => (text === '-1' ? -1 : parseBytes(text, `--${flag}`));
  return {
    ...set('blkio-weight', 'BlkioWeight', number('blkio-weight')),
    ...set('cpu-period', 'CpuPeriod', number('cpu-period')),
    ...set('cpu-quota', 'CpuQuota', number('cpu-quota')),
    ...set('cpu-shares', 'CpuShares', number('cpu-shares')),
    ...set('cpus', 'NanoCpus', (text) => Math.round(positive(text, '--cpus') * 1e9)),
    ...set('cpuset-cpus', 'CpusetCpus', String),
    ...set('cpuset-mems', 'CpusetMems', String),
    ...set('memory', 'Memory', bytes('memory')),
    ...set('memory-reservation', 'MemoryReservation', bytes('memory-reservation')),
    ...set('memory-swap', 'MemorySwap', bytes('memory-swap')),
    ...set('pids-limit', 'PidsLimit', number('pids-limit')),
    ...set('restart', 'RestartPolicy', readRestartPolicy),
  };
}
