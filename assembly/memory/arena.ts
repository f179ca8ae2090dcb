/**
 * The page allocator: runs of 4 KiB pages out of a linear memory that grows up to a limit. Free runs are kept by size
 * (powers of two, four steps each) and merge with their neighbours, so create-and-delete loops stay flat.
 *
 * ```
 * arena state (zero-filled before arenaInit)
 *   0 u32 base (first page)      4 u32 end (first page never handed out; grows)
 *   8 u32 limit (address)       12 u32 bitmap (a bit per page: first or last page of a free run)
 *  16 u32 pages in use          20 u32 first-level bitmap
 *  24 u32[21] second-level bitmaps (4 bits)   108 u32[84] list heads
 * free run, in place
 *   0 u32 pages  4 u32 previous  8 u32 next ... last 4 bytes: u32 pages
 * ```
 */
export const PAGE_SHIFT: u32 = 12;
export const PAGE: usize = 4096;
export const ARENA_BYTES: usize = 448;

const BASE: usize = 0;
const END: usize = 4;
const LIMIT: usize = 8;
const BITMAP: usize = 12;
const USED: usize = 16;
const FIRST: usize = 20;
const SECOND: usize = 24;
const HEADS: usize = 108;

const RUN_PAGES: usize = 0;
const RUN_PREVIOUS: usize = 4;
const RUN_NEXT: usize = 8;

/** Runs of the wanted class that are tried before a larger class is. */
const FIT_TRIES = 4;
/** Memory grows by at least this many 64 KiB pages at once, or an eighth of what there is. */
const GROW_PAGES: u32 = 16;

export function arenaInit(a: usize, base: usize, limit: usize, bitmap: usize): void {
  store<u32>(a, base, BASE);
  store<u32>(a, base, END);
  store<u32>(a, limit, LIMIT);
  store<u32>(a, bitmap, BITMAP);
}

/** Bytes of bitmap an arena below `limit` needs. */
export function arenaBitmapBytes(limit: usize): usize {
  return ((limit >> PAGE_SHIFT) + 31) >> 3;
}

export function arenaBase(a: usize): usize {
  return load<u32>(a, BASE);
}

/** Everything below was handed out at some time. */
export function arenaEnd(a: usize): usize {
  return load<u32>(a, END);
}

export function arenaUsedPages(a: usize): u32 {
  return load<u32>(a, USED);
}

/** Pages that could still be had, in whatever pieces. */
export function arenaFreePages(a: usize): u32 {
  return ((load<u32>(a, LIMIT) - load<u32>(a, BASE)) >> PAGE_SHIFT) - load<u32>(a, USED);
}

/** `pages` contiguous pages, contents undefined; 0 when there are none. */
export function pagesAlloc(a: usize, pages: u32): usize {
  let run = findRun(a, pages);
  if (run != 0) {
    unlinkRun(a, run);
    const have = load<u32>(run, RUN_PAGES);
    if (have > pages) linkRun(a, run + (pages << PAGE_SHIFT), have - pages);
  } else {
    run = load<u32>(a, END);
    if (!growTo(a, <u64>run + ((<u64>pages) << PAGE_SHIFT))) return 0;
    store<u32>(a, run + (pages << PAGE_SHIFT), END);
  }
  store<u32>(a, load<u32>(a, USED) + pages, USED);
  return run;
}

/** Takes the `pages` pages that follow an allocated run ending at `at`, if they are free. */
export function pagesExtend(a: usize, at: usize, pages: u32): bool {
  if (at == load<u32>(a, END)) {
    if (!growTo(a, <u64>at + ((<u64>pages) << PAGE_SHIFT))) return false;
    store<u32>(a, at + (pages << PAGE_SHIFT), END);
  } else {
    if (at > load<u32>(a, END) || !isEdge(a, at)) return false;
    const have = load<u32>(at, RUN_PAGES);
    if (have < pages) return false;
    unlinkRun(a, at);
    if (have > pages) linkRun(a, at + (pages << PAGE_SHIFT), have - pages);
  }
  store<u32>(a, load<u32>(a, USED) + pages, USED);
  return true;
}

/** Gives back any run of allocated pages, whole or part of what pagesAlloc gave. */
export function pagesFree(a: usize, at: usize, pages: u32): void {
  store<u32>(a, load<u32>(a, USED) - pages, USED);
  let start = at;
  let total = pages;
  const after = at + (pages << PAGE_SHIFT);
  if (after < load<u32>(a, END) && isEdge(a, after)) {
    total += load<u32>(after, RUN_PAGES);
    unlinkRun(a, after);
  }
  if (at > load<u32>(a, BASE) && isEdge(a, at - PAGE)) {
    const before = load<u32>(at - 4);
    start = at - (before << PAGE_SHIFT);
    total += before;
    unlinkRun(a, start);
  }
  linkRun(a, start, total);
}

