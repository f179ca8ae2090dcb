/** Sizes, times and names as docker prints them, and the sizes users type. */
import { WctrError } from '../../errors.ts';

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** 13256 -> `13.3kB`: three significant digits, powers of 1000. */
export function humanSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${DECIMAL[unit]}`;
}

const BINARY_NAMES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** 1000000 -> `976.6KiB`: four significant digits, powers of 1024. */
export function binarySize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BINARY_NAMES.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${BINARY_NAMES[unit]}`;
}

const BINARY: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `512m`, `1.5g`, `64kb`, `64KiB`, `1048576` -> bytes (powers of 1024, as docker reads memory sizes). */
export function parseBytes(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgt]?)i?b?$/i.exec(text.trim());
  const bytes = match ? Math.floor(Number(match[1]) * BINARY[(match[2] || 'b').toLowerCase()]!) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) {
    throw new WctrError('invalid-argument', `invalid size "${text}" for ${flag}`, {
      hint: 'write a number with an optional unit: 512m, 2g, 65536',
    });
  }
  return bytes;
}

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `1m30s`, `500ms`, `10` (seconds) -> milliseconds. */
export function parseDuration(text: string, flag: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Math.round(Number(text) * 1000);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new WctrError('invalid-argument', `invalid duration "${text}" for ${flag}`, {
      hint: 'write 500ms, 10s, 1m30s, or a number of seconds',
    });
  }
  return Math.round(parts.reduce((sum, part) => sum + Number(part[1]) * DURATION_MS[part[2]!]!, 0));
}

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** A duration as Go writes it, `1h2m3.5s`, in nanoseconds; a unit is needed, but for 0. */
export function parseNanoseconds(text: string, flag: string): number {
  if (text === '0') return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw new WctrError('invalid-argument', `invalid duration "${text}" for ${flag}`, {
      hint: 'write 500ms, 10s or 1m30s',
    });
  }
  return Math.round(parts.reduce((sum, part) => sum + Number(part[1]) * NANOSECONDS[part[2]!]!, 0));
}

const AGES: readonly (readonly [limitSeconds: number, name: string, seconds: number])[] = [
  [120, 'minute', 60],
  [60 * 60, 'minutes', 60],
  [2 * 60 * 60, 'hour', 3600],
  [48 * 3600, 'hours', 3600],
  [14 * 86_400, 'days', 86_400],
  [60 * 86_400, 'weeks', 7 * 86_400],
  [2 * 365 * 86_400, 'months', 30 * 86_400],
  [Number.POSITIVE_INFINITY, 'years', 365 * 86_400],
];

/** `3 weeks ago`, in docker's steps; `N/A` for a missing or zero date. */
export function humanAge(created: string | number | undefined, nowMs: number): string {
  const time = typeof created === 'string' ? Date.parse(created) : (created ?? Number.NaN);
  if (Number.isNaN(time) || time <= 0) return 'N/A';
  const seconds = Math.max(0, Math.floor((nowMs - time) / 1000));
  if (seconds < 1) return 'Less than a second ago';
  if (seconds < 60) return `${seconds} second${seconds === 1 ? '' : 's'} ago`;
  const [, name, unit] = AGES.find(([limit]) => seconds < limit)!;
  if (name === 'minute') return 'About a minute ago';
  if (name === 'hour') return 'About an hour ago';
  return `${Math.floor(seconds / unit)} ${name} ago`;
}

/** A digest or id as the tables show it: 12 hex digits, no algorithm. */
export function shortId(id: string): string {
  return id.replace(/^sha\d+:/, '').slice(0, 12);
}

/**
 * Text from an image, a registry or a guest, made safe for a terminal: control characters (escape sequences, carriage
 * returns) are shown as their code points instead of being obeyed.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this removes
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The same for what has to stay on one line: newlines and tabs are shown too. */
export function printableLine(text: string): string {
  return printable(text).replace(/\n/g, '\\n').replace(/\t/g, '\\t');
}
