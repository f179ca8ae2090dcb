/**
 * The kernel's lock as the main thread looks at it from outside. Guests hold it for microseconds; a thread that may not
 * stand still waits here for a moment when it is free, instead of inside a call.
 */
/** The lock lies before the event word (assembly/kernel/superblock.ts). */
const LOCK_BEFORE_EVENT = 1;
const SPINS = 200;

/** Resolves when the lock was seen free; false when it never was for that long: no process can go on then. */
export async function lockFree(words: Int32Array, event: number, patienceMs: number): Promise<boolean> {
  const lock = event - LOCK_BEFORE_EVENT;
  const until = Date.now() + patienceMs;
  for (;;) {
    for (let i = 0; i < SPINS; i++) if (Atomics.load(words, lock) === 0) return true;
    if (Date.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
