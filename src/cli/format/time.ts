import { WctrError } from '../../errors.ts';
import { parseNanoseconds } from './units.ts';

/**
 * `--since` and `--until` as docker reads them: how long ago (`10m`), seconds since the epoch, or a date, whole or in
 * part, in the local zone when it names none. Result: seconds since the epoch, with decimals where there are some.
 */
export function readTime(text: string | undefined, flag: string, nowMs: number): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d+(\.\d{1,9})?$/.test(text)) return text;
  if (/^\d{4}-\d\d-\d\d/.test(text)) return dateSeconds(text, flag);
  if (!/^-?[\d.]/.test(text)) throw bad(text, flag);
  const ago = parseNanoseconds(text.replace(/^-/, ''), flag) / 1e6;
  // To the millisecond, where docker drops what is left of the second: `--until 0s` means what has happened so far.
  return String(Math.round(text.startsWith('-') ? nowMs + ago : nowMs - ago) / 1000);
}

function dateSeconds(text: string, flag: string): string {
  const [, day, clock = '00:00:00', fraction = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d(?::\d\d){0,2}))?(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  if (day === undefined) throw bad(text, flag);
  const whole = [...clock.split(':'), '00', '00'].slice(0, 3).join(':');
  const ms = Date.parse(`${day}T${whole}${zone}`);
  if (Number.isNaN(ms)) throw bad(text, flag);
  return `${ms / 1000}.${fraction.slice(1).padEnd(9, '0')}`;
}

function bad(text: string, flag: string): WctrError {
  return new WctrError('invalid-argument', `invalid time "${text}" for ${flag}`, {
    hint: 'write 10m, 2026-01-02T13:23:37Z or seconds since 1970',
  });
}

/** `2026-01-02 13:23:37 +0000 UTC`, in the local zone. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  return `${dateParts(date).join(' ')} ${zoneOffset(date, '')} ${zoneName(date)}`;
}

/** RFC 3339 in the local zone with nanoseconds. */
export function localNanoTime(seconds: number, nanoseconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = date.getTimezoneOffset() === 0 ? 'Z' : zoneOffset(date, ':');
  return `${dateParts(date).join('T')}.${String(nanoseconds).padStart(9, '0')}${offset}`;
}

function dateParts(date: Date): [day: string, clock: string] {
  const two = (value: number) => String(value).padStart(2, '0');
  return [
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':'),
  ];
}

function zoneOffset(date: Date, colon: string): string {
  const minutes = -date.getTimezoneOffset();
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${String(hour).padStart(2, '0')}${colon}${String(minute).padStart(2, '0')}`;
}

function zoneName(date: Date): string {
  const part = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' })
    .formatToParts(date)
    .find(({ type }) => type === 'timeZoneName');
  return part?.value ?? 'UTC';
}
