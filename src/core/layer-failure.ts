/** What the layer pass and the merge answer, in words. */
import { type ErrorCode, WctrError } from '../errors.ts';
import { AT_LIMIT, AT_TAR } from './abi/layer-pass.ts';
import { E_CHECKSUM, E_CORRUPT, E_DENIED, E_LIMIT, E_NO_MEMORY, E_TRUNCATED, E_UNSUPPORTED } from './abi/status.ts';

const CODES = new Map<number, ErrorCode>([
  [E_LIMIT, 'limit-exceeded'],
  [E_NO_MEMORY, 'no-memory'],
  [E_TRUNCATED, 'invalid-layer'],
  [E_CORRUPT, 'invalid-layer'],
  [E_CHECKSUM, 'invalid-layer'],
  [E_UNSUPPORTED, 'invalid-layer'],
  [E_DENIED, 'invalid-layer'],
]);

const DECODING = new Map<number, string>([
  [E_TRUNCATED, 'the compressed data ends early'],
  [E_CORRUPT, 'the compressed data is damaged'],
  [E_CHECKSUM, 'the compressed data does not match its checksum'],
  [E_UNSUPPORTED, 'it is compressed in a way this build does not read'],
  [E_LIMIT, 'it needs a larger decompression window than is allowed'],
]);

const TAR = new Map<number, string>([
  [E_TRUNCATED, 'the tar ends early'],
  [E_CORRUPT, 'the tar has a header that is damaged or that tar programs read differently'],
  [E_UNSUPPORTED, 'the tar has an entry of a kind that layers do not have'],
  [E_LIMIT, 'the tar goes beyond a limit: entries, lengths of names, extended headers or sparse maps'],
  [E_DENIED, 'the tar has a whiteout that would hide something outside its directory'],
]);

export interface FailurePlace {
  /** AT_* of abi/layer-pass.ts. */
  readonly at: number;
  readonly entry: string;
  readonly positionBytes: number;
}

/** `what` names the layer: "layer sha256:...". */
export function passFailure(what: string, status: number, place: FailurePlace): WctrError {
  const code = CODES.get(status) ?? 'internal';
  if (status === E_NO_MEMORY) return new WctrError(code, `${what}: no memory for the layer pass`);
  if (place.at === AT_LIMIT) {
    return new WctrError(code, `${what}: it unpacks to more than is allowed (${place.positionBytes} bytes so far)`, {
      hint: 'a small blob that unpacks to very much is how decompression bombs are made',
      data: { positionBytes: place.positionBytes },
    });
  }
  if (place.at !== AT_TAR) return new WctrError(code, `${what}: ${DECODING.get(status) ?? `core status ${status}`}`);
  const near = place.entry === '' ? '' : `, at entry ${JSON.stringify(place.entry)}`;
  return new WctrError(code, `${what}: ${TAR.get(status) ?? `core status ${status}`}${near}`, {
    data: { entry: place.entry, positionBytes: place.positionBytes },
  });
}

export function mergeFailure(what: string, status: number, entry: string): WctrError {
  const code = CODES.get(status) ?? 'internal';
  const reasons = new Map<number, string>([
    [E_CHECKSUM, 'its index is damaged'],
    [E_CORRUPT, 'it cannot be applied to the layers below'],
    [E_LIMIT, 'the image has more files than is allowed, or names made to collide'],
    [E_NO_MEMORY, 'no memory to merge the layers'],
  ]);
  const near = entry === '' ? '' : `, at entry ${JSON.stringify(entry)}`;
  return new WctrError(
    status === E_CHECKSUM ? 'store-corrupt' : code,
    `${what}: ${reasons.get(status) ?? `core status ${status}`}${near}`,
    {
      data: { entry },
    },
  );
}
