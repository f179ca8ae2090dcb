/** Messages as protoc's own tools write them: bytes from `protoc --encode` and from captured calls of buildx. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bool,
  bytes,
  bytesMap,
  int32,
  int64,
  many,
  message,
  one,
  string,
  stringMap,
  strings,
  uint32,
} from '../../../../src/daemon/buildkit/proto/codec.ts';
import { STATUS_REQUEST } from '../../../../src/daemon/buildkit/proto/control.ts';
import { PACKET } from '../../../../src/daemon/buildkit/proto/session.ts';
import { isWctrError } from '../../../../src/errors.ts';

const hex = (text: string) =>
  Uint8Array.from(text.replaceAll(' ', '').match(/../g) ?? [], (pair) => parseInt(pair, 16));
const shown = (value: Uint8Array) => Buffer.from(value).toString('hex');

const INNER = message({ a: int32(1), s: string(2) });
const EVERYTHING = message({
  flag: bool(1),
  small: uint32(2),
  large: int64(3),
  text: string(4),
  raw: bytes(5),
  inner: one(6, INNER),
  list: many(7, INNER),
  words: strings(8),
  map: stringMap(9),
  blobs: bytesMap(10),
});

describe('messages', () => {
  it.each([
    ['a string', STATUS_REQUEST, { Ref: 'abc' }, '0a 03 616263'],
    ['the last STAT of fsutil', PACKET, { type: 0 }, ''],
    ['a request of a file', PACKET, { type: 1, ID: 300 }, '08 01 18 ac02'],
    ['a negative int32, in ten bytes', INNER, { a: -1 }, '08 ffffffffffffffffff01'],
    ['a map', EVERYTHING, { map: new Map([['k', 'v']]) }, '4a 06 0a016b 120176'],
    ['a map entry without a value', EVERYTHING, { map: new Map([['k', '']]) }, '4a 03 0a016b'],
    ['messages in a list', EVERYTHING, { list: [{ a: 1 }, {}] }, '3a 02 0801 3a 00'],
    ['a large number', EVERYTHING, { large: 2 ** 40 }, '18 8080808080 20'],
  ] as const)('writes %s', (_, type, value, expected) => {
    expect(shown((type as typeof EVERYTHING).encode(value as never))).toBe(expected.replaceAll(' ', ''));
  });

  it('reads what is there, defaults for what is not, and skips what it does not know', () => {
    const read = EVERYTHING.decode(hex('0801 10 ff01 9a06 03 616263 4206 616263646566 4a 06 0a016b 120176'));
    expect(read).toEqual({
      flag: true,
      small: 255,
      large: 0,
      text: '',
      raw: new Uint8Array(),
      inner: undefined,
      list: [],
      words: ['abcdef'],
      map: new Map([['k', 'v']]),
      blobs: new Map(),
    });
  });

  it('does not take a field of another wire type for its own', () => {
    expect(EVERYTHING.decode(hex('0a 01 61')).flag).toBe(false);
  });

  it('merges a message that comes in two parts', () => {
    expect(EVERYTHING.decode(hex('32 02 0801 32 03 120178')).inner).toEqual({ a: 0, s: 'x' });
  });

  it.each(['0a', '0a 05 61', '08', '0b', '32 02 0a 05', '00 01', '08 ffffffffffffffffffffff01'])(
    'refuses %s',
    (bad) => {
      expect(() => EVERYTHING.decode(hex(bad))).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    },
  );

  it('reads back what it wrote, whatever that was', () => {
    const value = fc.record({
      flag: fc.boolean(),
      small: fc.nat(0xffffffff),
      large: fc.maxSafeInteger(),
      text: fc.string({ unit: 'grapheme' }),
      raw: fc.uint8Array(),
      words: fc.array(fc.string()),
      map: fc.array(fc.tuple(fc.string(), fc.string())).map((entries) => new Map(entries)),
    });
    fc.assert(
      fc.property(value, (given) => {
        expect(EVERYTHING.decode(EVERYTHING.encode(given))).toMatchObject(given);
      }),
    );
  });

  it('ends on any bytes with a message or an error of ours', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (given) => {
        try {
          EVERYTHING.decode(given);
        } catch (error) {
          expect(isWctrError(error)).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses more values of a field than anybody means', () => {
    const many = new Uint8Array(2 * 200_001).map((_, at) => (at % 2 === 0 ? 0x3a : 0));
    expect(() => EVERYTHING.decode(many)).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
  });
});
