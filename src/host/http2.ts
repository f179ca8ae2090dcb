/** HTTP/2 over a connection that is there already, as either side of it; what gRPC needs of it and no more. */
import type { DuplexChannel } from './http.ts';

/** Lower-case names, pseudo-headers (`:path`, `:status`) among them. */
export type Http2Headers = Readonly<Record<string, string | readonly string[]>>;

/** A stream the other side opened. */
export interface Http2ServerStream {
  readonly headers: Http2Headers;
  /** To be read once. Leaving it early is no reset. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the stream or its connection ended before `end`. */
  readonly signal: AbortSignal;
  respond(headers: Http2Headers): void;
  /** Resolves when there is room for more, also where nobody is there to read any more. */
  write(chunk: Uint8Array): Promise<void>;
  end(trailers: Http2Headers): void;
}

/** A stream this side opened. */
export interface Http2ClientStream {
  /** To be read once; throws where the stream is reset. Leaving it early cancels the stream. */
  readonly body: AsyncIterable<Uint8Array>;
  /** After the body: what came last, trailers or, where there were none, headers. Rejects where the stream was reset. */
  readonly trailers: Promise<Http2Headers>;
  /** As of Http2ServerStream. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more from here. */
  end(): void;
  cancel(): void;
}

export interface Http2Connection {
  /** Resolves when the connection is closed, whoever did it. */
  readonly closed: Promise<void>;
  /** At once. */
  destroy(): void;
}

export interface Http2Client extends Http2Connection {
  request(headers: Http2Headers): Http2ClientStream;
}

export interface Http2 {
  serve(channel: DuplexChannel, onStream: (stream: Http2ServerStream) => void): Promise<Http2Connection>;
  connect(channel: DuplexChannel): Promise<Http2Client>;
}
