import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_HEADER_BYTES, FrameReader } from '../../../src/host/frames.ts';
import { decodeSpec, encodeSpec } from '../../../src/host/process/frames.ts';
import { guestSpec } from '../../support/sandbox-suite.ts';

describe('frames', () => {
  it('come out whole however the pipe cuts them', () => {
    const frames = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 300 })), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 64 })), (sent, cuts) => {
        const whole = sent.flatMap(([kind, payload]) => [...encodeFrame(kind, payload)]);
        const reader = new FrameReader();
        const received = [];
        for (let at = 0; at < whole.length; ) {
          const length = cuts.next().value as number;
          received.push(...reader.push(new Uint8Array(whole.slice(at, at + length))));
          at += length;
        }
        expect(received.map(({ kind, payload }) => [kind, [...payload]])).toEqual(
          sent.map(([kind, payload]) => [kind, [...payload]]),
        );
      }),
    );
  });

  it('are refused when they claim an absurd length', () => {
    const header = new Uint8Array(FRAME_HEADER_BYTES).fill(0xff);
    expect(() => new FrameReader().push(header)).toThrowError(expect.objectContaining({ code: 'sandbox-failed' }));
  });
});

describe('a spec on the pipe', () => {
  it('keeps its bytes, each in its place', () => {
    const spec = guestSpec(['a "quoted" \n argument'], {
      program: { module: { bytes: new Uint8Array([1, 2, 3]) } },
      root: { index: { bytes: Buffer.from('index') }, layers: [{ path: '/layer' }, { bytes: new Uint8Array(0) }] },
      resources: { memoryBytes: 5, timeoutMs: 7 },
    });
    const decoded = decodeSpec(encodeSpec(spec));
    expect(decoded.process).toEqual(spec.process);
    expect(decoded.resources).toEqual(spec.resources);
    expect(decoded.program.module).toEqual({ bytes: new Uint8Array([1, 2, 3]) });
    expect(decoded.root.layers).toEqual([{ path: '/layer' }, { bytes: new Uint8Array(0) }]);
    expect(new TextDecoder().decode((decoded.root.index as { bytes: Uint8Array }).bytes)).toBe('index');
  });
});
