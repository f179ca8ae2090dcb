/**
 * The kernel's lock as the main thread looks at it from outside. Guests hold it for microseconds; a thread that may not
 * stand still waits here for a moment when it is free, instead of inside a call.
 */
import { WctrError } from '../../errors.ts';

/** The lock lies before the event word (assembly/kernel/superblock.ts). */
const LOCK_BEFORE_EVENT = 1;
const SPINS = 200;
/** A call that waits for a slow disk holds the lock as long. */
const PATIENCE_MS = 30_000;

/** Resolves when the lock was seen free. Throws 'sandbox-failed' when it never is: no process can go on then. */
export async function lockFree(words: Int32Array, event: number): Promise<void> {
  const lock = event - LOCK_BEFORE_EVENT;
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(words, lock) === 0) return;
    if (Date.now() > until) throw new WctrError('sandbox-failed', "the container's kernel does not answer any more");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
