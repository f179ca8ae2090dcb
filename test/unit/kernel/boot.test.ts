import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { bootGuest } from '../../support/guest.ts';

describe('a fresh kernel', () => {
  it('has an empty root that takes files', async () => {
    const guest = await bootGuest();
    expect(guest.list('/')).toEqual([]);
    expect(guest.writeFile('/a', 'hello')).toBe(5);
    expect(guest.readFile('/a')).toBe('hello');
    expect(guest.stat('/a')).toMatchObject({ size: 5, nlink: 1, mode: abi.S_IFREG | 0o644 });
    expect(guest.check()).toBe(0);
  });

  it('makes /dev when asked', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_DEV });
    expect(guest.list('/dev')).toEqual([
      'console',
      'full',
      'null',
      'random',
      'stderr',
      'stdin',
      'stdout',
      'tty',
      'urandom',
      'zero',
    ]);
    expect(guest.check()).toBe(0);
  });

  it('is as new after a reset, however much was used', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_DEV });
    const fresh = guest.kernel.calls.kernel_used_bytes!();
    for (let i = 0; i < 500; i++) guest.writeFile(`/file-${i}`, new Uint8Array(5000).fill(7));
    expect(guest.kernel.calls.kernel_reset!()).toBe(0);
    const next = await (async () => {
      const { Guest } = await import('../../support/guest.ts');
      return Guest.create(guest.kernel);
    })();
    expect(next.t).toBe(guest.t);
    expect(guest.kernel.calls.kernel_used_bytes!()).toBe(fresh);
    expect(next.list('/')).toEqual(['dev']);
    expect(next.check()).toBe(0);
  });
});
