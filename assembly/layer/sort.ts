/** Merge sort of dirent addresses by the bytes of their names: stable cost, no recursion, as many as a layer brings. */
import { D_LENGTH, D_NAME } from './tree';

/** Sorts `count` u32 at `list`; `spare` is room for as many. */
export function sortByName(list: usize, count: u32, spare: usize): void {
  if (isSorted(list, count)) return;
  const RUN: u32 = 8;
  for (let start: u32 = 0; start < count; start += RUN) insertionSort(list, start, min(start + RUN, count));
  let from = list;
  let to = spare;
  for (let width = RUN; width < count; width <<= 1) {
    for (let start: u32 = 0; start < count; start += 2 * width) {
      mergeRuns(from, to, start, min(start + width, count), min(start + 2 * width, count));
    }
    const swap = from;
    from = to;
    to = swap;
  }
  if (from != list) memory.copy(list, from, count << 2);
}

function isSorted(list: usize, count: u32): bool {
  for (let i: u32 = 1; i < count; i++) {
    if (before(load<u32>(list + (i << 2)), load<u32>(list + ((i - 1) << 2)))) return false;
  }
  return true;
}

function insertionSort(list: usize, start: u32, end: u32): void {
  for (let i = start + 1; i < end; i++) {
    const item: usize = load<u32>(list + (i << 2));
    let at = i;
    while (at > start && before(item, load<u32>(list + ((at - 1) << 2)))) {
      store<u32>(list + (at << 2), load<u32>(list + ((at - 1) << 2)));
      at--;
    }
    store<u32>(list + (at << 2), item);
  }
}

function mergeRuns(from: usize, to: usize, start: u32, middle: u32, end: u32): void {
  let a = start;
  let b = middle;
  for (let i = start; i < end; i++) {
    const left: usize = load<u32>(from + (a << 2));
    if (a < middle && (b >= end || !before(load<u32>(from + (b << 2)), left))) {
      store<u32>(to + (i << 2), left);
      a++;
    } else {
      store<u32>(to + (i << 2), load<u32>(from + (b << 2)));
      b++;
    }
  }
}

function before(a: usize, b: usize): bool {
  const aLength = load<u32>(a, D_LENGTH);
  const bLength = load<u32>(b, D_LENGTH);
  const order = memory.compare(load<u32>(a, D_NAME), load<u32>(b, D_NAME), min(aLength, bLength));
  return order != 0 ? order < 0 : aLength < bLength;
}
