import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E_STATE, OK } from '../../../src/core/abi/status.ts';
import { isWctrError } from '../../../src/errors.ts';
import { loadCore, raw } from '../../support/codec.ts';

describe('regions', () => {
  it('never overlap, are aligned, and are found again after they were freed', async () => {
    const core = await loadCore();
    const x = raw(core);
    const live = new Map<number, number>();
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(300_000)), { maxLength: 60 }), (steps) => {
        for (const [free, value] of steps) {
          const addresses = [...live.keys()];
          if (free && addresses.length > 0) {
            const address = addresses[value % addresses.length]!;
            expect(x.regionFree(address)).toBe(OK);
            live.delete(address);
            continue;
          }
          const address = core.alloc(value);
          expect(address % 16).toBe(0);
          expect(x.regionBytes(address)).toBeGreaterThanOrEqual(value);
          for (const [other, bytes] of live) expect(address + value <= other || other + bytes <= address).toBe(true);
          core.bytes.fill(0xa5, address, address + value);
          live.set(address, value);
        }
      }),
      { numRuns: 40 },
    );
    for (const address of live.keys()) x.regionFree(address);
    // Everything has merged again: the largest region fits without growing.
    const size = core.memory.buffer.byteLength;
    core.free(core.alloc(size - (1 << 20)));
    expect(core.memory.buffer.byteLength).toBe(size);
  });

  it('say when the memory is used up, and stay usable', async () => {
    const core = await loadCore({ maximumBytes: 4 << 20 });
    let error: unknown;
    try {
      core.alloc(8 << 20);
    } catch (caught) {
      error = caught;
    }
    expect(isWctrError(error, 'no-memory')).toBe(true);
    expect(core.alloc(1 << 20)).toBeGreaterThan(0);
    expect(() => core.alloc(0x7fffffff)).toThrow('bytes left');
  });

  it('refuse an address that is not theirs', async () => {
    const core = await loadCore();
    const address = core.alloc(100);
    expect(raw(core).regionFree(address + 16)).toBe(E_STATE);
    expect(raw(core).regionFree(address)).toBe(OK);
    expect(raw(core).regionFree(0)).toBe(OK);
  });
});
