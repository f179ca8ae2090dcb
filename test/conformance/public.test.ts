/**
 * The public WASI suites, where they are: WCTR_WASI_SUITES names a directory with checkouts (public-suites.ts). They are
 * not part of this repository. The skip file is empty and stays so.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verdict } from './case.ts';
import { publicSuites } from './public-suites.ts';
import { wctrHost } from './wctr-host.ts';

const directory = process.env.WCTR_WASI_SUITES;
const skip = new Set(JSON.parse(readFileSync(new URL('./skip.json', import.meta.url), 'utf8')) as string[]);

it('nothing is skipped', () => {
  expect([...skip]).toEqual([]);
});

const suites = directory === undefined ? [] : publicSuites(directory);

describe.skipIf(suites.length === 0).each(suites)('$name', ({ cases }) => {
  const host = wctrHost();
  it.each(cases.filter(({ name }) => !skip.has(name)).map((test) => [test.name, test] as const))(
    '%s',
    async (_name, test) => {
      expect(await verdict(host, test)).toBeUndefined();
    },
  );
});
