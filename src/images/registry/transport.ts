/**
 * HTTP for registries on the host's fetch: retries with backoff, redirects followed by hand so that credentials stay
 * where they were meant for, timeouts on headers and on silence within a body (either way), and caps on what is read.
 */
import { WctrError } from '../../errors.ts';
import { type HostLookup, mayPointToResolved } from './address.ts';
import { describeNetworkError, type NetworkFailure } from './network-error.ts';

export interface TransportOptions {
  /**
   * The host's fetch. A browser's should be wrapped to add `credentials: 'omit'` and `cache: 'no-store'`, which not
   * every host takes.
   */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly userAgent?: string;
  /** Names are looked up before a server's answer may send us to them, where the host can. */
  readonly lookup?: HostLookup;
  readonly timing?: Partial<Timing>;
}

export interface Timing {
  /** Tries of one request, the first included. */
  readonly attempts: number;
  /** Wait before the second try; doubles each time, with jitter of 50 %. */
  readonly backoffMs: number;
  readonly backoffLimitMs: number;
  /** A Retry-After longer than this is reported instead of waited for. */
  readonly retryAfterLimitMs: number;
  readonly headersTimeoutMs: number;
  /** Longest silence within a body. */
  readonly idleTimeoutMs: number;
  /** A document of a few lines that takes longer than this to arrive is given up, however steadily it drips. */
  readonly documentTimeoutMs: number;
}

export const DEFAULT_TIMING: Timing = {
  attempts: 5,
  backoffMs: 250,
  backoffLimitMs: 10_000,
  retryAfterLimitMs: 60_000,
  headersTimeoutMs: 30_000,
  idleTimeoutMs: 30_000,
  documentTimeoutMs: 120_000,
};

/** A body that is made anew for each try. The length is told beforehand, as registries want it. */
export interface StreamedBody {
  readonly sizeBytes: number;
  open(): AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the origin of `url` only. */
  readonly authorization?: string | undefined;
  readonly body?: string | Uint8Array<ArrayBuffer> | StreamedBody;
  readonly signal?: AbortSignal | undefined;
  /** The body is checked against a digest known beforehand: a redirect from https to http may be followed. */
  readonly verified?: boolean;
  /** Tries, when fewer than `Timing.attempts` will do. */
  readonly attempts?: number;
  /** Wait for headers, when less than `Timing.headersTimeoutMs` will do. */
  readonly headersTimeoutMs?: number;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** RFC 9110, 15.4: only these two keep the method and its body. */
const KEEPING_REDIRECTS = new Set([307, 308]);
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const TRANSIENT = new Set([429, 500, 502, 503, 504]);
const REDIRECT_LIMIT = 8;
const PASSED_OVER_BYTES = 16 * 1024;

export class Transport {
  readonly timing: Timing;
  readonly lookup: HostLookup | undefined;
  private readonly options: TransportOptions;

  constructor(options: TransportOptions) {
    this.options = options;
    this.lookup = options.lookup;
    this.timing = { ...DEFAULT_TIMING, ...options.timing };
  }

