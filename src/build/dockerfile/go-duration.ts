/** Durations as Go's time.ParseDuration reads them: `1h15m30.5s`, `300ms`, `-1s`, `0`. */

const UNIT_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  '\u00b5s': 1e3,
  '\u03bcs': 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const WHOLE = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;

/** Nanoseconds; undefined when it is no duration, or longer than 2^63 nanoseconds (292 years). */
export function parseGoDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0;
  if (!WHOLE.test(text)) return undefined;
  let nanoseconds = 0;
  for (const [, number, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)([a-z\u00b5\u03bc]+)/g)) {
    nanoseconds += Number(number) * (UNIT_NS[unit as string] as number);
  }
  if (nanoseconds >= 2 ** 63) return undefined;
  return Math.trunc(text.startsWith('-') ? -nanoseconds : nanoseconds);
}
