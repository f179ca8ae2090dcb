import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChallenges } from '../../../../src/images/registry/challenge.ts';

const TABLE: [string, { scheme: string; params: Record<string, string> }[]][] = [
  [
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
    [
      {
        scheme: 'bearer',
        params: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  ],
  ['Basic', [{ scheme: 'basic', params: {} }]],
  ['BASIC Realm="x"', [{ scheme: 'basic', params: { realm: 'x' } }]],
  ['Basic realm=bare', [{ scheme: 'basic', params: { realm: 'bare' } }]],
  ['Basic realm = "spaced" , charset="UTF-8"', [{ scheme: 'basic', params: { realm: 'spaced', charset: 'UTF-8' } }]],
  [
    'Bearer realm="r", Basic realm="b"',
    [
      { scheme: 'bearer', params: { realm: 'r' } },
      { scheme: 'basic', params: { realm: 'b' } },
    ],
  ],
  ['Bearer realm="quo\\"ted\\\\"', [{ scheme: 'bearer', params: { realm: 'quo"ted\\' } }]],
  ['Bearer realm="first",realm="second"', [{ scheme: 'bearer', params: { realm: 'first' } }]],
  ['Bearer realm=""', [{ scheme: 'bearer', params: { realm: '' } }]],
  ['Bearer realm="a, Basic realm=b"', [{ scheme: 'bearer', params: { realm: 'a, Basic realm=b' } }]],
  [', , Basic realm="x",', [{ scheme: 'basic', params: { realm: 'x' } }]],
  ['', []],
];

describe('parseChallenges', () => {
  it.each(TABLE)('reads %s', (header, expected) => {
    expect(parseChallenges(header)).toEqual(expected);
  });

  it('finds Basic behind a token68', () => {
    expect(parseChallenges('Negotiate YII/abc==, Basic realm="x"').at(-1)).toEqual({
      scheme: 'basic',
      params: { realm: 'x' },
    });
  });

  it('does not read what is absent or absurdly long', () => {
    expect(parseChallenges(null)).toEqual([]);
    expect(parseChallenges(`Bearer realm="${'x'.repeat(10_000)}"`)).toEqual([]);
  });

  it('ends on any input, and a parameter cannot reach the prototype', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => Array.isArray(parseChallenges(text))));
    const [challenge] = parseChallenges('Bearer __proto__="x"');
    expect(Object.getPrototypeOf(challenge?.params)).toBeNull();
  });

  it('gives back what a server quoted', () => {
    const printable = fc.string({ unit: fc.constantFrom(...'ab ,="\\:/;'), maxLength: 30 });
    fc.assert(
      fc.property(printable, printable, (realm, service) => {
        const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
        const header = `Bearer realm=${quoted(realm)},service=${quoted(service)}`;
        expect(parseChallenges(header)).toEqual([{ scheme: 'bearer', params: { realm, service } }]);
      }),
    );
  });
});
