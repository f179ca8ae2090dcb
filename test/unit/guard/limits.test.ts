import { describe, expect, it } from 'vitest';
import { guard } from '../../support/guard.ts';
import { EXTERNREF, FUNCREF, limits, program, wasmModule } from '../../support/wasm-builder.ts';

/** Instantiates the guarded module and finds out how far its memory and tables really grow. */
function growth(bytes: Uint8Array<ArrayBuffer>, imports: WebAssembly.Imports = {}) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  return Object.fromEntries(
    Object.entries(exports).map(([name, item]) => {
      const grow = (n: number) =>
        item instanceof WebAssembly.Memory ? item.grow(n) : (item as WebAssembly.Table).grow(n);
      const size = () =>
        item instanceof WebAssembly.Memory ? item.buffer.byteLength / 65536 : (item as WebAssembly.Table).length;
      for (let step = 2 ** 20; step >= 1; step /= 2) {
        try {
          grow(step);
        } catch {
          // refused: try half
        }
      }
      return [name, size()];
    }),
  );
}

const memoryOf = (...min: readonly [number, number?]) =>
  wasmModule({ memories: [limits(...min)], exports: [['m', 2, 0]] });

describe('memory', () => {
  it.each([
    ['gets a maximum where it has none', memoryOf(1), 4, { m: 4 }],
    ['keeps a lower maximum', memoryOf(1, 3), 4, { m: 3 }],
    ['loses a higher one', memoryOf(1, 60000), 4, { m: 4 }],
    ['may fill its limit from the start', memoryOf(4), 4, { m: 4 }],
  ])('%s', (_what, bytes, maxMemoryPages, expected) => {
    expect(growth(guard(bytes, { maxMemoryPages }).bytes)).toEqual(expected);
  });

  it('shares the limit between several', () => {
    const bytes = wasmModule({
      memories: [limits(1), limits(2, 2), limits(1)],
      exports: [['a', 2, 0]],
    });
    const { info, bytes: output } = guard(bytes, { maxMemoryPages: 10, counts: { memories: 3 } });
    expect(info.memory?.maxPages).toBe(1 + 3);
    // minimum and maximum of each, as they stand in the section
    expect([...output.subarray(8)].join()).toContain([3, 1, 1, 4, 1, 2, 2, 1, 1, 4].join());
  });

  it('can be made by the host, and is still exported', () => {
    const { bytes, info } = guard(memoryOf(1), { maxMemoryPages: 4, hostMemory: true });
    expect(info.memory).toEqual({ minPages: 1, maxPages: 4, shared: false, imported: 'wctr' });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 4 });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { wctr: { memory } });
    expect(exports.m).toBe(memory);
    expect(() => new WebAssembly.Memory({ initial: 1, maximum: 5 })).not.toThrow();
    const larger = new WebAssembly.Memory({ initial: 1, maximum: 5 });
    expect(() => new WebAssembly.Instance(new WebAssembly.Module(bytes), { wctr: { memory: larger } })).toThrow();
  });

  it('is made by the host together with fuel', () => {
    const bytes = program([], { memories: [limits(1)], exports: [['m', 2, 0]] });
    const guarded = guard(bytes, { maxMemoryPages: 4, hostMemory: true, fuel: true });
    expect(WebAssembly.validate(guarded.bytes)).toBe(true);
  });
});

describe('tables', () => {
  const tables = (...of: readonly (readonly [number, number, number?])[]) =>
    wasmModule({
      tables: of.map(([type, ...min]) => [type, ...limits(...(min as [number, number?]))]),
      exports: of.map((_, i) => [`t${i}`, 1, i] as const),
    });

  it.each([
    ['gets a maximum', tables([FUNCREF, 1]), { t0: 1000 }],
    ['keeps a lower one', tables([FUNCREF, 1, 10]), { t0: 10 }],
    ['loses a higher one', tables([EXTERNREF, 0, 10_000_000]), { t0: 1000 }],
    ['several share', tables([FUNCREF, 100], [EXTERNREF, 300], [FUNCREF, 200, 200]), { t0: 300, t1: 500, t2: 200 }],
  ])('%s', (_what, bytes, expected) => {
    const { bytes: output, info } = guard(bytes, { maxTableElements: 1000 });
    expect(growth(output)).toEqual(expected);
    expect(info.tableMax).toBe(Object.values(expected).reduce((a, b) => a + b));
  });

  it('are clamped beside the one of the guard', () => {
    const bytes = program([], { tables: [[FUNCREF, ...limits(1)]], exports: [['t', 1, 0]] });
    const { t } = growth(guard(bytes, { maxTableElements: 50, fuel: true }).bytes);
    expect(t).toBe(50);
  });
});
