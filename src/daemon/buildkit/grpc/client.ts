/** The asking side of gRPC calls: BuildKit's daemon calls its client back through the session. */
import { WctrError } from '../../../errors.ts';
import type { Http2Client, Http2ClientStream } from '../../../host/http2.ts';
import type { Message } from '../proto/codec.ts';
import { frameOf, messagesOf } from './frames.ts';
import { failureOf } from './status.ts';

export type Metadata = Readonly<Record<string, string | readonly string[]>>;

/** A call with as many messages either way as it takes. */
export interface GrpcStream<Q, R> {
  /** Resolves when there is room for more. */
  send(message: Partial<Q>): Promise<void>;
  /** More than one at once. */
  sendAll(messages: readonly Partial<Q>[]): Promise<void>;
  /** No more from here. */
  end(): void;
  /** Ends when the other side ended well; throws GrpcError, or what the connection died of. To be read once. */
  readonly messages: AsyncIterable<R>;
  cancel(): void;
}

export class GrpcClient {
  readonly #connection: Http2Client;

  constructor(connection: Http2Client) {
    this.#connection = connection;
  }

  async unary<Q, R>(
    path: string,
    request: Message<Q>,
    response: Message<R>,
    value: Partial<Q>,
    signal?: AbortSignal,
  ): Promise<R> {
    const stream = this.stream(path, request, response, {}, signal);
    await stream.send(value);
    stream.end();
    let answer: R | undefined;
    for await (const message of stream.messages) answer ??= message;
    if (answer === undefined) throw new WctrError('invalid-argument', 'the client gave no answer');
    return answer;
  }

  stream<Q, R>(
    path: string,
    request: Message<Q>,
    response: Message<R>,
    metadata: Metadata = {},
    signal?: AbortSignal,
  ): GrpcStream<Q, R> {
    signal?.throwIfAborted();
    const stream = this.#request(path, metadata);
    const cancel = () => stream.cancel();
    signal?.addEventListener('abort', cancel, { once: true });
    void stream.trailers.catch(() => {}).finally(() => signal?.removeEventListener('abort', cancel));
    return {
      send: (message) => stream.write(frameOf(request.encode(message))),
      sendAll: (messages) => stream.write(joined(messages.map((message) => frameOf(request.encode(message))))),
      end: () => stream.end(),
      messages: decoded(stream, response),
      cancel,
    };
  }

  #request(path: string, metadata: Metadata): Http2ClientStream {
    try {
      return this.#connection.request({
        ':method': 'POST',
        ':scheme': 'http',
        ':authority': 'localhost',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...metadata,
      });
    } catch (cause) {
      // The connection is closed, and nobody was told yet.
      throw new WctrError('cancelled', 'the client has gone', { cause });
    }
  }
}

async function* decoded<R>(stream: Http2ClientStream, response: Message<R>): AsyncGenerator<R> {
  try {
    for await (const bytes of messagesOf(stream.body)) yield response.decode(bytes);
    const failure = failureOf(await stream.trailers);
    if (failure !== undefined) throw failure;
  } finally {
    stream.cancel();
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
