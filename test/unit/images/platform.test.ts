import { describe, expect, it } from 'vitest';
import {
  DEFAULT_PLATFORMS,
  formatPlatform,
  isWasmPlatform,
  parsePlatform,
  platformRank,
  samePlatform,
} from '../../../src/images/platform.ts';

describe('platforms', () => {
  it.each([
    ['wasip1/wasm', 'wasip1/wasm'],
    ['linux/amd64', 'linux/amd64'],
    ['Linux/X86_64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/i386', 'linux/386'],
    ['macos/arm64', 'darwin/arm64'],
    ['wasi/wasm32', 'wasi/wasm32'],
  ])('%s is %s', (text, canonical) => {
    expect(formatPlatform(parsePlatform(text))).toBe(canonical);
  });

  it.each(['', 'linux', '/', 'linux/', 'a/b/c/d', 'linux/amd 64', 'li\u001bnux/x', '../x', `${'a'.repeat(65)}/b`])(
    '%j is none',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(
        expect.objectContaining({
          code: 'invalid-argument',
          message: expect.stringMatching(/^".*" is not a platform$/),
        }),
      );
    },
  );

  it('are ranked by the wishes', () => {
    const rank = (text: string) => platformRank(DEFAULT_PLATFORMS, parsePlatform(text));
    expect(['wasip1/wasm', 'wasi/wasm', 'wasi/wasm32', 'wasip2/wasm', 'linux/amd64'].map(rank)).toEqual([
      0, 1, 2, 3, -1,
    ]);
    expect(
      samePlatform({ os: 'linux', architecture: 'arm64', variant: 'v8' }, { os: 'linux', architecture: 'aarch64' }),
    ).toBe(true);
    expect(platformRank(DEFAULT_PLATFORMS, { os: 'constructor', architecture: '__proto__' })).toBe(-1);
    expect([isWasmPlatform(parsePlatform('js/wasm')), isWasmPlatform(parsePlatform('linux/amd64'))]).toEqual([
      true,
      false,
    ]);
  });
});
