import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWctrError } from '../../../src/errors.ts';
import { componentInterface } from '../../../src/images/component-interface.ts';

const HEAD = [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00];
const section = (id: number, ...body: number[]) => [id, body.length, ...body];
const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
const read = (...sections: number[][]) => componentInterface(new Uint8Array([...HEAD, ...sections.flat()]));

describe('a component', () => {
  it('says what it imports and exports', () => {
    expect(
      read(
        section(7, 1, 2, 3),
        section(10, 2, 0, ...text('wasi:cli/stdout@0.2.0'), 5, 0, 1, ...text('run'), 1, 3),
        section(10, 3, 0, ...text('m'), 0, 0x11, 1, 0, ...text('t'), 3, 0, 4, 0, ...text('r'), 3, 1),
        section(11, 2, 0, ...text('wasi:cli/run@0.2.0'), 5, 0, 0, 0, ...text('f'), 1, 2, 1, 1, 0),
        section(11, 1, 0, ...text('core'), 0, 0x11, 5, 0),
      ),
    ).toEqual({
      imports: ['wasi:cli/stdout@0.2.0', 'run', 'm', 't', 'r'],
      exports: ['wasi:cli/run@0.2.0', 'f', 'core'],
    });
  });

  it('may be of nothing', () => expect(read()).toEqual({ imports: [], exports: [] }));

  it('of any bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          componentInterface(new Uint8Array([...HEAD, ...bytes]));
        } catch (error) {
          expect(isWctrError(error, 'invalid-module')).toBe(true);
        }
      }),
    );
  });
});
