import type { StopOptions } from '../../engine/engine.ts';
import { WctrError } from '../../errors.ts';
import type { Flag, ParsedFlags } from '../flags.ts';
import { integer } from './resource-flags.ts';

export const STOP_FLAGS: readonly Flag[] = [
  { name: 'signal', short: 's', type: 'string', value: 'signal', description: "Signal instead of the container's own" },
  { name: 'timeout', short: 't', type: 'string', value: 'seconds', description: 'Time until it is killed (-1: never)' },
  { name: 'time', type: 'string', value: 'seconds', description: 'The same as --timeout' },
];

export function stopOptions(flags: ParsedFlags): StopOptions {
  if (flags.has('time') && flags.has('timeout')) {
    throw new WctrError('invalid-argument', 'conflicting options: cannot specify both --timeout and --time');
  }
  const timeout = flags.string('timeout') ?? flags.string('time');
  const signal = flags.string('signal');
  return {
    ...(timeout === undefined ? {} : { timeoutSeconds: integer(timeout, '--timeout') }),
    ...(signal === undefined ? {} : { signal }),
  };
}