function growTo(a: usize, wanted: u64): bool {
  if (wanted > <u64>load<u32>(a, LIMIT)) return false;
  const have = (<u64>memory.size()) << 16;
  if (wanted <= have) return true;
  const need = <u32>((wanted - have + 0xffff) >> 16);
  const most = <u32>((<u64>load<u32>(a, LIMIT) - have) >> 16);
  let ask = max(need, max(GROW_PAGES, <u32>memory.size() >> 3));
  if (ask > most) ask = max(need, most);
  if (memory.grow(ask) >= 0) return true;
  return memory.grow(need) >= 0;
}

/** List number of runs of `pages` pages: 4 * floor(log2) + the next two bits. */
function classOf(pages: u32): u32 {
  const log = 31 - clz(pages);
  const step = log >= 2 ? (pages >> (log - 2)) & 3 : (pages << (2 - log)) & 3;
  return (log << 2) + step;
}

function findRun(a: usize, pages: u32): usize {
  const own = classOf(pages);
  let run = load<u32>(a + (own << 2), HEADS);
  for (let tries = 0; run != 0 && tries < FIT_TRIES; tries++) {
    if (load<u32>(run, RUN_PAGES) >= pages) return run;
    run = load<u32>(run, RUN_NEXT);
  }
  const log = own >> 2;
  const steps = load<u32>(a + (log << 2), SECOND) & ((<u32>-2) << (own & 3));
  if (steps != 0) return load<u32>(a + (((log << 2) + ctz(steps)) << 2), HEADS);
  const logs = load<u32>(a, FIRST) & ((<u32>-2) << log);
  if (logs == 0) return 0;
  const larger = ctz(logs);
  return load<u32>(a + (((larger << 2) + ctz(load<u32>(a + (larger << 2), SECOND))) << 2), HEADS);
}

function linkRun(a: usize, run: usize, pages: u32): void {
  const list = classOf(pages);
  const head = a + (list << 2);
  const next = load<u32>(head, HEADS);
  store<u32>(run, pages, RUN_PAGES);
  store<u32>(run, 0, RUN_PREVIOUS);
  store<u32>(run, next, RUN_NEXT);
  store<u32>(run + (pages << PAGE_SHIFT) - 4, pages);
  if (next != 0) store<u32>(next, run, RUN_PREVIOUS);
  store<u32>(head, run, HEADS);
  const log = list >> 2;
  store<u32>(a, load<u32>(a, FIRST) | (1 << log), FIRST);
  store<u32>(a + (log << 2), load<u32>(a + (log << 2), SECOND) | (1 << (list & 3)), SECOND);
  setEdge(a, run, true);
  setEdge(a, run + ((pages - 1) << PAGE_SHIFT), true);
}

function unlinkRun(a: usize, run: usize): void {
  const pages = load<u32>(run, RUN_PAGES);
  const list = classOf(pages);
  const previous = load<u32>(run, RUN_PREVIOUS);
  const next = load<u32>(run, RUN_NEXT);
  if (next != 0) store<u32>(next, previous, RUN_PREVIOUS);
  if (previous != 0) {
    store<u32>(previous, next, RUN_NEXT);
  } else {
    store<u32>(a + (list << 2), next, HEADS);
    if (next == 0) {
      const log = list >> 2;
      const steps = load<u32>(a + (log << 2), SECOND) & ~(1 << (list & 3));
      store<u32>(a + (log << 2), steps, SECOND);
      if (steps == 0) store<u32>(a, load<u32>(a, FIRST) & ~(1 << log), FIRST);
    }
  }
  setEdge(a, run, false);
  setEdge(a, run + ((pages - 1) << PAGE_SHIFT), false);
}

function isEdge(a: usize, at: usize): bool {
  const page = at >> PAGE_SHIFT;
  return ((load<u32>(load<u32>(a, BITMAP) + ((page >> 5) << 2)) >> (page & 31)) & 1) != 0;
}

function setEdge(a: usize, at: usize, on: bool): void {
  const page = at >> PAGE_SHIFT;
  const word = load<u32>(a, BITMAP) + ((page >> 5) << 2);
  const bit: u32 = 1 << (page & 31);
  store<u32>(word, on ? load<u32>(word) | bit : load<u32>(word) & ~bit);
}

/** Do the free runs and the pages in use add up to all that was handed out? For tests. */
export function arenaSound(a: usize): bool {
  let free: u32 = 0;
  for (let list: u32 = 0; list < 84; list++) {
    let run: usize = load<u32>(a + (list << 2), HEADS);
    for (; run != 0; run = load<u32>(run, RUN_NEXT)) {
      const pages = load<u32>(run, RUN_PAGES);
      if (classOf(pages) != list || load<u32>(run + (pages << PAGE_SHIFT) - 4) != pages) return false;
      free += pages;
    }
  }
  return free + load<u32>(a, USED) == (load<u32>(a, END) - load<u32>(a, BASE)) >> PAGE_SHIFT;
}