  /**
   * The answer, whatever its status; the caller reads or discards the body.
   * @throws registry-unreachable after the last try, too-many-requests, registry-error for a bad redirect, cancelled
   */
  async send(request: HttpRequest): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= (request.attempts ?? this.timing.attempts);
      const outcome = await this.follow(request).catch((error: unknown) => new Failed(error));
      if (outcome instanceof Failed) {
        throwIfAborted(request);
        const { error } = outcome;
        if (error instanceof WctrError) throw error;
        const failure = describeNetworkError(error);
        if (last || !failure.transient) throw unreachable(request.url, failure, error);
        await this.pause(attempt, undefined, request);
        continue;
      }
      if (!TRANSIENT.has(outcome.status) || (last && outcome.status !== 429)) return outcome;
      const wait = retryAfterMs(outcome.headers.get('retry-after'));
      const tooLong = (wait ?? 0) > this.timing.retryAfterLimitMs;
      if (tooLong && outcome.status !== 429) return outcome;
      outcome.discard();
      if (last || tooLong) throw tooMany(request.url, wait);
      await this.pause(attempt, wait, request);
    }
  }

  /** Sends and reads a small body whole; one that breaks off is asked for again. */
  async sendForBytes(request: HttpRequest, limitBytes: number, what: string): Promise<WholeAnswer> {
    return this.retryBody(request, async () => {
      const answer = await this.send(request);
      return { status: answer.status, body: await answer.bytes(limitBytes, what) };
    });
  }

  /** Runs `exchange`, which sends and reads, again as long as the reading breaks off. */
  async retryBody<T>(request: Pick<HttpRequest, 'url' | 'signal'>, exchange: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await exchange();
      } catch (error) {
        throwIfAborted(request);
        if (error instanceof WctrError) throw error;
        if (attempt >= this.timing.attempts) throw unreachable(request.url, describeNetworkError(error), error);
        await this.pause(attempt, undefined, request);
      }
    }
  }

  /** Waits before try number `attempt + 1`. */
  async pause(
    attempt: number,
    atLeastMs: number | undefined,
    request: Pick<HttpRequest, 'url' | 'signal'>,
  ): Promise<void> {
    const { backoffMs, backoffLimitMs, retryAfterLimitMs } = this.timing;
    const backoff = Math.min(backoffMs * 2 ** (attempt - 1), backoffLimitMs) * (0.5 + Math.random() / 2);
    await sleep(Math.max(backoff, Math.min(atLeastMs ?? 0, retryAfterLimitMs)), request.signal);
    throwIfAborted(request);
  }

  private async follow(request: HttpRequest): Promise<HttpAnswer> {
    let url = request.url;
    for (let hops = 0; hops <= REDIRECT_LIMIT; hops++) {
      const answer = await this.once(request, url, url.origin === request.url.origin);
      const location = answer.headers.get('location');
      if (!REDIRECTS.has(answer.status) || location === null || !mayFollow(request, answer.status)) return answer;
      answer.discard();
      url = await this.redirectTarget(request, url, location);
    }
    throw new WctrError('registry-error', `${request.url.host} redirects without end`);
  }

  private async redirectTarget(request: HttpRequest, from: URL, location: string): Promise<URL> {
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    if (to === undefined || !/^https?:$/.test(to.protocol)) {
      throw new WctrError('registry-error', `${from.host} redirects to an address that is not http(s)`);
    }
    if (from.protocol === 'https:' && to.protocol === 'http:' && request.verified !== true) {
      throw new WctrError('registry-error', `${from.host} redirects from https to http, to ${to.host}`);
    }
    if (!(await mayPointToResolved(from, to, this.lookup))) {
      throw new WctrError('registry-error', `${from.host} redirects into a private network, to ${to.hostname}`);
    }
    to.username = '';
    to.password = '';
    return to;
  }

  private async once(request: HttpRequest, url: URL, withAuthorization: boolean): Promise<HttpAnswer> {
    const headers: Record<string, string> = {
      // A compressed blob must come as it lies there: fetch would silently undo a Content-Encoding.
      'accept-encoding': 'identity',
      ...(this.options.userAgent === undefined ? {} : { 'user-agent': this.options.userAgent }),
      ...request.headers,
      ...(withAuthorization && request.authorization !== undefined ? { authorization: request.authorization } : {}),
    };
    const init: RequestInit & { duplex?: 'half' } = { method: request.method ?? 'GET', headers, redirect: 'manual' };
    const transfer = new Transfer(request.signal, this.timing);
    const headersTimeoutMs = request.headersTimeoutMs ?? this.timing.headersTimeoutMs;
    const { body } = request;
    if (typeof body === 'object' && !(body instanceof Uint8Array)) {
      headers['content-length'] = String(body.sizeBytes);
      // Half duplex is all that fetch has; without the word it takes no stream.
      Object.assign(init, { body: transfer.sending(body, headersTimeoutMs), duplex: 'half' });
    } else if (body !== undefined) init.body = body;
    try {
      const fetched = await transfer.within(headersTimeoutMs, async (signal) => {
        const response = await this.options.fetch(url.href, { ...init, signal });
        // A browser hides redirects; its own fetch drops Authorization when the origin changes (Fetch, 4.4).
        if (response.type !== 'opaqueredirect' || !READING.has(init.method ?? 'GET')) return response;
        return this.options.fetch(url.href, { ...init, signal, redirect: 'follow' });
      });
      return new HttpAnswer(fetched, url, transfer, init.method === 'HEAD');
    } catch (error) {
      transfer.end();
      throw error;
    }
  }
}

export interface WholeAnswer {
  readonly status: number;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Status, headers and a body that is read once, under the idle timeout. */
export class HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
  private readonly response: Response;
  private readonly transfer: Transfer;
  private readonly isHead: boolean;

  constructor(response: Response, url: URL, transfer: Transfer, isHead: boolean) {
    this.status = response.status;
    this.headers = response.headers;
    this.url = url;
    this.response = response;
    this.transfer = transfer;
    this.isHead = isHead;
  }

  /** A browser shows scripts only some headers of another origin's answer. */
  get hidesHeaders(): boolean {
    return this.response.type === 'cors';
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** Content-Length of an unencoded body. */
  get announcedBytes(): number | undefined {
    const text = this.headers.get('content-length');
    if (text === null || !/^\d{1,15}$/.test(text) || this.headers.has('content-encoding')) return undefined;
    return Number(text);
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.response.body?.getReader();
    try {
      while (reader !== undefined) {
        const { done, value } = await this.transfer.read(reader);
        if (done) return;
        yield value;
      }
    } finally {
      // Closes the connection when the consumer stopped early; a body at its end does not care.
      void reader?.cancel().catch(() => {});
      this.transfer.end();
    }
  }

  /** @throws limit-exceeded naming `what` when there is more than `limitBytes` */
  async bytes(limitBytes: number, what: string): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    const deadline = Date.now() + this.transfer.timing.documentTimeoutMs;
    let total = 0;
    for await (const chunk of this.chunks()) {
      total += chunk.length;
      if (Date.now() > deadline) {
        throw new WctrError('registry-error', `${this.url.host} takes too long to send ${what}`);
      }
      if (total > limitBytes) {
        throw new WctrError('limit-exceeded', `${what} is larger than ${limitBytes} bytes`, { data: { limitBytes } });
      }
      parts.push(chunk);
    }
    const joined = new Uint8Array(total);
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }

