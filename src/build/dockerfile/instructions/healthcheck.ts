import { type Stretch, wordOf } from '../arguments.ts';
import type { CommandForm, HealthcheckInstruction, HealthTimes } from '../ast.ts';
import type { FlagKind } from '../flags.ts';
import { parseGoDuration } from '../go-duration.ts';
import type { Word } from '../source.ts';
import { isSpaceCode, skipSpace } from '../space.ts';
import { baseOf, commandForm, flagsOf, isEmpty, needs, refuseAt, type Statement } from './statement.ts';

const FLAGS: Readonly<Record<string, FlagKind>> = {
  interval: 'text',
  timeout: 'text',
  'start-period': 'text',
  'start-interval': 'text',
  retries: 'text',
};
const NO_TIMES: HealthTimes = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
const LEAST_NS = 1_000_000;
const USAGE = 'HEALTHCHECK CMD command, or HEALTHCHECK NONE';

/** `HEALTHCHECK [--interval=…] CMD command` and `HEALTHCHECK NONE`; the duration flags are Go's: `1m30s`. */
export function parseHealthcheck(statement: Statement): HealthcheckInstruction {
  if (isEmpty(statement)) throw needs(statement, 'at least one argument', USAGE);
  const { type, rest } = typeAndRest(statement.rest);
  const command = commandForm(statement, rest);
  const upper = type.text.toUpperCase();
  if (upper === 'NONE') {
    if (!isNothing(command)) {
      throw refuseAt(statement, wordOf(rest).span, 'HEALTHCHECK NONE takes no arguments', { hint: `write ${USAGE}` });
    }
    return { ...baseOf('healthcheck', statement), command: undefined, times: NO_TIMES };
  }
  const flags = flagsOf(statement, FLAGS);
  if (upper !== 'CMD') {
    throw refuseAt(statement, type.span, `Unknown type "${upper}" in HEALTHCHECK (try CMD)`, {
      hint: `write ${USAGE}`,
    });
  }
  if (isNothing(command)) {
    throw refuseAt(statement, type.span, 'Missing command after HEALTHCHECK CMD', { hint: `write ${USAGE}` });
  }
  const duration = (name: string) => durationOf(statement, name, flags.text(name));
  const times = {
    interval: duration('interval'),
    timeout: duration('timeout'),
    startPeriod: duration('start-period'),
    startInterval: duration('start-interval'),
    retries: retriesOf(statement, flags.text('retries')),
  };
  return { ...baseOf('healthcheck', statement), command, times };
}

function isNothing(command: CommandForm): boolean {
  return command.form === 'exec' ? command.args.length === 0 : command.line.text === '';
}

function typeAndRest({ line, start, end }: Stretch): { type: Word; rest: Stretch } {
  let at = start;
  while (at < end && !isSpaceCode(line.text.charCodeAt(at))) at += 1;
  return {
    type: wordOf({ line, start, end: at }),
    rest: { line, start: Math.min(skipSpace(line.text, at), end), end },
  };
}

function durationOf(statement: Statement, name: string, word: Word | undefined): number {
  if (word === undefined || word.text === '') return 0;
  const nanoseconds = parseGoDuration(word.text);
  if (nanoseconds === undefined) {
    throw refuseAt(statement, word.span, `time: invalid duration "${word.text}"`, {
      hint: 'write 30s, 1m30s or 500ms',
    });
  }
  if (nanoseconds !== 0 && nanoseconds < LEAST_NS) {
    throw refuseAt(statement, word.span, `Interval "${name}" cannot be less than 1ms`, { hint: 'write 30s or 500ms' });
  }
  return nanoseconds;
}

function retriesOf(statement: Statement, word: Word | undefined): number {
  if (word === undefined || word.text === '') return 0;
  const retries = /^[+-]?\d+$/.test(word.text) ? Number(word.text) : Number.NaN;
  if (!(Math.abs(retries) <= 0x7fff_ffff)) {
    throw refuseAt(statement, word.span, `--retries is no whole number: "${word.text}"`, { hint: 'write --retries=3' });
  }
  if (retries < 0) {
    throw refuseAt(statement, word.span, `--retries cannot be negative (${retries})`, { hint: 'write --retries=3' });
  }
  return retries;
}
