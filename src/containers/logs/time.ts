/** RFC 3339 with nanoseconds, which Date does not have. Times are nanoseconds since the epoch. */
import { WctrError } from '../../errors.ts';

const NS_PER_MS = 1_000_000n;

/** As Go's RFC3339Nano: UTC, no zeros at the end of the fraction. */
export function formatTime(time: bigint): string {
  const fixed = formatTimeFixed(time);
  return fixed.replace(/\.?0+Z$/, 'Z');
}

/** Always nine digits. */
export function formatTimeFixed(time: bigint): string {
  const ms = time / NS_PER_MS;
  const iso = new Date(Number(ms)).toISOString();
  return `${iso.slice(0, 23)}${String(time - ms * NS_PER_MS).padStart(6, '0')}Z`;
}

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

/** Undefined for what is no RFC 3339 time. */
export function parseTime(text: string): bigint | undefined {
  const [, seconds, fraction = '', zone] = RFC3339.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0'));
}

/** `since` and `until`: an RFC 3339 time, or seconds since the epoch with up to nine decimals. */
export function parseTimeBound(text: string, what: string): bigint {
  const [, whole, fraction = ''] = /^(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole !== undefined) return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  const time = parseTime(text);
  if (time !== undefined) return time;
  throw new WctrError('invalid-argument', `invalid value for "${what}": ${JSON.stringify(text)} is not a time`, {
    hint: 'write an RFC 3339 time, or seconds since the epoch',
  });
}