  /** Nobody wants the body. A short one is read past, since giving it up would cost the connection. */
  discard(): void {
    const announced = this.isHead ? 0 : this.announcedBytes;
    if (this.response.body !== null && announced !== undefined && announced <= PASSED_OVER_BYTES) {
      void this.passOver().catch(() => {});
      return;
    }
    void this.response.body?.cancel().catch(() => {});
    this.transfer.end();
  }

  private async passOver(): Promise<void> {
    let passed = 0;
    for await (const chunk of this.chunks()) {
      passed += chunk.length;
      if (passed > PASSED_OVER_BYTES) return;
    }
  }
}

/** One exchange's abort: by the caller, by the wait for headers, by silence in the body. */
class Transfer {
  readonly timing: Timing;
  private readonly controller = new AbortController();
  private readonly caller: AbortSignal | undefined;
  private readonly onAbort = (): void => this.controller.abort(this.caller?.reason);
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(caller: AbortSignal | undefined, timing: Timing) {
    this.caller = caller;
    this.timing = timing;
    if (caller?.aborted) this.onAbort();
    else caller?.addEventListener('abort', this.onAbort, { once: true });
  }

  async within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.wait(limitMs);
    try {
      return await work(this.controller.signal);
    } finally {
      clearTimeout(this.timer);
      this.timer = undefined;
    }
  }

  read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<ReadableStreamReadResult<Uint8Array>> {
    return this.within(this.timing.idleTimeoutMs, () => reader.read());
  }

  /** The body as fetch takes it; each piece that is taken starts the wait anew, the last one the wait for headers. */
  sending(body: StreamedBody, headersTimeoutMs: number): ReadableStream<Uint8Array<ArrayBuffer>> {
    const iterator = body.open()[Symbol.asyncIterator]();
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        pull: async (controller) => {
          const { done, value } = await iterator.next();
          if (this.timer !== undefined) this.wait(done === true ? headersTimeoutMs : this.timing.idleTimeoutMs);
          if (done === true) controller.close();
          else controller.enqueue(value as Uint8Array<ArrayBuffer>);
        },
        cancel: async () => {
          await iterator.return?.();
        },
      },
      { highWaterMark: 0 },
    );
  }

  private wait(limitMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.controller.abort(new TimeoutFailure()), limitMs);
  }

  end(): void {
    this.caller?.removeEventListener('abort', this.onAbort);
  }
}

/** A token request carries a secret and is never sent on; an upload is, where the server says that it is elsewhere. */
function mayFollow({ method = 'GET', body }: HttpRequest, status: number): boolean {
  return READING.has(method) || (KEEPING_REDIRECTS.has(status) && typeof body !== 'string');
}

class TimeoutFailure extends Error {
  readonly code = 'ETIMEDOUT';
  constructor() {
    super('timed out');
  }
}

class Failed {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}

export function throwIfAborted(request: Pick<HttpRequest, 'url' | 'signal'>): void {
  if (request.signal?.aborted) throw cancelled(request);
}

function cancelled({ url, signal }: Pick<HttpRequest, 'url' | 'signal'>): WctrError {
  return new WctrError('cancelled', `the request to ${url.host} was cancelled`, { cause: signal?.reason });
}

function unreachable(url: URL, { reason, certificate, hint }: NetworkFailure, cause: unknown): WctrError {
  return new WctrError('registry-unreachable', `cannot reach ${url.host}: ${reason}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
    data: { host: url.host, certificate },
  });
}

function tooMany(url: URL, waitMs: number | undefined): WctrError {
  const when = waitMs === undefined ? 'later' : `in ${Math.ceil(waitMs / 1000)} s`;
  return new WctrError('too-many-requests', `${url.host} takes no more requests for now`, {
    hint: `try again ${when}, or log in for a higher limit`,
    data: { host: url.host, retryAfterMs: waitMs },
  });
}

/** RFC 9110, 10.2.3: seconds or a date. */
function retryAfterMs(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** Gives a wait up when the caller cancels; the work itself, which others may share, goes on. */
export function untilAborted<T>(work: Promise<T>, request: Pick<HttpRequest, 'url' | 'signal'>): Promise<T> {
  const { signal } = request;
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const cancel = (): void => reject(cancelled(request));
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancel));
  });
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
