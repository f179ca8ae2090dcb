/** Checkpoints that somebody else wrote: each is refused, or fills the guest's own memory and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, type CheckpointHeader, encodeCheckpoint } from '../../src/host/checkpoint/format.ts';
import { assemble, freezeGuest, resumeGuest } from '../support/checkpoints.ts';

const STATE = assemble('state');
const GOOD = freezeGuest(STATE).checkpoint!;
const view = new DataView(GOOD.buffer, GOOD.byteOffset, GOOD.byteLength);
const HEADER_AT = 24;
const HEADER = JSON.parse(
  new TextDecoder().decode(GOOD.subarray(HEADER_AT, HEADER_AT + view.getUint32(8, true))),
) as CheckpointHeader;
const RANGES = [
  { first: 0, blocks: 1 },
  { first: 48, blocks: 1 },
];
const DATA = GOOD.subarray(GOOD.length - 2 * BLOCK_BYTES);

/** The good one with another header. */
function withHeader(change: object, ranges = RANGES): Uint8Array {
  return Buffer.concat([encodeCheckpoint({ ...HEADER, ...change }, ranges), DATA]);
}

function withWord(at: number, value: number): Uint8Array {
  const bytes = GOOD.slice();
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

function reasonOf(checkpoint: Uint8Array): string {
  const { exit, output } = resumeGuest(STATE, checkpoint);
  expect(output).toBe('');
  expect(exit.exitCode).not.toBe(0);
  return `${exit.errorCode}: ${exit.reason}`;
}

const DAMAGED = /^store-corrupt: the checkpoint is damaged: /;
const file = (change: object) => ({
  files: [{ fd: 9, path: '/etc/hosts', flags: 0, offset: 0, rights: 0, inheriting: 0, ...change }],
});

describe('a checkpoint from outside', () => {
  it('is what the tests take it for', () => {
    expect(new Uint8Array(withHeader({}))).toEqual(GOOD);
    expect(resumeGuest(STATE, GOOD).output).toBe('ok');
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['another magic', withWord(0, 0)],
    ['a header beyond the end', withWord(8, 1 << 20)],
    ['a header of 4 GiB', withWord(8, 0xffffffff)],
    ['2^32 ranges', withWord(12, 0xffffffff)],
    ['more data than there is', withWord(16, 3)],
    ['2^32 blocks', withWord(16, 0xffffffff)],
    ['a byte too few', GOOD.subarray(0, -1)],
    ['a byte too many', Buffer.concat([GOOD, new Uint8Array(1)])],
    ['memory beyond the end', withHeader({}, [RANGES[0]!, { first: 80, blocks: 1 }])],
    ['memory at 2^32 blocks', withHeader({}, [RANGES[0]!, { first: 0xffffffff, blocks: 1 }])],
    ['2^32 blocks in a range', withHeader({}, [{ first: 0, blocks: 0xffffffff }])],
    [
      'ranges that overlap',
      withHeader({}, [
        { first: 5, blocks: 1 },
        { first: 5, blocks: 1 },
      ]),
    ],
    ['ranges in no order', withHeader({}, [RANGES[1]!, RANGES[0]!])],
    ['an empty range', withHeader({}, [...RANGES, { first: 50, blocks: 0 }])],
    ['more memory than there can be', withHeader({ pages: 65537 })],
    ['less memory than the program begins with', withHeader({ pages: 1 }, [{ first: 0, blocks: 2 }])],
    ['a negative size', withHeader({ pages: -1 })],
    ['no list of globals', withHeader({ globals: null })],
    ['a global that is not there', withHeader({ globals: [{ index: 99, type: 'n', value: '0'.repeat(16) }] })],
    ['a constant global', withHeader({ globals: [{ index: 6, type: 'n', value: '0'.repeat(16) }] })],
    ['an i64 in an i32', withHeader({ globals: [{ index: 1, type: 'l', value: '0'.repeat(16) }] })],
    ['a number in a funcref', withHeader({ globals: [{ index: 5, type: 'n', value: '0'.repeat(16) }] })],
    ['a function nobody has', withHeader({ globals: [{ index: 5, type: 'f', value: '9999999' }] })],
    ['a function that is hidden', withHeader({ globals: [{ index: 5, type: 'f', value: '3' }] })],
    ['a global by name', withHeader({ globals: [{ index: '__proto__', type: 'n', value: '0'.repeat(16) }] })],
    ['a type of its own', withHeader({ globals: [{ index: 1, type: '__proto__', value: '0'.repeat(16) }] })],
    ['a table that is not there', withHeader({ tables: [{ index: 7, length: 4, slots: [] }] })],
    ['a slot beyond the table', withHeader({ tables: [{ index: 0, length: 4, slots: [[500, 1]] }] })],
    ['a function in a table of host values', withHeader({ tables: [{ index: 1, length: 1, slots: [[0, -2]] }] })],
    ['frames without a place', withHeader({ how: 'stack', args: ['program'] })],
    ['a third way', withHeader({ how: 'magic' })],
    ['a preopen nobody has', withHeader({ preopens: [{ fd: 5, name: '/' }] })],
    ['a preopen of another name', withHeader({ preopens: [{ fd: 3, name: '/secret' }] })],
    ['a relative path', withHeader(file({ path: 'etc/hosts' }))],
    ['a path with a NUL', withHeader(file({ path: '/etc\0/hosts' }))],
    ['a path of 5,000 bytes', withHeader(file({ path: `/${'x'.repeat(5000)}` }))],
    ['an offset beyond numbers', withHeader(file({ offset: 2 ** 60 }))],
    ['a descriptor of 33 bits', withHeader(file({ fd: 2 ** 32 }))],
  ])('with %s is damaged', (_, checkpoint) => {
    expect(reasonOf(checkpoint)).toMatch(DAMAGED);
  });

  it.each<[string, object, RegExp]>([
    ['a file that is not there', file({ path: '/nowhere' }), /^not-found: .* had \/nowhere open/],
    ['a file that links lead out of the root to', file({ path: '/../../../../etc/passwd' }), /^not-found: /],
    ['a descriptor that is taken', file({ fd: 3 }), /^conflict: .* as descriptor 3, which is taken/],
    ['more descriptors than it may have', file({ fd: 5_000 }), /^conflict: /],
    ['a table beyond its limit', { tables: [{ index: 0, length: 4_000_000, slots: [] }] }, /^no-memory: /],
    ['memory beyond its limit', { pages: 60_000 }, /^no-memory: /],
    ['another directory', { cwd: '/etc' }, /^conflict: .* working directory \/etc/],
  ])('with %s is refused', (_, change, reason) => {
    expect(reasonOf(withHeader(change))).toMatch(reason);
  });

  it('opens nothing to write, create or truncate that a program could not have', () => {
    const created = resumeGuest(STATE, withHeader(file({ path: '/made', flags: 0o1102 })));
    expect(created.exit).toMatchObject({ errorCode: 'not-found' });
    const readonly = { root: { readonly: true, layers: [] } };
    const written = resumeGuest(STATE, withHeader(file({ flags: 1, rights: 0xffffffff })), readonly);
    expect(written.exit).toMatchObject({ errorCode: 'conflict', reason: expect.stringMatching(/errno 30/) });
    expect(resumeGuest(STATE, withHeader(file({ rights: 0xffffffff, inheriting: 0xffffffff }))).output).toBe('ok');
  });

  it('is refused or runs, whatever bytes it is of', () => {
    const codes = ['store-corrupt', 'conflict', 'not-found', 'no-memory'];
    const check = (bytes: Uint8Array) => {
      const { exit } = resumeGuest(STATE, bytes);
      if (exit.errorCode !== undefined) expect(codes).toContain(exit.errorCode);
    };
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(GOOD.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const bytes = GOOD.slice();
          for (const [at, value] of changes) bytes[at] = value;
          check(bytes);
        },
      ),
      { numRuns: 300 },
    );
    // Most of the bytes above are memory: the header and its ranges again.
    fc.assert(
      fc.property(fc.nat(HEADER_AT + 1200), fc.nat(255), (at, value) => {
        const bytes = GOOD.slice();
        bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.nat(GOOD.length), (length) => check(GOOD.subarray(0, length))),
      { numRuns: 100 },
    );
  });
});
