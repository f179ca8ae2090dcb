/** The serving side of gRPC calls, on streams of HTTP/2. */
import { isWctrError, WctrError } from '../../../errors.ts';
import type { Http2Headers, Http2ServerStream } from '../../../host/http2.ts';
import type { Message } from '../proto/codec.ts';
import { frameOf, messagesOf } from './frames.ts';
import { GrpcError, INTERNAL, trailersOf, UNIMPLEMENTED } from './status.ts';

export interface Call {
  /** Metadata of the client; the first of more than one. */
  metadata(name: string): string | undefined;
  /** Aborted when the client has gone or gave up. */
  readonly signal: AbortSignal;
}

/** Takes encoded requests, yields encoded answers. */
export type Method = (requests: AsyncIterable<Uint8Array>, call: Call) => AsyncIterable<Uint8Array>;

export function unary<Q, R>(
  request: Message<Q>,
  response: Message<R>,
  answer: (request: Q, call: Call) => Promise<Partial<R>> | Partial<R>,
): Method {
  return async function* (requests, call) {
    yield response.encode(await answer(request.decode(await onlyMessage(requests)), call));
  };
}

export function streaming<Q, R>(
  request: Message<Q>,
  response: Message<R>,
  answers: (request: Q, call: Call) => AsyncIterable<Partial<R>>,
): Method {
  return async function* (requests, call) {
    for await (const answer of answers(request.decode(await onlyMessage(requests)), call)) {
      yield response.encode(answer);
    }
  };
}

/** Any number of messages either way, each when it is ready. */
export function duplex<Q, R>(
  request: Message<Q>,
  response: Message<R>,
  answers: (requests: AsyncIterable<Q>, call: Call) => AsyncIterable<Partial<R>>,
): Method {
  return async function* (requests, call) {
    for await (const answer of answers(decoded(requests, request), call)) yield response.encode(answer);
  };
}

async function* decoded<Q>(messages: AsyncIterable<Uint8Array>, type: Message<Q>): AsyncGenerator<Q> {
  for await (const bytes of messages) yield type.decode(bytes);
}

/** `/package.Service/Method` -> what answers it. */
export type Methods = ReadonlyMap<string, Method>;

const HEADERS: Http2Headers = { ':status': '200', 'content-type': 'application/grpc' };

/** Never rejects. `onInternalError` hears of what nobody threw on purpose. */
export async function serveCall(
  stream: Http2ServerStream,
  methods: Methods,
  onInternalError?: (error: unknown) => void,
): Promise<void> {
  const { headers, signal } = stream;
  const path = first(headers[':path']) ?? '';
  const call: Call = { signal, metadata: (name) => first(headers[name]) };
  stream.respond(HEADERS);
  try {
    const method = methods.get(path);
    if (method === undefined) throw new GrpcError(UNIMPLEMENTED, `wctr does not answer ${path.slice(0, 200)}`);
    for await (const answer of method(messagesOf(stream.body), call)) {
      if (signal.aborted) return;
      await stream.write(frameOf(answer));
    }
    stream.end({ 'grpc-status': '0' });
  } catch (error) {
    if (signal.aborted) return;
    const isKnown = error instanceof GrpcError || isWctrError(error);
    if (!isKnown) onInternalError?.(error);
    stream.end(trailersOf(isKnown ? error : new GrpcError(INTERNAL, 'internal error')));
  }
}

async function onlyMessage(messages: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  for await (const message of messages) return message;
  throw new WctrError('invalid-argument', 'a call without a request');
}

export function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}
