/** How the daemon answers: documents, errors in docker's shape, and streams of JSON lines. */
import { ERROR_TABLE, frameOf, isWctrError, WctrError } from '../errors.ts';
import { streamOf } from '../host/stream-of.ts';

/** What the docker CLI looks for to exit with 127 and 126 where a program cannot be started. */
const CLI_MARKS: Readonly<Record<string, string>> = {
  'entrypoint-not-found': 'executable file not found',
  'entrypoint-denied': 'permission denied',
  'module-denied': 'permission denied',
};

/** docker's `{"message"}`; the others are for our own client. */
export interface ErrorBody {
  readonly message: string;
  readonly code?: string;
  readonly hint?: string;
  /** Of a Dockerfile: the place in it, some lines. */
  readonly frame?: string;
}

export function errorBody(error: unknown): ErrorBody {
  if (!isWctrError(error)) {
    return { message: error instanceof Error ? error.message : String(error), code: 'internal' };
  }
  const mark = CLI_MARKS[error.code];
  const marked = mark === undefined || error.message.includes(mark) ? error.message : `${error.message}: ${mark}`;
  // Scripts look for docker's `No such container` to this letter.
  const message = error.code.startsWith('no-such-') ? marked[0]!.toUpperCase() + marked.slice(1) : marked;
  const frame = frameOf(error);
  return {
    message,
    code: error.code,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(frame === undefined ? {} : { frame }),
  };
}

export function errorReply(error: unknown): Response {
  const status = isWctrError(error) ? ERROR_TABLE[error.code].http : 500;
  return json(errorBody(error), status);
}

export function json(document: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(document)}\n`, { status, headers: { 'content-type': 'application/json' } });
}

export function nothing(status: 200 | 201 | 204 | 304 = 204): Response {
  return new Response(null, { status });
}

/** Docker's own words for a path that is nowhere. */
export function pageNotFound(): Response {
  return json({ message: 'page not found' }, 404);
}

/** An error after the headers have gone: docker's progress streams carry it as a line. */
export function errorLine(error: unknown): object {
  const { message, ...own } = errorBody(error);
  // Not in errorDetail, whose `code` is a number to Go's clients.
  return { errorDetail: { message }, error: message, wctr: own };
}

/** One JSON document a line, each sent as it comes. */
export function jsonLines(documents: AsyncIterable<unknown>, onError?: (error: unknown) => unknown): Response {
  const encoder = new TextEncoder();
  return new Response(
    streamOf(
      (async function* () {
        try {
          for await (const document of documents) yield encoder.encode(`${JSON.stringify(document)}\r\n`);
        } catch (error) {
          if (onError === undefined) throw error;
          yield encoder.encode(`${JSON.stringify(onError(error))}\r\n`);
        }
      })(),
    ),
    { headers: { 'content-type': 'application/json' } },
  );
}

export function bytes(
  chunks: AsyncIterable<Uint8Array>,
  contentType = 'application/x-tar',
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(streamOf(chunks), { headers: { 'content-type': contentType, ...headers } });
}

/**
 * The first value is waited for, so that what fails before it is an answer with a status and not a line of a stream that
 * has begun.
 */
export async function* begun<T>(first: IteratorResult<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Lines of progress. What fails before the first is an answer with a status. */
export async function answerFrom<T>(
  documents: AsyncIterable<T>,
  shape: (document: T) => object = (document) => document as object,
  onError: (error: unknown) => unknown = errorLine,
): Promise<Response> {
  const iterator = documents[Symbol.asyncIterator]();
  const lines = begun(await iterator.next(), iterator);
  return jsonLines(
    (async function* () {
      for await (const document of lines) yield shape(document);
    })(),
    onError,
  );
}

export async function* chunksOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    void reader.cancel().catch(() => {});
  }
}

export function refused(what: string, hint?: string): WctrError {
  return new WctrError('unsupported', what, hint === undefined ? {} : { hint });
}
