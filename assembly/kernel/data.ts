/**
 * File contents. Up to 2032 bytes: one chunk. Beyond: extents of 4 KiB pages that never move, appended in place where
 * the pages behind are free. A file of the image keeps its bytes in the tar: where no extent covers it, the first
 * I_LOWER_BYTES read from there, so copy-up happens page by page as the guest writes.
 *
 * Invariant: bytes of an extent or chunk at or beyond the file's size are undefined; whoever raises the size zeroes.
 */
import { EFBIG, ENOSPC, SEGMENT_MEMORY, SEGMENT_ZERO } from '../../src/core/abi/kernel';
import { arenaFreePages, PAGE, PAGE_SHIFT, pagesAlloc, pagesExtend, pagesFree } from '../memory/arena';
import { SLAB_LARGEST, slabRoom } from '../memory/slab';
import {
  CHUNK,
  E_BLOCK,
  E_BYTES,
  E_COUNT,
  E_POINTER,
  EXTENTS,
  extentBefore,
  extentFor,
  insertExtent,
  NONE,
} from './extent';
import {
  CHANGED,
  hasFlag,
  I_DATA,
  I_DATA_KIND,
  I_EXTENT_CAPACITY,
  I_EXTENT_HINT,
  I_EXTENTS,
  I_HELD,
  I_LOWER_BYTES,
  I_MOUNT,
  I_SIZE,
  inodeDirty,
} from './inode';
import { lowerEmit, lowerRead } from './lower-data';
import { charge, M_LIMIT, M_USED, uncharge } from './mount';
import { emit, segmentsFull } from './segment';
import { arena, kfree, kmalloc } from './superblock';
import { trackCut, trackData } from './track';

/** Block numbers are u32. */
export const FILE_MAX: u64 = 1 << 44;
/** Pages taken beyond what an appending write needs: as much as the file has, at most this. */
const AHEAD_MAX: u32 = 256;

/** Hands out the bytes [offset, offset + length) as segments; returns how many, 0 at the end. */
export function dataRead(t: usize, inode: usize, offset: u64, length: u32): i32 {
  const size = load<u64>(inode, I_SIZE);
  if (offset >= size) return 0;
  const end = min<u64>(size, offset + length);
  if (load<u32>(inode, I_DATA_KIND) == CHUNK) {
    emit(t, SEGMENT_MEMORY, load<u32>(inode, I_DATA) + <u32>offset, <u32>(end - offset), 0);
    return <i32>(end - offset);
  }
  let at = offset;
  while (at < end && !segmentsFull(t)) {
    const block = <u32>(at >> PAGE_SHIFT);
    const extent = extentFor(inode, block);
    if (extent != 0 && load<u32>(extent, E_BLOCK) <= block) {
      const start = (<u64>load<u32>(extent, E_BLOCK)) << PAGE_SHIFT;
      const stop = min<u64>(end, start + ((<u64>load<u32>(extent, E_COUNT)) << PAGE_SHIFT));
      emit(t, SEGMENT_MEMORY, load<u32>(extent, E_POINTER) + <u32>(at - start), <u32>(stop - at), 0);
      at = stop;
      continue;
    }
    const stop = extent == 0 ? end : min<u64>(end, (<u64>load<u32>(extent, E_BLOCK)) << PAGE_SHIFT);
    const lower = load<u64>(inode, I_LOWER_BYTES);
    if (at < lower) {
      at = lowerEmit(t, inode, at, min<u64>(stop, lower));
    } else {
      emit(t, SEGMENT_ZERO, 0, <u32>(stop - at), 0);
      at = stop;
    }
  }
  return <i32>(at - offset);
}

