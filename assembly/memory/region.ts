/**
 * The one allocator of the core: big, long-lived regions behind the static data (contexts, windows, tables, indexes).
 * First fit over an address-ordered free list with merging of neighbours; grows the memory when nothing fits. A lock
 * makes it safe when several threads run this module over one shared memory.
 *
 * ```
 * region                                free region
 *   0 u32 bytes, header included          0 u32 bytes, header included
 *   4 u32 magic                           4 u32 address of the next free region, 0 = last
 *  16 payload, 16-byte aligned
 * ```
 */
import { E_STATE, OK } from '../../src/core/abi/status';

const HEADER: u32 = 16;
const MAGIC: u32 = 0x6e676572;
const PAGE: u32 = 65536;

/** u32 lock, u32 first free region, u32 1 once the initial pages were taken. */
const STATE: usize = memory.data(16, 16);
const LOCK: usize = STATE;
const FIRST: usize = STATE + 4;
const TAKEN: usize = STATE + 8;

/** Address of `bytes` zero-or-not bytes, 16-byte aligned; 0 when the memory cannot grow that far. */
export function regionAlloc(bytes: u32): usize {
  if (bytes > 0x7fff0000) return 0;
  const need: u32 = (bytes + HEADER + 15) & ~15;
  lock();
  let at = takeFree(need);
  if (at == 0 && grow(need)) at = takeFree(need);
  unlock();
  if (at == 0) return 0;
  store<u32>(at, MAGIC, 4);
  return at + HEADER;
}

/** Gives a region back. Address 0 is ignored; an address that is not a live region is E_STATE and changes nothing. */
export function regionFree(address: usize): i32 {
  if (address == 0) return OK;
  const at = address - HEADER;
  if (load<u32>(at, 4) != MAGIC) return E_STATE;
  lock();
  insertFree(at, load<u32>(at));
  unlock();
  return 0;
}

/** Usable bytes of a live region. */
export function regionBytes(address: usize): u32 {
  return load<u32>(address - HEADER) - HEADER;
}

function lock(): void {
  while (atomic.cmpxchg<u32>(LOCK, 0, 1) != 0) {}
}

function unlock(): void {
  atomic.store<u32>(LOCK, 0);
}

function takeFree(need: u32): usize {
  let link: usize = FIRST;
  let at: usize = load<u32>(link);
  while (at != 0) {
    const bytes: u32 = load<u32>(at);
    const next: u32 = load<u32>(at, 4);
    if (bytes >= need) {
      if (bytes - need >= HEADER + 64) {
        const rest = at + need;
        store<u32>(rest, bytes - need);
        store<u32>(rest, next, 4);
        store<u32>(link, <u32>rest);
        store<u32>(at, need);
      } else {
        store<u32>(link, next);
      }
      return at;
    }
    link = at + 4;
    at = next;
  }
  return 0;
}

/**
 * Extends the memory so that a region of `need` bytes fits, and puts what was gained on the free list. The first time
 * that is also what lies between the static data and the end of the initial pages. Pages that others added since are
 * not ours.
 */
function grow(need: u32): bool {
  if (load<u32>(TAKEN) == 0) {
    const start: u32 = (<u32>__heap_base + 15) & ~15;
    store<u32>(TAKEN, 1);
    const end: u32 = memory.size() << 16;
    if (end > start + HEADER + 64) insertFree(start, end - start);
    return end - start >= need || grow(need);
  }
  const pages: i32 = (need + (PAGE - 1)) >> 16;
  if (<u64>memory.size() + pages > 0xffff) return false;
  const before = memory.grow(pages);
  if (before < 0) return false;
  insertFree((<usize>before) << 16, pages << 16);
  return true;
}

function insertFree(at: usize, bytes: u32): void {
  let link: usize = FIRST;
  let before: usize = 0;
  let next: usize = load<u32>(link);
  while (next != 0 && next < at) {
    before = next;
    link = next + 4;
    next = load<u32>(next, 4);
  }
  if (next != 0 && at + bytes == next) {
    bytes += load<u32>(next);
    next = load<u32>(next, 4);
  }
  if (before != 0 && before + load<u32>(before) == at) {
    store<u32>(before, load<u32>(before) + bytes);
    store<u32>(before, <u32>next, 4);
    return;
  }
  store<u32>(at, bytes);
  store<u32>(at, <u32>next, 4);
  store<u32>(link, <u32>at);
}
