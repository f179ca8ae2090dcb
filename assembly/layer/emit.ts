/**
 * Writes the merged tree as a rootfs index (src/core/abi/rootfs-index.ts). Directories go breadth first, so that each
 * one's entries are contiguous; a node gets its number where it is first named.
 */
import { LAYER_DIRECTORY, LAYER_FILE, LAYER_SYMLINK } from '../../src/core/abi/layer-index';
import {
  ROOTFS_DIRENT_BYTES,
  ROOTFS_EXTENT_BYTES,
  ROOTFS_HEADER_BYTES,
  ROOTFS_MAGIC,
  ROOTFS_NODE_BYTES,
  ROOTFS_VERSION,
} from '../../src/core/abi/rootfs-index';
import { E_LIMIT, E_NO_MEMORY, OK } from '../../src/core/abi/status';
import { crc32Update } from '../hash/crc32';
import { regionAlloc, regionFree } from '../memory/index';
import { extentCountOf, extentsOf, linkLengthOf, linkOf, xattrsLengthOf, xattrsOf } from './record';
import { sortByName } from './sort';
import {
  D_LENGTH,
  D_NAME,
  D_NEXT,
  D_NODE,
  D_PARENT,
  direntCount,
  MAX_CHAIN,
  N_CHILD,
  N_CHILDREN,
  N_FIRST,
  N_KIND,
  N_LAYER,
  N_LINKS,
  N_NUMBER,
  N_RECORD,
  N_SELF,
  root,
} from './tree';

let order: usize = 0;
let nodes: u32 = 0;
let strings: u64 = 0;
let extents: u64 = 0;
let xattrs: u64 = 0;
let subdirectories: usize = 0;

let out: usize = 0;
/** Address of the finished index. */
export let emitted: usize = 0;
let total: u32 = 0;
let nodesAt: u32 = 0;
let direntsAt: u32 = 0;
let bucketsAt: u32 = 0;
let stringsAt: u32 = 0;
let extentsAt: u32 = 0;
let xattrsAt: u32 = 0;
let bucketCount: u32 = 0;
let nextString: u32 = 0;
let nextExtent: u32 = 0;
let nextXattr: u32 = 0;
let fileBytes: u64 = 0;

/** OK, and the index is at `emitted`; or E_NO_MEMORY, E_LIMIT. */
export function emit(layers: u32, scratch: usize): i32 {
  // Three words per dirent: the order, the sort's second half, and (by node number) how many subdirectories.
  const work = regionAlloc((direntCount + 1) * 12);
  if (work == 0) return E_NO_MEMORY;
  order = work;
  subdirectories = work + (direntCount + 1) * 8;
  arrange(work + (direntCount + 1) * 4);
  const status = layOut();
  if (status != OK) return status;
  memory.fill(out, 0, bucketsAt + bucketCount * 4);
  writeNode(root, 0);
  let number: u32 = 1;
  for (let i: u32 = 0; i < direntCount; i++) {
    const dirent: usize = load<u32>(order + (i << 2));
    const node: usize = load<u32>(dirent, D_NODE);
    if (load<u32>(node, N_NUMBER) - 1 == number) writeNode(node, number++);
    if (!writeDirent(dirent, i)) return E_LIMIT;
  }
  writeHeader(layers, scratch);
  regionFree(work);
  emitted = out;
  return OK;
}

/** Numbers the nodes, puts the dirents in order and adds up what they take. */
function arrange(spare: usize): void {
  nodes = 0;
  strings = 0;
  extents = 0;
  xattrs = 0;
  let filled = take(root, 0, spare);
  for (let i: u32 = 0; i < filled; i++) {
    const dirent: usize = load<u32>(order + (i << 2));
    const node: usize = load<u32>(dirent, D_NODE);
    strings += load<u32>(dirent, D_LENGTH);
    if (load<u32>(node, N_NUMBER) == 0) filled = take(node, filled, spare);
  }
}