/** Makes room for [offset, offset + length) and hands it out; size is committed. How many bytes (> 0) or -errno. */
export function dataWrite(t: usize, inode: usize, offset: u64, length: u32): i32 {
  const end = offset + length;
  if (offset >= FILE_MAX || end > FILE_MAX) return -EFBIG;
  const dirty = inodeDirty(inode);
  if (dirty < 0) return dirty;
  const size = load<u64>(inode, I_SIZE);
  if (end <= SLAB_LARGEST && fitsChunk(inode)) {
    if (!chunkReserve(inode, <u32>end, size)) return -ENOSPC;
    const data = load<u32>(inode, I_DATA);
    if (offset > size) memory.fill(data + <u32>size, 0, <u32>(offset - size));
    emit(t, SEGMENT_MEMORY, data + <u32>offset, length, 0);
    if (end > size) store<u64>(inode, end, I_SIZE);
    if (hasFlag(inode, CHANGED)) trackData(inode, offset, end);
    return length;
  }
  if (load<u32>(inode, I_DATA_KIND) == CHUNK && !chunkToExtents(inode)) return -ENOSPC;
  if (offset > size) zeroGap(inode, size, offset);
  let at = offset;
  let failure = 0;
  while (at < end && !segmentsFull(t)) {
    const block = <u32>(at >> PAGE_SHIFT);
    let extent = extentFor(inode, block);
    if (extent == 0 || load<u32>(extent, E_BLOCK) > block) {
      failure = fillHole(inode, extent, at, end);
      if (failure < 0) break;
      extent = extentFor(inode, block);
    }
    const start = (<u64>load<u32>(extent, E_BLOCK)) << PAGE_SHIFT;
    const stop = min<u64>(end, start + ((<u64>load<u32>(extent, E_COUNT)) << PAGE_SHIFT));
    emit(t, SEGMENT_MEMORY, load<u32>(extent, E_POINTER) + <u32>(at - start), <u32>(stop - at), 0);
    at = stop;
  }
  if (at == offset) return failure;
  if (at > size) store<u64>(inode, at, I_SIZE);
  if (hasFlag(inode, CHANGED)) trackData(inode, offset, at);
  return <i32>(at - offset);
}

/** Sets the size: frees what is beyond, or grows with zeros. 0 or -errno. */
export function dataTruncate(inode: usize, size: u64): i32 {
  const old = load<u64>(inode, I_SIZE);
  if (size > FILE_MAX) return -EFBIG;
  const dirty = inodeDirty(inode);
  if (dirty < 0) return dirty;
  if (size < old) {
    if (hasFlag(inode, CHANGED)) trackCut(inode, size);
    if (size < load<u64>(inode, I_LOWER_BYTES)) store<u64>(inode, size, I_LOWER_BYTES);
    if (size == 0) dataFree(inode);
    else if (load<u32>(inode, I_DATA_KIND) == EXTENTS) cutExtents(inode, <u32>((size + PAGE - 1) >> PAGE_SHIFT));
  } else if (size > old) {
    if (load<u32>(inode, I_DATA_KIND) == CHUNK) {
      if (size <= SLAB_LARGEST) {
        if (!chunkReserve(inode, <u32>size, old)) return -ENOSPC;
        memory.fill(load<u32>(inode, I_DATA) + <u32>old, 0, <u32>(size - old));
      } else if (!chunkToExtents(inode)) {
        return -ENOSPC;
      }
    }
    zeroGap(inode, old, size);
  }
  store<u64>(inode, size, I_SIZE);
  return 0;
}

/** Backs [offset, end) with pages, image bytes excepted, so that later writes find room; grows the size. 0 or -errno. */
export function dataReserve(inode: usize, offset: u64, end: u64): i32 {
  if (end > FILE_MAX) return -EFBIG;
  const wanted = (end - offset) >> PAGE_SHIFT;
  if (wanted > <u64>arenaFreePages(arena())) return -ENOSPC;
  const size = load<u64>(inode, I_SIZE);
  if (end > size) {
    const result = dataTruncate(inode, end);
    if (result < 0) return result;
  }
  if (load<u32>(inode, I_DATA_KIND) == CHUNK) return 0;
  let at = offset;
  while (at < end) {
    const block = <u32>(at >> PAGE_SHIFT);
    const extent = extentFor(inode, block);
    if (extent != 0 && load<u32>(extent, E_BLOCK) <= block) {
      at = (<u64>load<u32>(extent, E_BLOCK) + load<u32>(extent, E_COUNT)) << PAGE_SHIFT;
      continue;
    }
    const lower = (load<u64>(inode, I_LOWER_BYTES) + PAGE - 1) & ~(<u64>PAGE - 1);
    if (at < lower) {
      at = lower;
      continue;
    }
    const from = (<u64>block) << PAGE_SHIFT;
    const to = (end + PAGE - 1) & ~(<u64>PAGE - 1);
    const result = fillHole(inode, extent, from, to);
    if (result < 0) return result;
    const made = extentFor(inode, block);
    const start = (<u64>load<u32>(made, E_BLOCK)) << PAGE_SHIFT;
    const stop = min<u64>(to, start + ((<u64>load<u32>(made, E_COUNT)) << PAGE_SHIFT));
    memory.fill(load<u32>(made, E_POINTER) + <u32>(from - start), 0, <u32>(stop - from));
    at = stop;
  }
  return 0;
}

