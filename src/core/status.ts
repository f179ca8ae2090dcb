/** What the core answers, as errors. */
import { type ErrorCode, WctrError } from '../errors.ts';
import {
  E_CHECKSUM,
  E_CORRUPT,
  E_DENIED,
  E_LIMIT,
  E_NO_MEMORY,
  E_STATE,
  E_TRUNCATED,
  E_UNSUPPORTED,
} from './abi/status.ts';

const MEANINGS = new Map<number, readonly [code: ErrorCode, reason: string]>([
  [E_TRUNCATED, ['invalid-layer', 'the compressed data ends early']],
  [E_CORRUPT, ['invalid-layer', 'the compressed data is damaged']],
  [E_CHECKSUM, ['invalid-layer', 'the compressed data does not match its checksum or length']],
  [E_UNSUPPORTED, ['invalid-layer', 'it is compressed in a way this build does not read']],
  [E_LIMIT, ['limit-exceeded', 'it needs a larger decompression window than is allowed']],
  [E_NO_MEMORY, ['no-memory', 'no memory to decompress it']],
  [E_STATE, ['internal', 'the core was called out of order']],
  [E_DENIED, ['forbidden', 'it is not allowed']],
]);

/** The error for a negative status of the decoder. `what` names the object: "layer sha256:...". */
export function decodeFailure(what: string, status: number): WctrError {
  const [code, reason] = MEANINGS.get(status) ?? ['internal', `core status ${status}`];
  return new WctrError(code, `${what}: ${reason}`, { data: { status } });
}
