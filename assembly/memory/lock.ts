/**
 * A mutex in one word: 0 free, 1 held, 2 held and somebody may be waiting. Uncontended: one compare-and-swap to take,
 * one swap to give back. `memory.atomic.wait32` traps on unshared memory, so callers lock only when shared.
 */
export function lock(word: usize, mayWait: bool): void {
  if (atomic.cmpxchg<u32>(word, 0, 1) == 0) return;
  while (atomic.xchg<u32>(word, 2) != 0) {
    if (mayWait) atomic.wait<i32>(word, 2, -1);
  }
}

export function unlock(word: usize): void {
  if (atomic.xchg<u32>(word, 0) == 2) atomic.notify(word, 1);
}