export function dataFree(inode: usize): void {
  const kind = load<u32>(inode, I_DATA_KIND);
  if (kind == CHUNK) {
    kfree(load<u32>(inode, I_DATA), load<u32>(inode, I_EXTENTS));
    held(inode, -(<i64>load<u32>(inode, I_EXTENTS)));
  } else if (kind == EXTENTS) {
    cutExtents(inode, 0);
    if (load<u32>(inode, I_EXTENT_CAPACITY) != 0) {
      kfree(load<u32>(inode, I_DATA), load<u32>(inode, I_EXTENT_CAPACITY) * E_BYTES);
    }
  }
  store<u32>(inode, NONE, I_DATA_KIND);
  store<u32>(inode, 0, I_DATA);
  store<u32>(inode, 0, I_EXTENTS);
  store<u32>(inode, 0, I_EXTENT_CAPACITY);
  store<u64>(inode, 0, I_LOWER_BYTES);
}

/** Gives back pages taken ahead of an appender that is done. */
export function dataTrim(inode: usize): void {
  if (load<u32>(inode, I_DATA_KIND) != EXTENTS) return;
  cutExtents(inode, <u32>((load<u64>(inode, I_SIZE) + PAGE - 1) >> PAGE_SHIFT));
}

function held(inode: usize, change: i64): void {
  store<u64>(inode, load<u64>(inode, I_HELD) + change, I_HELD);
  if (change < 0) uncharge(load<u32>(inode, I_MOUNT), -change);
}

function fitsChunk(inode: usize): bool {
  const kind = load<u32>(inode, I_DATA_KIND);
  return kind == CHUNK || (kind == NONE && load<u64>(inode, I_LOWER_BYTES) == 0 && load<u64>(inode, I_SIZE) == 0);
}

/** A chunk of at least `wanted` bytes with the first `size` kept. */
function chunkReserve(inode: usize, wanted: u32, size: u64): bool {
  const capacity = load<u32>(inode, I_EXTENTS);
  if (wanted <= capacity) return true;
  const room = slabRoom(max(wanted, min(capacity << 1, SLAB_LARGEST)));
  if (!charge(load<u32>(inode, I_MOUNT), room - capacity)) return false;
  const chunk = kmalloc(room);
  if (chunk == 0) {
    uncharge(load<u32>(inode, I_MOUNT), room - capacity);
    return false;
  }
  if (capacity != 0) {
    memory.copy(chunk, load<u32>(inode, I_DATA), min<u32>(<u32>size, capacity));
    kfree(load<u32>(inode, I_DATA), capacity);
  }
  store<u32>(inode, CHUNK, I_DATA_KIND);
  store<u32>(inode, chunk, I_DATA);
  store<u32>(inode, room, I_EXTENTS);
  held(inode, room - capacity);
  return true;
}

function chunkToExtents(inode: usize): bool {
  const mount = load<u32>(inode, I_MOUNT);
  if (!charge(mount, PAGE)) return false;
  const page = pagesAlloc(arena(), 1);
  const extents = page == 0 ? 0 : kmalloc(4 * E_BYTES);
  if (extents == 0) {
    if (page != 0) pagesFree(arena(), page, 1);
    uncharge(mount, PAGE);
    return false;
  }
  const capacity = load<u32>(inode, I_EXTENTS);
  memory.copy(page, load<u32>(inode, I_DATA), <u32>load<u64>(inode, I_SIZE));
  kfree(load<u32>(inode, I_DATA), capacity);
  held(inode, PAGE);
  held(inode, -(<i64>capacity));
  store<u32>(inode, EXTENTS, I_DATA_KIND);
  store<u32>(inode, extents, I_DATA);
  store<u32>(inode, 1, I_EXTENTS);
  store<u32>(inode, 4, I_EXTENT_CAPACITY);
  store<u32>(inode, 0, I_EXTENT_HINT);
  store<u32>(extents, 0, E_BLOCK);
  store<u32>(extents, 1, E_COUNT);
  store<u32>(extents, page, E_POINTER);
  return true;
}

