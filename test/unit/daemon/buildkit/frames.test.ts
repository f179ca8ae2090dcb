import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameOf, MAX_MESSAGE_BYTES, messagesOf } from '../../../../src/daemon/buildkit/grpc/frames.ts';
import { failureOf, GrpcError, trailersOf } from '../../../../src/daemon/buildkit/grpc/status.ts';
import { WctrError } from '../../../../src/errors.ts';

async function read(chunks: Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  const each = async function* () {
    yield* chunks;
  };
  for await (const message of messagesOf(each())) found.push(message.slice());
  return found;
}

describe('gRPC messages', () => {
  it('come out as they went in, however they were cut', async () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(messages, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (given, sizes) => {
        const whole = Buffer.concat(given.map(frameOf));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < whole.length; i += 1) {
          const end = at + sizes[i % sizes.length]!;
          chunks.push(new Uint8Array(whole.subarray(at, end)));
          at = end;
        }
        expect(await read(chunks)).toEqual(given.map((message) => new Uint8Array(message)));
      }),
    );
  });

  it.each([
    ['cut off in its header', [0, 0, 0], 'invalid-argument'],
    ['cut off', [0, 0, 0, 0, 2, 7], 'invalid-argument'],
    ['compressed', [1, 0, 0, 0, 0], 'unsupported'],
    ['longer than any', [0, 0xff, 0xff, 0xff, 0xff], 'limit-exceeded'],
  ])('are refused: %s', async (_, given, code) => {
    await expect(read([Uint8Array.from(given)])).rejects.toMatchObject({ code });
  });

  it('are refused by their length before their bytes are there', async () => {
    const header = new Uint8Array(5);
    new DataView(header.buffer).setUint32(1, MAX_MESSAGE_BYTES + 1);
    await expect(read([header])).rejects.toMatchObject({ code: 'limit-exceeded' });
  });
});

describe('how a call ended', () => {
  it('goes both ways, on one line of ASCII', () => {
    const trailers = trailersOf(new GrpcError(5, 'nicht gefünden:\n100% "weg"'));
    expect(trailers['grpc-message']).toMatch(/^[\x20-\x7e]*$/);
    expect(failureOf(trailers)).toMatchObject({ code: 5, message: 'nicht gefünden:\n100% "weg"' });
    expect(failureOf({ 'grpc-status': '0' })).toBeUndefined();
  });

  it('is no code that clients put before the message, but of a client that has gone', () => {
    expect(trailersOf(new WctrError('invalid-dockerfile', 'x'))['grpc-status']).toBe('2');
    expect(trailersOf(new WctrError('cancelled', 'x'))['grpc-status']).toBe('1');
  });

  it('is a failure where nothing is said, or nonsense', () => {
    expect(failureOf({})).toMatchObject({ code: 2 });
    expect(failureOf({ 'grpc-status': 'x', 'grpc-message': '%zz' })).toMatchObject({ code: 2, message: '%zz' });
  });
});
