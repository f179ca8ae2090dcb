/** So many requests a second for each client, with some in reserve. */
import { Refusal } from '../refusal.ts';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Seconds of requests that may come at once. */
const BURST_S = 5;
const MAX_CLIENTS = 50_000;

export class RateLimit {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  /** Throws TOOMANYREQUESTS. */
  take(client: string): void {
    const nowMs = this.#now();
    const most = Math.max(1, this.#perSecond * BURST_S);
    const bucket = this.#buckets.get(client) ?? { tokens: most, atMs: nowMs };
    bucket.tokens = Math.min(most, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * this.#perSecond);
    bucket.atMs = nowMs;
    // Last in, last out: the one not seen for longest goes first.
    this.#buckets.delete(client);
    this.#buckets.set(client, bucket);
    if (this.#buckets.size > MAX_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value!);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return;
    }
    const seconds = Math.ceil((1 - bucket.tokens) / this.#perSecond);
    throw new Refusal('tooManyRequests', 'too many requests', { headers: { 'retry-after': `${seconds}` } });
  }
}
