/**
 * The guard's memory: everything behind `__heap_base` of its instance, handed out upwards and never given back. The
 * output is written at the top, so nothing else may be allocated once it has begun.
 */

const PAGE_SHIFT: usize = 16;
const PAGE_MASK: usize = 0xffff;
/** Growing by a share of what there is keeps the number of memory.grow calls logarithmic. */
const GROWTH_SHARE: usize = 3;

let top: usize = 0;

export function heapReset(): void {
  top = (__heap_base + 15) & ~(<usize>15);
}

/** Address of the next free byte: where output goes. */
export function heapTop(): usize {
  return top;
}

/** Moves the top behind what has been written. */
export function heapCommit(end: usize): void {
  top = end;
}

/** True when `bytes` from `from` on are backed by memory, growing it where needed. */
export function heapEnsure(from: usize, bytes: u64): bool {
  const end = <u64>from + bytes;
  const have = (<u64>memory.size()) << PAGE_SHIFT;
  if (end <= have) return true;
  if (end > 0xffff0000) return false;
  const want = <i32>((end - have + PAGE_MASK) >> PAGE_SHIFT);
  const generous =
    want > <i32>(have >> (PAGE_SHIFT + GROWTH_SHARE)) ? want : <i32>(have >> (PAGE_SHIFT + GROWTH_SHARE));
  return memory.grow(generous) >= 0 || memory.grow(want) >= 0;
}

/** `bytes` bytes as they are, 8-byte aligned; 0 when memory is exhausted. */
export function heapTake(bytes: u64): usize {
  const at = (top + 7) & ~(<usize>7);
  if (!heapEnsure(at, bytes)) return 0;
  top = at + <usize>bytes;
  return at;
}

/** The same, zeroed: an instance may have checked another module before. */
export function heapAlloc(bytes: u64): usize {
  const at = heapTake(bytes);
  if (at != 0) memory.fill(at, 0, <usize>bytes);
  return at;
}
