import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernelModule } from '../../support/guest.ts';

const doc = readFileSync(new URL('../../../assembly/kernel/index.ts', import.meta.url), 'utf8').split('*/')[0]!;

describe('the ABI of kernel.wasm', () => {
  it('is described whole: every export and every host import', async () => {
    const module = await kernelModule();
    const names = [
      ...WebAssembly.Module.exports(module).map(({ name }) => name),
      ...WebAssembly.Module.imports(module)
        .filter((entry) => entry.module === 'host')
        .map(({ name }) => name),
    ];
    expect(names.length).toBeGreaterThan(80);
    for (const name of names) expect(doc, name).toMatch(new RegExp(`\\b${name}\\b`));
  });

  it('exports functions only and imports nothing but its memory and the host', async () => {
    const module = await kernelModule();
    expect(new Set(WebAssembly.Module.exports(module).map(({ kind }) => kind))).toEqual(new Set(['function']));
    expect(new Set(WebAssembly.Module.imports(module).map((entry) => entry.module))).toEqual(new Set(['env', 'host']));
  });
});
