/**
 * HTTP between programs, without a host in it: what a listener serves (the daemon's router), and what a client asks
 * through (the remote engine). A Docker client turns some requests into a plain connection in both directions ("hijack"),
 * which Request -> Response cannot say; those go through `upgrade`.
 */

/** A connection in both directions. Closing `writable` ends this side only; aborting it drops the connection. */
export interface DuplexChannel {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** What becomes of a connection once the listener has answered `101 UPGRADED` with these headers. */
export interface Upgraded {
  readonly headers: Readonly<Record<string, string>>;
  /** Resolves when the connection has no further use. Never rejects. */
  serve(channel: DuplexChannel): Promise<void>;
}

export interface HttpService {
  fetch(request: Request): Promise<Response>;
  /** A request with `Connection: Upgrade`, its body included. A Response refuses. */
  upgrade(request: Request): Promise<Response | Upgraded>;
}

export interface HttpClientRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

/** The way to one server. */
export interface HttpClient {
  /** Resolves with any status as soon as its headers are here. Rejects where there is no server. */
  fetch(request: HttpClientRequest): Promise<Response>;
  /** The plain connection, or the Response that refused it. */
  hijack(request: HttpClientRequest): Promise<Response | (DuplexChannel & { readonly headers: Headers })>;
  close(): Promise<void>;
}
