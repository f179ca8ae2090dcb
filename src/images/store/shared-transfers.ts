/** One transfer for all callers of a realm that want the same blob; it is given up when the last of them has. */
import { WctrError } from '../../errors.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { IngestOptions } from '../contracts.ts';

interface SharedTransfer {
  readonly done: Promise<void>;
  readonly abort: AbortController;
  readonly listeners: Set<(receivedBytes: number) => void>;
  waiting: number;
}

export class SharedTransfers {
  readonly #running = new Map<Digest, SharedTransfer>();

  /** `start` runs once per digest at a time; its signal fires when every caller's has. */
  async run(
    digest: Digest,
    options: IngestOptions,
    start: (signal: AbortSignal, onProgress: (receivedBytes: number) => void) => Promise<void>,
  ): Promise<void> {
    const { signal, onProgress } = options;
    if (signal?.aborted) throw givenUp(digest, signal);
    const transfer = this.#running.get(digest) ?? this.#start(digest, start);
    transfer.waiting += 1;
    if (onProgress !== undefined) transfer.listeners.add(onProgress);
    let onAbort = () => {};
    try {
      await Promise.race([
        transfer.done,
        new Promise<never>((_, reject) => {
          onAbort = () => reject(givenUp(digest, signal));
          signal?.addEventListener('abort', onAbort, { once: true });
        }),
      ]);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      if (onProgress !== undefined) transfer.listeners.delete(onProgress);
      transfer.waiting -= 1;
      if (transfer.waiting === 0) await this.#abandon(digest, transfer);
    }
  }

  #start(
    digest: Digest,
    start: (signal: AbortSignal, onProgress: (receivedBytes: number) => void) => Promise<void>,
  ): SharedTransfer {
    const abort = new AbortController();
    const listeners = new Set<(receivedBytes: number) => void>();
    const done = start(abort.signal, (received) => {
      for (const listener of listeners) listener(received);
    }).finally(() => {
      if (this.#running.get(digest) === transfer) this.#running.delete(digest);
    });
    const transfer: SharedTransfer = { done, abort, listeners, waiting: 0 };
    this.#running.set(digest, transfer);
    return transfer;
  }

  /** Also waits until the transfer has let go of its file and lock, so that a cancelled caller may start again. */
  async #abandon(digest: Digest, transfer: SharedTransfer): Promise<void> {
    if (this.#running.get(digest) !== transfer) return;
    this.#running.delete(digest);
    transfer.abort.abort();
    await transfer.done.catch(() => {});
  }
}

function givenUp(digest: Digest, signal: AbortSignal | undefined): WctrError {
  return new WctrError('cancelled', `the transfer of blob ${digest} was cancelled`, { cause: signal?.reason });
}
