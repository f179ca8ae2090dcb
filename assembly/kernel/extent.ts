/**
 * A file's extents: an array sorted by block that says which pages of kernel memory hold which part of the file.
 *
 * ```
 * extent, 12 bytes: 0 u32 block  4 u32 count  8 u32 pointer
 * ```
 */
import { PAGE_SHIFT } from '../memory/arena';
import { I_DATA, I_DATA_KIND, I_EXTENT_CAPACITY, I_EXTENT_HINT, I_EXTENTS } from './inode';
import { kfree, kmalloc } from './superblock';

/** I_DATA_KIND: nothing of its own, one chunk, extents. */
export const NONE: u32 = 0;
export const CHUNK: u32 = 1;
export const EXTENTS: u32 = 2;

export const E_BLOCK: usize = 0;
export const E_COUNT: usize = 4;
export const E_POINTER: usize = 8;
export const E_BYTES: u32 = 12;

/** The extent that holds `block`, or the first one behind it, or 0. */
export function extentFor(inode: usize, block: u32): usize {
  const count = load<u32>(inode, I_DATA_KIND) == EXTENTS ? load<u32>(inode, I_EXTENTS) : 0;
  if (count == 0) return 0;
  const extents: usize = load<u32>(inode, I_DATA);
  const hint = load<u32>(inode, I_EXTENT_HINT);
  if (hint < count) {
    const likely = extents + hint * E_BYTES;
    if (block - load<u32>(likely, E_BLOCK) < load<u32>(likely, E_COUNT)) return likely;
  }
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const extent = extents + middle * E_BYTES;
    if (load<u32>(extent, E_BLOCK) + load<u32>(extent, E_COUNT) <= block) low = middle + 1;
    else high = middle;
  }
  if (low == count) return 0;
  store<u32>(inode, low, I_EXTENT_HINT);
  return extents + low * E_BYTES;
}

/** The extent in front of `next` (0: the last one). */
export function extentBefore(inode: usize, next: usize): usize {
  const count = load<u32>(inode, I_DATA_KIND) == EXTENTS ? load<u32>(inode, I_EXTENTS) : 0;
  const extents: usize = load<u32>(inode, I_DATA);
  if (next == 0) return count == 0 ? 0 : extents + (count - 1) * E_BYTES;
  return next == extents ? 0 : next - E_BYTES;
}

/** Enters pages before extent `next` (0: at the end), joined to its neighbours where both sides continue. */
export function insertExtent(inode: usize, next: usize, block: u32, pages: u32, run: usize): bool {
  const previous = extentBefore(inode, next);
  if (previous != 0) {
    const count = load<u32>(previous, E_COUNT);
    const follows = load<u32>(previous, E_BLOCK) + count == block;
    if (follows && load<u32>(previous, E_POINTER) + (count << PAGE_SHIFT) == run) {
      store<u32>(previous, count + pages, E_COUNT);
      return true;
    }
  }
  const isExtents = load<u32>(inode, I_DATA_KIND) == EXTENTS;
  const count = isExtents ? load<u32>(inode, I_EXTENTS) : 0;
  const capacity = isExtents ? load<u32>(inode, I_EXTENT_CAPACITY) : 0;
  let extents: usize = load<u32>(inode, I_DATA);
  const index = next == 0 ? count : <u32>(next - extents) / E_BYTES;
  if (count == capacity) {
    const wider = capacity == 0 ? 4 : capacity << 1;
    const grown = kmalloc(wider * E_BYTES);
    if (grown == 0) return false;
    if (capacity != 0) {
      memory.copy(grown, extents, count * E_BYTES);
      kfree(extents, capacity * E_BYTES);
    }
    extents = grown;
    store<u32>(inode, EXTENTS, I_DATA_KIND);
    store<u32>(inode, extents, I_DATA);
    store<u32>(inode, wider, I_EXTENT_CAPACITY);
  }
  const extent = extents + index * E_BYTES;
  memory.copy(extent + E_BYTES, extent, (count - index) * E_BYTES);
  store<u32>(extent, block, E_BLOCK);
  store<u32>(extent, pages, E_COUNT);
  store<u32>(extent, run, E_POINTER);
  store<u32>(inode, count + 1, I_EXTENTS);
  store<u32>(inode, index, I_EXTENT_HINT);
  return true;
}
