import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTestClient, FakeFetch } from '../../../support/registry-client.ts';
import { noise } from '../../../support/registry-images.ts';
import { sha256 } from '../../../support/registry-server.ts';

const BYTES = noise(10_000);
const BLOB = { mediaType: 'application/octet-stream', digest: sha256(BYTES), size: BYTES.length };

/** What one answer does with the bytes it was asked for. */
type Behaviour =
  | { readonly kind: 'cut'; readonly after: number; readonly chunk: number }
  | { readonly kind: 'end'; readonly after: number; readonly chunk: number }
  | { readonly kind: 'status'; readonly status: number };

const size = fc.integer({ min: 0, max: BYTES.length });
const chunk = fc.integer({ min: 1, max: 4_000 });
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), after: size, chunk }),
  fc.record({ kind: fc.constant('end' as const), after: size, chunk }),
  fc.record({ kind: fc.constant('status' as const), status: fc.constantFrom(429, 500, 502, 503, 504) }),
);

function answerOf(plan: Behaviour | undefined, ignoresRange: boolean, range: string | null): Response {
  if (plan?.kind === 'status') return new Response('', { status: plan.status });
  const first = ignoresRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const rest = BYTES.subarray(first);
  const sent = rest.subarray(0, plan?.after ?? rest.length);
  const step = plan?.chunk ?? 4_096;
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at < sent.length) controller.enqueue(sent.slice(at, at + step));
      else if (plan?.kind === 'cut') controller.error(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
      else controller.close();
      at += step;
    },
  });
  const headers = first > 0 ? { 'content-range': `bytes ${first}-${BYTES.length - 1}/${BYTES.length}` } : {};
  return new Response(stream, { status: first > 0 ? 206 : 200, headers });
}

it('whatever breaks on the way, the bytes that come are the right ones in the right order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(behaviour, { maxLength: 4 }), size, fc.boolean(), async (plans, offset, ignoresRange) => {
      const queue = [...plans];
      const fake = new FakeFetch((_url, headers) => answerOf(queue.shift(), ignoresRange, headers.get('range')));
      const timing = { backoffMs: 0 };
      const repository = createTestClient({ fetch: fake.fetch, timing }).repository({ domain: 'r.example', path: 'a' });
      const got: Uint8Array[] = [];
      for await (const bytes of repository.blob(BLOB)(offset)) got.push(bytes);
      expect(Buffer.concat(got).equals(BYTES.subarray(offset))).toBe(true);
    }),
    { numRuns: 300 },
  );
});
