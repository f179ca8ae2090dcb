/**
 * Small objects in size classes: each class carves pages of the arena, a page that empties goes back (one is kept per
 * class, so that a create-and-delete loop does not shuttle pages). The caller remembers the size of what it frees.
 *
 * ```
 * slab state: u32[SLAB_CLASSES] list of pages with room, directly behind the arena's state
 * page: 0 u32 class  4 u32 next  8 u32 previous  12 u32 free list  16 u32 used  20 u32 fresh (offset of the untouched rest)
 * ```
 */
import { ARENA_BYTES, PAGE, PAGE_SHIFT, pagesAlloc, pagesFree } from './arena';

export const SLAB_BYTES: usize = 64;
/** Larger objects get whole pages. */
export const SLAB_LARGEST: u32 = 2032;

const CLASSES: u32 = 13;
/** Object sizes: as many as fit a page behind its header. */
// biome-ignore format: a table
const SIZES = memory.data<u16>([32, 64, 96, 128, 160, 192, 256, 320, 448, 576, 1008, 1344, 2032]);

const NEXT: usize = 4;
const PREVIOUS: usize = 8;
const FREE: usize = 12;
const USED: usize = 16;
const FRESH: usize = 20;
const HEADER: u32 = 32;

function classFor(size: u32): u32 {
  if (size <= 192) return size == 0 ? 0 : (size - 1) >> 5;
  let c: u32 = 6;
  while (c < CLASSES - 1 && size > load<u16>(SIZES + (c << 1))) c++;
  return c;
}

/** The bytes an allocation of `size` really takes: what quotas are charged. */
export function slabRoom(size: u32): u32 {
  if (size > SLAB_LARGEST) return (size + <u32>PAGE - 1) & ~(<u32>PAGE - 1);
  return load<u16>(SIZES + (classFor(size) << 1));
}

/** `size` bytes, contents undefined, 16-byte aligned; 0 when memory is out. */
export function slabAlloc(a: usize, size: u32): usize {
  if (size > SLAB_LARGEST) return pagesAlloc(a, (size + <u32>PAGE - 1) >> PAGE_SHIFT);
  const c = classFor(size);
  const head = a + ARENA_BYTES + (c << 2);
  let page: usize = load<u32>(head);
  const bytes: u32 = load<u16>(SIZES + (c << 1));
  if (page == 0) {
    page = pagesAlloc(a, 1);
    if (page == 0) return 0;
    store<u32>(page, c);
    store<u32>(page, 0, NEXT);
    store<u32>(page, 0, PREVIOUS);
    store<u32>(page, 0, FREE);
    store<u32>(page, 0, USED);
    store<u32>(page, HEADER, FRESH);
    store<u32>(head, page);
  }
  let object: usize = load<u32>(page, FREE);
  let fresh = load<u32>(page, FRESH);
  if (object != 0) {
    store<u32>(page, load<u32>(object), FREE);
  } else {
    object = page + fresh;
    fresh += bytes;
    store<u32>(page, fresh, FRESH);
  }
  store<u32>(page, load<u32>(page, USED) + 1, USED);
  if (load<u32>(page, FREE) == 0 && fresh + bytes > <u32>PAGE) unlinkPage(head, page);
  return object;
}

export function slabFree(a: usize, object: usize, size: u32): void {
  if (size > SLAB_LARGEST) {
    pagesFree(a, object, (size + <u32>PAGE - 1) >> PAGE_SHIFT);
    return;
  }
  const page = object & ~(PAGE - 1);
  const c = load<u32>(page);
  const head = a + ARENA_BYTES + (c << 2);
  const bytes: u32 = load<u16>(SIZES + (c << 1));
  const free = load<u32>(page, FREE);
  const wasFull = free == 0 && load<u32>(page, FRESH) + bytes > <u32>PAGE;
  store<u32>(object, free);
  store<u32>(page, object, FREE);
  const used = load<u32>(page, USED) - 1;
  store<u32>(page, used, USED);
  if (wasFull) {
    const next = load<u32>(head);
    store<u32>(page, next, NEXT);
    store<u32>(page, 0, PREVIOUS);
    if (next != 0) store<u32>(next, page, PREVIOUS);
    store<u32>(head, page);
  }
  if (used == 0 && (load<u32>(page, NEXT) | load<u32>(page, PREVIOUS)) != 0) {
    unlinkPage(head, page);
    pagesFree(a, page, 1);
  }
}

function unlinkPage(head: usize, page: usize): void {
  const next = load<u32>(page, NEXT);
  const previous = load<u32>(page, PREVIOUS);
  if (next != 0) store<u32>(next, previous, PREVIOUS);
  if (previous != 0) store<u32>(previous, next, NEXT);
  else store<u32>(head, next);
  store<u32>(page, 0, NEXT);
  store<u32>(page, 0, PREVIOUS);
}
