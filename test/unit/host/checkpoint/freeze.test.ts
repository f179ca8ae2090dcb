import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '../../../../src/host/checkpoint/format.ts';
import { assemble, freezeGuest, resumeGuest } from '../../../support/checkpoints.ts';

const STATE = assemble('state');
const frozen = freezeGuest(STATE);

describe('a frozen program', () => {
  it('goes on with its memory, globals and tables, and without a second start', () => {
    expect(frozen.exit).toEqual({ exitCode: 0, oomKilled: false });
    for (let again = 0; again < 3; again++) {
      expect(resumeGuest(STATE, frozen.checkpoint!)).toEqual({ exit: frozen.exit, output: 'ok' });
    }
  });

  it.each([
    ['a CPU limit', { resources: { cpus: 0.9 } }],
    ['a memory limit', { resources: { memoryBytes: 5 * 65536 } }],
  ])('goes on the same under %s', (_, more) => {
    expect(resumeGuest(STATE, frozen.checkpoint!, more)).toEqual({ exit: frozen.exit, output: 'ok' });
    expect(resumeGuest(STATE, freezeGuest(STATE, undefined, more).checkpoint!)).toMatchObject({ output: 'ok' });
  });

  it('is as large as what differs from a fresh instance', () => {
    const bytes = frozen.checkpoint!;
    const { header, ranges } = readCheckpoint({
      sizeBytes: bytes.length,
      readSync(target, position) {
        target.set(bytes.subarray(position, position + target.length));
        return target.length;
      },
      close() {},
    });
    expect(ranges).toEqual([
      { first: 0, blocks: 1 },
      { first: 48, blocks: 1 },
    ]);
    expect(bytes.length).toBe(3 * 4096);
    expect(header).toMatchObject({ how: 'init', pages: 5, streams: [0, 1, 2], files: [], cwd: '/' });
    expect(header.globals.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('is the same bytes each time', () => {
    expect(freezeGuest(STATE).checkpoint).toEqual(frozen.checkpoint);
  });

  it.each([
    ['hides', 'unsupported', /^the program cannot be frozen: its global 5 holds a function that no other/],
    ['nowhere', 'exec-format', /^the module has no function export named nowhere$/],
    ['memory', 'exec-format', /^the module has no function export named memory$/],
    ['traps', undefined, /^trap: unreachable/],
  ])('is none after %s', (init, errorCode, reason) => {
    const { exit, checkpoint } = freezeGuest(STATE, init);
    expect(exit).toMatchObject({ reason: expect.stringMatching(reason) });
    expect(exit.errorCode).toBe(errorCode);
    expect(checkpoint).toBeUndefined();
  });

  it('does not go on in less memory than it had', () => {
    expect(resumeGuest(STATE, frozen.checkpoint!, { resources: { memoryBytes: 3 * 65536 } }).exit).toMatchObject({
      errorCode: 'no-memory',
      reason: 'the checkpoint needs more memory than the container may have',
    });
  });

  it('leaves other programs alone', () => {
    const program = { module: { bytes: STATE }, export: 'wizer.initialize' };
    expect(resumeGuest(STATE, frozen.checkpoint!, { program }).exit.exitCode).toBe(0);
    const other = new Uint8Array([...STATE, 0, 5, 4, 0x6e, 0x61, 0x6d, 0x65]);
    expect(resumeGuest(other, frozen.checkpoint!).exit).toMatchObject({
      errorCode: 'conflict',
      reason: 'the checkpoint was made from another module',
    });
  });
});
