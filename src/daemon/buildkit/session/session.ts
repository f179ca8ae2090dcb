/** A client's session: the connection it opened so that the daemon may ask it for files, logins and secrets. */
import { WctrError } from '../../../errors.ts';
import type { Http2Client } from '../../../host/http2.ts';
import { GrpcClient } from '../grpc/client.ts';
import { GrpcError } from '../grpc/status.ts';
import { HEALTH_REQUEST, HEALTH_RESPONSE } from '../proto/session.ts';

/** A solve may be asked for before its session is here. */
const WAIT_MS = 3_000;
/** As BuildKit has them: a client that is stopped or gone without a word must not hold a build for ever. */
const HEALTH_INTERVAL_MS = 5_000;
const HEALTH_TIMEOUT_MS = 15_000;
/** One may be late because this process had no time to look. */
const MAX_HEALTH_FAILURES = 2;
const MAX_SESSIONS = 1_000;
const ID = /^[\w.:-]{1,128}$/;

export interface Session {
  readonly id: string;
  /** What it answers, `/moby.filesync.v1.FileSync/DiffCopy`. */
  readonly methods: ReadonlySet<string>;
  readonly client: GrpcClient;
  /** Names the client's directories from one session to the next; may be empty. */
  readonly sharedKey: string;
  /** Aborted when the session is gone. */
  readonly signal: AbortSignal;
}

export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #waiting = new Set<() => void>();

  /** Why a request to open a session cannot be met. */
  check(headers: Headers): void {
    const id = idOf(headers);
    if (this.#sessions.has(id)) throw new WctrError('conflict', `session ${id} already exists`);
    if (this.#sessions.size >= MAX_SESSIONS) throw new WctrError('too-many-requests', 'there are too many sessions');
  }

  /** Resolves when the session is over. */
  async serve(headers: Headers, connection: Http2Client): Promise<void> {
    const id = idOf(headers);
    if (this.#sessions.has(id)) return connection.destroy();
    const gone = new AbortController();
    const methods = new Set((headers.get('x-docker-expose-session-grpc-method') ?? '').split(/,\s*/).slice(0, 1_000));
    const client = new GrpcClient(connection);
    const sharedKey = headers.get('x-docker-expose-session-sharedkey') ?? '';
    this.#sessions.set(id, { id, methods, client, sharedKey, signal: gone.signal });
    for (const wake of this.#waiting) wake();
    const stop = watchHealth(client, () => connection.destroy());
    await connection.closed;
    stop();
    this.#sessions.delete(id);
    gone.abort(new WctrError('cancelled', `the client's session ${id} is over`));
  }

  /** Throws `not-found` where none of that name comes. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const until = Date.now() + WAIT_MS;
    for (;;) {
      const session = this.#sessions.get(id);
      if (session !== undefined) return session;
      const left = until - Date.now();
      if (left <= 0) throw new WctrError('not-found', `no active session for ${id.slice(0, 128)}`);
      await this.#change(left, signal);
    }
  }

  #change(timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        signal.removeEventListener('abort', settle);
        if (signal.aborted) reject(new WctrError('cancelled', 'the client has gone'));
        else resolve();
      };
      const timer = setTimeout(settle, timeoutMs);
      this.#waiting.add(settle);
      signal.addEventListener('abort', settle);
      if (signal.aborted) settle();
    });
  }
}

function idOf(headers: Headers): string {
  const id = headers.get('x-docker-expose-session-uuid') ?? '';
  if (!ID.test(id)) throw new WctrError('invalid-argument', 'a session needs an id: X-Docker-Expose-Session-Uuid');
  return id;
}

/** Asks again and again whether the client is well; `lost` when it does not answer. Returns what ends the asking. */
function watchHealth(client: GrpcClient, lost: () => void): () => void {
  let stopped = false;
  let failures = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async () => {
    const limit = AbortSignal.timeout(HEALTH_TIMEOUT_MS);
    try {
      await client.unary('/grpc.health.v1.Health/Check', HEALTH_REQUEST, HEALTH_RESPONSE, {}, limit);
      failures = 0;
    } catch (error) {
      // Whoever says anything at all is there.
      failures = error instanceof GrpcError ? 0 : failures + 1;
      if (failures >= MAX_HEALTH_FAILURES && !stopped) return lost();
    }
    if (!stopped) timer = setTimeout(() => void ask(), HEALTH_INTERVAL_MS);
  };
  timer = setTimeout(() => void ask(), HEALTH_INTERVAL_MS);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
