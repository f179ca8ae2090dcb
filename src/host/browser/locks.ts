/** The Locks port over the Web Locks API (https://w3c.github.io/web-locks/): tabs and workers of one origin. */
import { WctrError } from '../../errors.ts';
import type { Lock, Locks } from '../ports.ts';

/** The lock dies with the tab or worker, so nothing is ever stale. `scope` tells two stores of one origin apart. */
export class WebLocks implements Locks {
  readonly #manager: LockManager;
  readonly #scope: string;

  constructor(manager: LockManager, scope: string) {
    this.#manager = manager;
    this.#scope = scope;
  }

  acquire(name: string, options: { shared?: boolean; signal?: AbortSignal } = {}): Promise<Lock> {
    const { shared = false, signal } = options;
    return new Promise<Lock>((resolve, reject) => {
      const request = this.#manager.request(
        `${this.#scope}:${name}`,
        { mode: shared ? 'shared' : 'exclusive', ...(signal === undefined ? {} : { signal }) },
        () =>
          new Promise<void>((done) => {
            resolve({ release: async () => done() });
          }),
      );
      request.catch((cause: unknown) => {
        reject(
          signal?.aborted
            ? new WctrError('cancelled', `cancelled while waiting for the lock ${name}`, { cause })
            : new WctrError('internal', `the browser refused the lock ${name}`, { cause }),
        );
      });
    });
  }
}
