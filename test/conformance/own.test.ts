/** Our own conformance cases, on both sandboxes: all pass on ours, and on @wasmer/wasi all but the listed ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ownCases, verdict } from './case.ts';
import { compile, hasToolchain } from './toolchain.ts';
import { wasmerHost } from './wasmer-host.ts';
import { wctrHost } from './wctr-host.ts';

const FAILURES = new URL('./wasmer-failures.json', import.meta.url);
const known = new Set(JSON.parse(readFileSync(FAILURES, 'utf8')) as string[]);
const cases = ownCases(compile);

describe.skipIf(!hasToolchain())('WASI preview 1, own cases', () => {
  const ours = wctrHost();
  it.each(cases.map((test) => [test.name, test] as const))('%s', async (_name, test) => {
    expect(await verdict(ours, test)).toBeUndefined();
  });
});

describe.skipIf(!hasToolchain())('@wasmer/wasi, own cases', () => {
  const wasmer = wasmerHost();

  it('the list of failures names cases there are', () => {
    const names = new Set(cases.map(({ name }) => name));
    expect([...known].filter((name) => !names.has(name))).toEqual([]);
  });

  it.each(cases.map((test) => [known.has(test.name) ? 'fails' : 'passes', test.name, test] as const))(
    '%s %s',
    async (expected, _name, test) => {
      const wrong = await verdict(wasmer, test);
      expect(wrong === undefined ? 'passes' : 'fails', wrong).toBe(expected);
    },
  );
});
