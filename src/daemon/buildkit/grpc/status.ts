/**
 * How a gRPC call ends: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, codes as in google/rpc/code.proto.
 */
import { isWctrError, WctrError } from '../../../errors.ts';
import type { Http2Headers } from '../../../host/http2.ts';
import type { Of } from '../proto/codec.ts';
import { type ANY, STATUS } from '../proto/common.ts';

const CANCELLED = 1;
export const UNKNOWN = 2;
export const INVALID_ARGUMENT = 3;
export const NOT_FOUND = 5;
export const UNIMPLEMENTED = 12;
export const INTERNAL = 13;

/** What one side of a call told the other. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  readonly details: readonly Partial<Of<typeof ANY>>[];

  constructor(code: number, message: string, details: readonly Partial<Of<typeof ANY>>[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** Go's clients put the name of every other code than UNKNOWN before the message, which is noise to those who read it. */
export function codeOf(error: unknown): number {
  if (error instanceof GrpcError) return error.code;
  if (isWctrError(error, 'cancelled')) return CANCELLED;
  return UNKNOWN;
}

/** Headers hold some 8 KiB: what is longer is told in part. */
const MAX_MESSAGE_CHARS = 2_000;
const MAX_DETAILS_BYTES = 24 << 10;

export function trailersOf(error: unknown): Http2Headers {
  const code = codeOf(error);
  const message = (error instanceof Error ? error.message : String(error)).slice(0, MAX_MESSAGE_CHARS);
  const details = error instanceof GrpcError ? error.details : [];
  const binary = details.length === 0 ? undefined : STATUS.encode({ code, message, details });
  return {
    'grpc-status': String(code),
    'grpc-message': percentEncoded(message),
    ...(binary === undefined || binary.length > MAX_DETAILS_BYTES ? {} : { 'grpc-status-details-bin': base64(binary) }),
  };
}

/** What the trailers of an answer say; undefined where all went well. */
export function failureOf(trailers: Http2Headers): GrpcError | undefined {
  const status = trailers['grpc-status'];
  if (status === '0') return undefined;
  const code = typeof status === 'string' && /^\d{1,2}$/.test(status) ? Number(status) : UNKNOWN;
  const message = trailers['grpc-message'];
  return new GrpcError(code, typeof message === 'string' ? percentDecoded(message) : 'the client gave no reason');
}

/** What a client's failure is here: its words are its own, and go on one line. */
export function asWctrError(error: unknown, what: string): WctrError {
  if (isWctrError(error)) return error;
  const message = (error instanceof Error ? error.message : String(error)).replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  const code = error instanceof GrpcError && error.code === NOT_FOUND ? 'not-found' : 'build-failed';
  return new WctrError(code, `${what}: ${message.slice(0, MAX_MESSAGE_CHARS)}`, { cause: error });
}

/** Everything but printable ASCII, and `%`. */
function percentEncoded(text: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(text)) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function base64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