/**
 * Puts pages under the hole at `at`, as many as [at, end) needs up to the next extent, fewer when memory is in pieces.
 * What the write will not cover of its first and last page gets the bytes the file has there.
 */
function fillHole(inode: usize, next: usize, at: u64, end: u64): i32 {
  const block = <u32>(at >> PAGE_SHIFT);
  let wanted = <u32>((end - 1) >> PAGE_SHIFT) + 1 - block;
  let ahead: u32 = 0;
  if (next != 0) wanted = min(wanted, load<u32>(next, E_BLOCK) - block);
  else if (end >= load<u64>(inode, I_SIZE)) ahead = min(<u32>(load<u64>(inode, I_HELD) >> PAGE_SHIFT), AHEAD_MAX);
  const mount = load<u32>(inode, I_MOUNT);
  const quota = (load<u64>(mount, M_LIMIT) - load<u64>(mount, M_USED)) >> PAGE_SHIFT;
  if (quota < <u64>wanted) wanted = <u32>quota;
  if (wanted == 0) return -ENOSPC;
  if (quota < <u64>wanted + ahead) ahead = 0;
  const previous = extentBefore(inode, next);
  const behind: usize =
    previous != 0 && load<u32>(previous, E_BLOCK) + load<u32>(previous, E_COUNT) == block
      ? load<u32>(previous, E_POINTER) + (load<u32>(previous, E_COUNT) << PAGE_SHIFT)
      : 0;
  let pages = wanted + ahead;
  let run: usize = 0;
  if (behind != 0 && pagesExtend(arena(), behind, pages)) run = behind;
  else if (behind != 0 && ahead != 0 && pagesExtend(arena(), behind, wanted)) {
    run = behind;
    pages = wanted;
  }
  while (run == 0) {
    run = pagesAlloc(arena(), pages);
    if (run != 0) break;
    if (pages == 1) return -ENOSPC;
    pages = pages > wanted ? wanted : pages >> 1;
  }
  const start = (<u64>block) << PAGE_SHIFT;
  let failure = lowerRead(inode, start, at, run);
  const stop = min<u64>(end, start + ((<u64>pages) << PAGE_SHIFT));
  const edge = (stop + PAGE - 1) & ~(<u64>PAGE - 1);
  if (failure == 0) failure = lowerRead(inode, stop, edge, run + <u32>(stop - start));
  if (failure == 0 && !insertExtent(inode, next, block, pages, run)) failure = -ENOSPC;
  if (failure < 0) {
    pagesFree(arena(), run, pages);
    return failure;
  }
  charge(mount, (<u64>pages) << PAGE_SHIFT);
  held(inode, (<i64>pages) << PAGE_SHIFT);
  return 0;
}

/** Frees every page at or behind block `from`. */
function cutExtents(inode: usize, from: u32): void {
  const extents: usize = load<u32>(inode, I_DATA);
  let count = load<u32>(inode, I_EXTENTS);
  while (count != 0) {
    const extent = extents + (count - 1) * E_BYTES;
    const block = load<u32>(extent, E_BLOCK);
    const pages = load<u32>(extent, E_COUNT);
    const keep = from > block ? min(from - block, pages) : 0;
    if (keep == pages) break;
    pagesFree(arena(), load<u32>(extent, E_POINTER) + (keep << PAGE_SHIFT), pages - keep);
    held(inode, -((<i64>(pages - keep)) << PAGE_SHIFT));
    store<u32>(extent, keep, E_COUNT);
    if (keep != 0) break;
    count--;
  }
  store<u32>(inode, count, I_EXTENTS);
  store<u32>(inode, 0, I_EXTENT_HINT);
}

/** Zeroes what extents hold of [from, to). */
function zeroGap(inode: usize, from: u64, to: u64): void {
  let at = from;
  while (at < to) {
    const extent = extentFor(inode, <u32>(at >> PAGE_SHIFT));
    if (extent == 0) return;
    const start = (<u64>load<u32>(extent, E_BLOCK)) << PAGE_SHIFT;
    const begin = max<u64>(at, start);
    const stop = min<u64>(to, start + ((<u64>load<u32>(extent, E_COUNT)) << PAGE_SHIFT));
    if (begin < stop) memory.fill(load<u32>(extent, E_POINTER) + <u32>(begin - start), 0, <u32>(stop - begin));
    at = start + ((<u64>load<u32>(extent, E_COUNT)) << PAGE_SHIFT);
  }
}
