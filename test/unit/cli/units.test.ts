import { describe, expect, it } from 'vitest';
import { humanAge, humanSize, parseBytes, parseDuration, printable } from '../../../src/cli/format/units.ts';
import { closest } from '../../../src/cli/suggest.ts';

describe('units', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [13_256, '13.3kB'],
    [1_000_000, '1MB'],
    [223_456_789, '223MB'],
    [5e12, '5TB'],
  ])('%d bytes are %s', (bytes, shown) => expect(humanSize(bytes)).toBe(shown));

  it.each([
    ['512m', 512 * 1024 ** 2],
    ['1.5g', 1.5 * 1024 ** 3],
    ['64kb', 65536],
    ['64KiB', 65536],
    ['100', 100],
    ['0', 0],
  ])('%s is %d', (text, bytes) => expect(parseBytes(text, '-m')).toBe(bytes));

  it.each(['', 'x', '1x', '-1', '1e3', '99999999t'])('refuses the size %j', (text) => {
    expect(() => parseBytes(text, '-m')).toThrowError(`invalid size "${text}" for -m`);
  });

  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['2', 2000],
  ])('%s lasts %d ms', (text, ms) => expect(parseDuration(text, '--timeout')).toBe(ms));

  it.each(['', '1 day', 's', '10x'])('refuses the duration %j', (text) => {
    expect(() => parseDuration(text, '--timeout')).toThrowError(/invalid duration/);
  });

  const NOW = Date.parse('2026-01-31T00:00:00Z');
  it.each([
    ['2026-01-30T23:59:30Z', '30 seconds ago'],
    ['2026-01-30T23:58:50Z', 'About a minute ago'],
    ['2026-01-30T22:59:00Z', 'About an hour ago'],
    ['2026-01-30T12:00:00Z', '12 hours ago'],
    ['2026-01-10T00:00:00Z', '3 weeks ago'],
    ['2025-10-31T00:00:00Z', '3 months ago'],
    ['2020-01-31T00:00:00Z', '6 years ago'],
    [undefined, 'N/A'],
    ['1970-01-01T00:00:00Z', 'N/A'],
  ])('%s is %s', (created, shown) => expect(humanAge(created, NOW)).toBe(shown));

  it('shows control characters instead of obeying them', () => {
    expect(printable('a\u001b[31mb\r\u0007\u202e\tc\n')).toBe('a\\u001b[31mb\\u000d\\u0007\\u202e\tc\n');
  });
});

describe('did you mean', () => {
  it.each([
    ['rnu', 'run'],
    ['imags', 'images'],
    ['verison', 'version'],
    ['xyzzy', undefined],
  ])('%s -> %s', (word, expected) => {
    expect(closest(word, ['run', 'pull', 'images', 'image', 'version'])).toBe(expected);
  });
});