/** Gives a node its number and, for a directory, appends its entries to the order. */
function take(node: usize, filled: u32, spare: usize): u32 {
  const number = nodes++;
  store<u32>(node, number + 1, N_NUMBER);
  store<u32>(subdirectories + (number << 2), 0);
  const record: usize = load<u32>(node, N_RECORD);
  const kind = load<u32>(node, N_KIND);
  if (record != 0) {
    xattrs += (xattrsLengthOf(record) + 3) & ~3;
    extents += extentCountOf(record);
    if (kind == LAYER_SYMLINK) strings += linkLengthOf(record);
  }
  if (kind != LAYER_DIRECTORY) return filled;
  if (node != root) {
    const parent: usize = load<u32>(load<u32>(node, N_SELF), D_PARENT);
    const counter = subdirectories + ((load<u32>(parent, N_NUMBER) - 1) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  store<u32>(node, filled, N_FIRST);
  // The list has the newest first; filled from the back it is in the order of the tar, mostly sorted already.
  const start = order + (filled << 2);
  filled += load<u32>(node, N_CHILDREN);
  let slot = order + (filled << 2);
  for (let at: usize = load<u32>(node, N_CHILD); at != 0; at = load<u32>(at, D_NEXT)) {
    slot -= 4;
    store<u32>(slot, at);
  }
  sortByName(start, load<u32>(node, N_CHILDREN), spare);
  return filled;
}

function layOut(): i32 {
  bucketCount = 8;
  while (bucketCount < 2 * direntCount) bucketCount <<= 1;
  let at: u64 = ROOTFS_HEADER_BYTES;
  nodesAt = <u32>at;
  at += <u64>nodes * ROOTFS_NODE_BYTES;
  direntsAt = <u32>at;
  at += <u64>direntCount * ROOTFS_DIRENT_BYTES;
  bucketsAt = <u32>at;
  at += <u64>bucketCount * 4;
  stringsAt = <u32>at;
  at = (at + strings + 7) & ~(<u64>7);
  extentsAt = <u32>at;
  at += extents * ROOTFS_EXTENT_BYTES;
  xattrsAt = <u32>at;
  at = (at + xattrs + 7) & ~(<u64>7);
  if (at > 0x7ff00000) return E_LIMIT;
  out = regionAlloc(<u32>at);
  if (out == 0) return E_NO_MEMORY;
  // The padding behind the strings and behind the attributes.
  store<u64>(out + stringsAt + ((<u32>strings + 7) & ~7) - 8, 0);
  store<u64>(out + <u32>at - 8, 0);
  total = <u32>at;
  nextString = 0;
  nextExtent = 0;
  nextXattr = 0;
  fileBytes = 0;
  return OK;
}

function writeNode(node: usize, number: u32): void {
  const at = out + nodesAt + number * ROOTFS_NODE_BYTES;
  const record: usize = load<u32>(node, N_RECORD);
  const kind = load<u32>(node, N_KIND);
  store<u32>(at, 0o040755, 24);
  store<u32>(at, load<u32>(node, N_LINKS), 36);
  store<u32>(at, load<u32>(node, N_LAYER), 40);
  if (record != 0) {
    store<u64>(at, load<u64>(record, 24), 16);
    store<u32>(at, load<u32>(record, 12), 24);
    store<u64>(at, load<u64>(record, 16), 28);
    store<u32>(at, load<u32>(record, 48), 56);
    writeXattrs(at, record);
  }
  if (kind == LAYER_DIRECTORY) {
    store<u32>(at, 2 + load<u32>(subdirectories + (number << 2)), 36);
    store<u32>(at, load<u32>(node, N_FIRST), 44);
    store<u32>(at, load<u32>(node, N_CHILDREN), 48);
    if (node != root) {
      const parent: usize = load<u32>(load<u32>(node, N_SELF), D_PARENT);
      store<u32>(at, load<u32>(parent, N_NUMBER) - 1, 52);
    }
  } else if (kind == LAYER_SYMLINK) {
    const length = linkLengthOf(record);
    store<u64>(at, length);
    store<u64>(at, addString(linkOf(record), length), 8);
  } else if (kind == LAYER_FILE) {
    const size = load<u64>(record, 32);
    store<u64>(at, size);
    store<u64>(at, load<u64>(record, 40), 8);
    fileBytes += size;
    const count = extentCountOf(record);
    if (count != 0) {
      store<u32>(at, nextExtent, 44);
      store<u32>(at, count, 48);
      const bytes = count * ROOTFS_EXTENT_BYTES;
      memory.copy(out + extentsAt + nextExtent * ROOTFS_EXTENT_BYTES, extentsOf(record), bytes);
      nextExtent += count;
    }
  }
}

/** Blobs start on four bytes. */
function writeXattrs(at: usize, record: usize): void {
  const length = xattrsLengthOf(record);
  if (length == 0) return;
  store<u32>(at, nextXattr + 1, 60);
  const to = out + xattrsAt + nextXattr;
  const padded = (length + 3) & ~3;
  store<u32>(to + padded - 4, 0);
  memory.copy(to, xattrsOf(record), length);
  nextXattr += padded;
}

function addString(p: usize, length: u32): u32 {
  const at = nextString;
  memory.copy(out + stringsAt + at, p, length);
  nextString += length;
  return at;
}

/** False when too many names were made to fall on one bucket. */
function writeDirent(dirent: usize, index: u32): bool {
  const at = out + direntsAt + index * ROOTFS_DIRENT_BYTES;
  const name: usize = load<u32>(dirent, D_NAME);
  const length = load<u32>(dirent, D_LENGTH);
  const number = load<u32>(load<u32>(dirent, D_NODE), N_NUMBER) - 1;
  const parent = load<u32>(load<u32>(dirent, D_PARENT), N_NUMBER) - 1;
  const hash = rootfsHash(parent, name, length);
  store<u32>(at, addString(name, length));
  store<u16>(at, <u16>length, 4);
  store<u16>(at, <u16>(load<u32>(out + nodesAt + number * ROOTFS_NODE_BYTES, 24) >> 12), 6);
  store<u32>(at, number, 8);
  store<u32>(at, hash, 12);
  const mask = bucketCount - 1;
  let bucket = hash & mask;
  for (let probe: u32 = 0; load<u32>(out + bucketsAt + (bucket << 2)) != 0; probe++) {
    if (probe == MAX_CHAIN) return false;
    bucket = (bucket + 1) & mask;
  }
  store<u32>(out + bucketsAt + (bucket << 2), index + 1);
  return true;
}

function rootfsHash(parent: u32, name: usize, length: u32): u32 {
  let h: u32 = 0x811c9dc5 ^ (parent * 0x9e3779b1);
  for (let i: u32 = 0; i < length; i++) h = (h ^ load<u8>(name + i)) * 0x01000193;
  h ^= h >>> 15;
  h *= 0x85ebca6b;
  return h ^ (h >>> 13);
}

function writeHeader(layers: u32, scratch: usize): void {
  store<u32>(out, ROOTFS_MAGIC);
  store<u32>(out, ROOTFS_VERSION, 4);
  store<u32>(out, total, 8);
  store<u32>(out, nodes, 16);
  store<u32>(out, nodesAt, 20);
  store<u32>(out, direntCount, 24);
  store<u32>(out, direntsAt, 28);
  store<u32>(out, bucketCount, 32);
  store<u32>(out, bucketsAt, 36);
  store<u32>(out, stringsAt, 40);
  store<u32>(out, nextString, 44);
  store<u32>(out, extentsAt, 48);
  store<u32>(out, nextExtent, 52);
  store<u32>(out, xattrsAt, 56);
  store<u32>(out, nextXattr, 60);
  store<u32>(out, layers, 64);
  store<u64>(out, fileBytes, 72);
  store<u32>(out, crc32Update(0, out + 16, total - 16, scratch), 12);
}
