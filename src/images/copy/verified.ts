import { WctrError } from '../../errors.ts';
import type { Descriptor } from '../../spec/image-spec.ts';
import { type CreateHasher, digestParts } from '../digest.ts';

/** The same bytes; ends with `digest-mismatch` or `size-mismatch` when they are not what the descriptor says. */
export async function* verified(
  chunks: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  where: string,
  createHasher: CreateHasher,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { algorithm, hex } = digestParts(digest);
  const hasher = createHasher(algorithm);
  let received = 0;
  for await (const chunk of chunks) {
    received += chunk.length;
    if (received > size) break;
    hasher.update(chunk);
    yield chunk;
  }
  if (received !== size) {
    const amount = received > size ? 'more' : `${received}`;
    throw new WctrError('size-mismatch', `blob ${digest} of ${where} should have ${size} bytes and has ${amount}`, {
      data: { digest, size },
    });
  }
  const actual = hasher.digestHex();
  if (actual !== hex) {
    throw new WctrError('digest-mismatch', `blob ${digest} of ${where} has the digest ${algorithm}:${actual}`, {
      data: { expected: digest, actual: `${algorithm}:${actual}` },
    });
  }
}
