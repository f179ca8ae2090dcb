import { describe, expect, it } from 'vitest';
import { type ErrorCode, WctrError } from '../../../../src/errors.ts';
import { ModuleShelf, memoryShare, shelfKey, spawnErrno } from '../../../../src/host/container/spawns.ts';
import type { PreparedModule } from '../../../../src/host/runner/module.ts';
import { guestSpec } from '../../../support/sandbox-suite.ts';

const MIB = 1024 * 1024;

describe('compiled modules', () => {
  const module = (fuel: boolean) => ({ fuel }) as PreparedModule;

  it('are kept by file and limits, the last ones used', () => {
    const shelf = new ModuleShelf();
    for (let i = 0; i < 16; i++) shelf.put(`file ${i}`, module(i % 2 === 0));
    expect(shelf.get('file 0')).toEqual(module(true));
    shelf.put('another', module(true));
    expect(shelf.get('file 1')).toBeUndefined();
    expect(shelf.get('file 0')).toEqual(module(true));
    expect(shelf.get('another')).toEqual(module(true));
  });

  it('are others where the guard would make another one', () => {
    const key = (changes: Parameters<typeof guestSpec>[1]) => shelfKey('file', guestSpec([], changes));
    const keys = [
      key({}),
      key({ resources: { memoryBytes: 64 * MIB } }),
      key({ resources: { cpus: 0.5 } }),
      key({ resources: { tableElements: 10 } }),
      key({ program: { unknownImports: 'trap' } }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key({ resources: { cpus: 0.7, nofile: 5 } })).toBe(key({ resources: { cpus: 0.5 } }));
  });

  it('stay the same while what is left of the memory differs little', () => {
    expect(memoryShare(512 * MIB, 512 * MIB)).toBe(512 * MIB);
    expect(memoryShare(511 * MIB, 512 * MIB)).toBe(480 * MIB);
    expect(memoryShare(481 * MIB, 512 * MIB)).toBe(480 * MIB);
    expect(memoryShare(20 * MIB, 512 * MIB)).toBe(20 * MIB);
    expect(memoryShare(0, 512 * MIB)).toBe(0);
  });
});

describe('a start that failed', () => {
  it.each<[ErrorCode, number]>([
    ['entrypoint-not-found', 2],
    ['entrypoint-denied', 13],
    ['module-denied', 8],
    ['exec-format', 8],
    ['limit-exceeded', 11],
    ['no-memory', 12],
    ['store-corrupt', 5],
  ])('%s is errno %i', (code, errno) => {
    expect(spawnErrno(new WctrError(code, 'told'))).toBe(-errno);
    expect(spawnErrno(new Error('told'))).toBe(-5);
  });
});
