/** Requests and answers of the Engine API, in the terms of the Engine port: documents, errors, streams of lines. */
import { ERROR_TABLE, type ErrorCode, isWctrError, WctrError } from '../../errors.ts';
import type { DuplexChannel, HttpClient } from '../../host/http.ts';
import { API_VERSION } from '../../spec/engine-api.ts';

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface Call {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  readonly body?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export class ApiClient {
  readonly #http: HttpClient;
  /** Where it leads, for messages. */
  readonly #host: string;
  #version: Promise<string> | undefined;

  constructor(http: HttpClient, host: string) {
    this.#http = http;
    this.#host = host;
  }

  async json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const response = await this.send(method, path, call);
    const content = await response.text();
    return (content.trim() === '' ? undefined : JSON.parse(content)) as T;
  }

  /** Where the answer says nothing. 304 is docker's "it is so already". */
  async done(method: string, path: string, call: Call = {}): Promise<void> {
    await (await this.send(method, path, call)).body?.cancel();
  }

  /** Resolves at the headers. Rejects with what the daemon said. */
  async send(method: string, path: string, call: Call = {}): Promise<Response> {
    const response = await this.#reach(async () => this.#http.fetch(await this.#request(method, path, call)));
    if (!response.ok && response.status !== 304) throw await refusal(response);
    return response;
  }

  async hijack(path: string, call: Call = {}): Promise<DuplexChannel & { readonly headers: Headers }> {
    const answer = await this.#reach(async () => this.#http.hijack(await this.#request('POST', path, call)));
    if (!(answer instanceof Response)) return answer;
    if (!answer.ok) throw await refusal(answer);
    throw new WctrError('internal', `${this.#host} did not give a connection for ${path}`);
  }

  async *lines<T>(method: string, path: string, call: Call = {}): AsyncGenerator<T> {
    yield* jsonLines<T>(await this.send(method, path, call), call.signal);
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #request(method: string, path: string, { query, json, body, headers, signal }: Call) {
    const version = await this.#negotiated();
    return {
      method,
      path: `/v${version}${path}${queryText(query)}`,
      headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  /** The newest version both sides speak. */
  #negotiated(): Promise<string> {
    this.#version ??= (async () => {
      const response = await this.#http.fetch({ method: 'GET', path: '/_ping' });
      await response.body?.cancel();
      const theirs = response.headers.get('api-version') ?? API_VERSION;
      return Number(theirs.split('.')[1]) < Number(API_VERSION.split('.')[1]) ? theirs : API_VERSION;
    })();
    this.#version.catch(() => {
      this.#version = undefined;
    });
    return this.#version;
  }

  async #reach<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      if (isWctrError(cause)) throw cause;
      if ((cause as Error).name === 'AbortError') throw new WctrError('cancelled', 'cancelled', { cause });
      const why = (cause as { code?: string }).code ?? (cause as Error).message;
      throw new WctrError('daemon-unreachable', `cannot connect to the daemon at ${this.#host}: ${why}`, {
        hint: 'is the daemon running?',
        cause,
      });
    }
  }
}

function queryText(query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === false) continue;
    for (const item of Array.isArray(value) ? value : [value]) search.append(name, item === true ? '1' : String(item));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** Filters of the port as docker's query has them; undefined where there are none. */
export function filterText(filters: Readonly<Record<string, readonly string[]>> | undefined): string | undefined {
  return filters === undefined || Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters);
}

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-argument',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  413: 'limit-exceeded',
  429: 'too-many-requests',
  501: 'unsupported',
  507: 'no-space',
};

async function refusal(response: Response): Promise<WctrError> {
  const content = await response.text().catch(() => '');
  let said: { message?: unknown; code?: unknown; hint?: unknown; frame?: unknown } = {};
  try {
    said = JSON.parse(content) as typeof said;
  } catch {
    // A proxy in between answers with pages of its own.
  }
  // Our own daemon says which of its codes it was.
  const code =
    typeof said?.code === 'string' && Object.hasOwn(ERROR_TABLE, said.code)
      ? (said.code as ErrorCode)
      : (CODE_OF_STATUS[response.status] ?? 'internal');
  const message = typeof said?.message === 'string' ? said.message : `the daemon answered ${response.status}`;
  return new WctrError(code, message, {
    // Whether the code is the daemon's own word.
    data: {
      status: response.status,
      isNamed: code === said?.code,
      ...(typeof said?.frame === 'string' ? { frame: said.frame } : {}),
    },
    ...(typeof said?.hint === 'string' ? { hint: said.hint } : {}),
  });
}

/** Documents of a stream, one a line. `signal`: of the call. */
export async function* jsonLines<T>(response: Response, signal?: AbortSignal): AsyncGenerator<T> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of bodyOf(response, signal)) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield parsed<T>(line);
  }
  if (rest.trim() !== '') yield parsed<T>(rest);
}

function parsed<T>(line: string): T {
  try {
    return JSON.parse(line) as T;
  } catch (cause) {
    throw new WctrError('daemon-unreachable', `the daemon answered with what is no JSON: ${line.slice(0, 80)}`, {
      hint: 'is it a docker or wctr daemon, without anything in between?',
      cause,
    });
  }
}

/** Leaving the iteration drops the connection. Throws `cancelled`, and `daemon-unreachable` where the daemon dropped it. */
export async function* bodyOf(response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (response.body === null) return;
  const reader = response.body.getReader();
  let ended = false;
  try {
    for (;;) {
      const next = await reader.read().catch((cause: unknown) => {
        if (signal?.aborted === true) throw new WctrError('cancelled', 'cancelled', { cause });
        throw new WctrError('daemon-unreachable', 'the daemon ended the connection in the middle of its answer', {
          hint: 'is the daemon running?',
          cause,
        });
      });
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (!ended) await reader.cancel().catch(() => {});
  }
}
