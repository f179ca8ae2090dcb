/**
 * Requests and answers as the registry's routes see them. Less than the web's Request and Response, which cost a listener
 * of Node half of what a small answer takes; `registry.ts` makes one of the other for every other host.
 */
import { streamOf } from '../host/stream-of.ts';

export interface RegistryRequest {
  readonly method: string;
  /** As sent: still escaped, without the query. */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** `name` in lower case. */
  header(name: string): string | undefined;
  /** Once. Ends early with an error when the client goes away. */
  body(): AsyncIterable<Uint8Array>;
  /** The client's address, where the listener knows it. */
  readonly remote?: string;
}

/** Bytes of a blob, read when the answer is sent. */
export interface BlobBody {
  /** Bytes from `from` up to `to`, which is not included. */
  readonly from: number;
  readonly to: number;
  /** Where a listener with a file system of its own finds them. */
  readonly path?: string;
  stream(): AsyncIterable<Uint8Array>;
}

export interface Reply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Left out for HEAD, whatever `content-length` says. */
  readonly body?: Uint8Array | BlobBody;
}

export function isBlobBody(body: Uint8Array | BlobBody): body is BlobBody {
  return !(body instanceof Uint8Array);
}

const encoder = new TextEncoder();

export function jsonReply(
  status: number,
  document: unknown,
  headers: Readonly<Record<string, string>> = {},
  mediaType = 'application/json',
): Reply {
  const body = encoder.encode(JSON.stringify(document));
  return { status, headers: { 'content-type': mediaType, 'content-length': `${body.length}`, ...headers }, body };
}

export function emptyReply(status: number, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: status === 204 ? headers : { 'content-length': '0', ...headers } };
}

/** All of a body, or undefined when it is longer than the limit. */
export async function readBody(request: RegistryRequest, limitBytes: number): Promise<Uint8Array | undefined> {
  if (Number(request.header('content-length') ?? 0) > limitBytes) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body()) {
    length += chunk.length;
    if (length > limitBytes) return undefined;
    chunks.push(chunk);
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** The light request of a web Request. */
export function fromWeb(request: Request): RegistryRequest {
  const url = new URL(request.url);
  return {
    method: request.method,
    path: url.pathname,
    query: url.search.slice(1),
    header: (name) => request.headers.get(name) ?? undefined,
    body: () => chunksOf(request.body),
  };
}

async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    void reader.cancel().catch(() => {});
  }
}

/** The web Response of an answer. */
export function toWeb(reply: Reply, method: string): Response {
  const { status, body } = reply;
  const headers = new Headers(reply.headers);
  if (body === undefined || method === 'HEAD') return new Response(null, { status, headers });
  if (!isBlobBody(body)) return new Response(body as Uint8Array<ArrayBuffer>, { status, headers });
  return new Response(streamOf(body.stream()), { status, headers });
}
