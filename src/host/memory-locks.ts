/** Locks within one JavaScript realm: first come, first served; shared holders go together. */
import { WctrError } from '../errors.ts';
import type { Lock, Locks } from './ports.ts';

interface Waiter {
  readonly shared: boolean;
  readonly grant: () => void;
}

interface LockState {
  /** Number of shared holders, or -1 for one exclusive holder. */
  holders: number;
  readonly queue: Waiter[];
}

export class MemoryLocks implements Locks {
  readonly #states = new Map<string, LockState>();

  /** Throws `cancelled` when the signal fires first. */
  acquire(name: string, options: { shared?: boolean; signal?: AbortSignal } = {}): Promise<Lock> {
    const { shared = false, signal } = options;
    const state = this.#states.get(name) ?? { holders: 0, queue: [] };
    this.#states.set(name, state);
    return new Promise<Lock>((resolve, reject) => {
      const onAbort = () => {
        const at = state.queue.indexOf(waiter);
        if (at < 0) return;
        state.queue.splice(at, 1);
        this.#advance(name, state);
        reject(cancelled(name, signal));
      };
      const waiter: Waiter = {
        shared,
        grant: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve(this.#lock(name, state));
        },
      };
      if (signal?.aborted) {
        this.#advance(name, state);
        reject(cancelled(name, signal));
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      state.queue.push(waiter);
      this.#advance(name, state);
    });
  }

  #lock(name: string, state: LockState): Lock {
    let held = true;
    return {
      release: async () => {
        if (!held) return;
        held = false;
        state.holders = state.holders < 0 ? 0 : state.holders - 1;
        this.#advance(name, state);
      },
    };
  }

  #advance(name: string, state: LockState): void {
    for (let next = state.queue[0]; next !== undefined; next = state.queue[0]) {
      if (next.shared ? state.holders < 0 : state.holders !== 0) return;
      state.queue.shift();
      state.holders = next.shared ? state.holders + 1 : -1;
      next.grant();
    }
    if (state.holders === 0) this.#states.delete(name);
  }
}

export function cancelled(name: string, signal: AbortSignal | undefined): WctrError {
  return new WctrError('cancelled', `cancelled while waiting for the lock ${name}`, { cause: signal?.reason });
}
