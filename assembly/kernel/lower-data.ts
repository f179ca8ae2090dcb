/** Bytes of the image's files: where they lie in a layer's plain tar, and how they come into kernel memory (copy-up). */
import { EIO, S_IFMT, S_IFREG, SEGMENT_LAYER, SEGMENT_ZERO } from '../../src/core/abi/kernel';
import { layer_read } from './host';
import { FROM_LOWER, hasFlag, I_LOWER_BYTES, I_NODE } from './inode';
import {
  lowerExtent,
  lowerNode,
  N_COUNT,
  N_DATA,
  N_FIRST,
  N_LAYER,
  N_MODE,
  X_DATA,
  X_LENGTH,
  X_LOGICAL,
} from './lower';
import { emit } from './segment';

// The piece lowerPiece found: how far it goes, and where in the tar it starts (-1: zeros).
let pieceEnd: u64 = 0;
let pieceAt: u64 = 0;
const ZEROS: u64 = ~(<u64>0);

/** Finds what backs the file's byte `at` (below `end`). */
function lowerPiece(node: usize, at: u64, end: u64): void {
  const count = load<u32>(node, N_COUNT);
  if (count == 0) {
    pieceEnd = end;
    pieceAt = load<u64>(node, N_DATA) + at;
    return;
  }
  const first = load<u32>(node, N_FIRST);
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u64>(lowerExtent(first + middle), X_LOGICAL) <= at) low = middle + 1;
    else high = middle;
  }
  // `low` is the first extent behind `at`; the one before may hold it.
  if (low > 0) {
    const extent = lowerExtent(first + low - 1);
    const inside = at - load<u64>(extent, X_LOGICAL);
    const length = load<u64>(extent, X_LENGTH);
    if (inside < length) {
      pieceEnd = min<u64>(end, at + (length - inside));
      if (pieceEnd <= at) pieceEnd = end;
      pieceAt = load<u64>(extent, X_DATA) + inside;
      return;
    }
  }
  pieceEnd = end;
  if (low < count) {
    const next = load<u64>(lowerExtent(first + low), X_LOGICAL);
    if (next > at && next < end) pieceEnd = next;
  }
  pieceAt = ZEROS;
}

function nodeOf(inode: usize): usize {
  if (!hasFlag(inode, FROM_LOWER)) return 0;
  const node = lowerNode(load<u32>(inode, I_NODE));
  return node != 0 && (load<u32>(node, N_MODE) & S_IFMT) == S_IFREG ? node : 0;
}

/** One segment of lower bytes from `at`, at most to `end`; returns where it ends. */
export function lowerEmit(t: usize, inode: usize, at: u64, end: u64): u64 {
  const node = nodeOf(inode);
  if (node == 0) return end;
  lowerPiece(node, at, end);
  const length = <u32>(pieceEnd - at);
  if (pieceAt == ZEROS) emit(t, SEGMENT_ZERO, 0, length, 0);
  else emit(t, SEGMENT_LAYER, load<u32>(node, N_LAYER), length, pieceAt);
  return pieceEnd;
}

/** Writes what the file holds at [from, to) outside its extents, image bytes then zeros, to `target`. 0 or -EIO. */
export function lowerRead(inode: usize, from: u64, to: u64, target: usize): i32 {
  const limit = min<u64>(to, load<u64>(inode, I_LOWER_BYTES));
  let at = from;
  const node = at < limit ? nodeOf(inode) : 0;
  while (at < limit) {
    if (node == 0) return -EIO;
    lowerPiece(node, at, limit);
    const length = <u32>(pieceEnd - at);
    const stop = pieceEnd;
    const into = target + <u32>(at - from);
    if (pieceAt == ZEROS) {
      memory.fill(into, 0, length);
    } else if (layer_read(load<u32>(node, N_LAYER), <u32>pieceAt, <u32>(pieceAt >> 32), into, length) != <i32>length) {
      return -EIO;
    }
    at = stop;
  }
  if (at < to) memory.fill(target + <u32>(at - from), 0, <u32>(to - at));
  return 0;
}
