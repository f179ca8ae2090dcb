/**
 * The tree the layers are merged into, in linear memory. Directory entries and nodes are never moved, so they are
 * referred to by address; a node's attributes stay in the layer index record it came from.
 *
 * ```
 * node, 36 bytes                                     dirent, 32 bytes
 *   0 record's address (0: a directory made because     0 name's address
 *     an entry needed it, 0755 root)                    4 name's length
 *   4 layer (0 = lowest)                                8 node
 *   8 how many dirents name it                         12 parent, a directory's node
 *  12 kind (LAYER_FILE ...)                            16 next sibling    20 previous sibling
 *  16 directory: first child  20 child count           24 next of the hash chain    28 hash
 *  24 directory: its dirent (root: 0)
 *  28 number in the merged index + 1, 0 = none yet
 *  32 directory: first dirent in the merged index
 * ```
 */
import { LAYER_DIRECTORY } from '../../src/core/abi/layer-index';
import { E_LIMIT, E_NO_MEMORY, OK } from '../../src/core/abi/status';
import { regionAlloc, regionFree } from '../memory/index';

export const N_RECORD: usize = 0;
export const N_LAYER: usize = 4;
export const N_LINKS: usize = 8;
export const N_KIND: usize = 12;
export const N_CHILD: usize = 16;
export const N_CHILDREN: usize = 20;
export const N_SELF: usize = 24;
export const N_NUMBER: usize = 28;
export const N_FIRST: usize = 32;
const NODE_BYTES: u32 = 36;

export const D_NAME: usize = 0;
export const D_LENGTH: usize = 4;
export const D_NODE: usize = 8;
export const D_PARENT: usize = 12;
export const D_NEXT: usize = 16;
export const D_PREVIOUS: usize = 20;
const D_CHAIN: usize = 24;
const D_HASH: usize = 28;
const DIRENT_BYTES: u32 = 32;

const SLAB: u32 = 1 << 20;
/** Honest names stay far below; names made to collide are refused instead of making every lookup slow. */
export const MAX_CHAIN: u32 = 1024;

export let root: usize = 0;
export let direntCount: u32 = 0;
/** Goes up when a directory or a symlink is removed: a path resolved before may lead elsewhere. */
export let generation: u32 = 0;

let slab: usize = 0;
let slabEnd: usize = 0;
let freeNodes: usize = 0;
let freeDirents: usize = 0;
let nodeCount: u32 = 0;
let maxNodes: u32 = 0;
let buckets: usize = 0;
let bucketMask: u32 = 0;

/** OK, or E_NO_MEMORY. Every region is given back with the instance's memory: one instance, one merge. */
export function treeInit(nodeLimit: u32): i32 {
  maxNodes = nodeLimit;
  nodeCount = 0;
  direntCount = 0;
  generation = 0;
  slab = 0;
  slabEnd = 0;
  freeNodes = 0;
  freeDirents = 0;
  const size: u32 = 1 << 15;
  buckets = regionAlloc(size << 2);
  if (buckets == 0) return E_NO_MEMORY;
  memory.fill(buckets, 0, size << 2);
  bucketMask = size - 1;
  root = newNode(0, 0, LAYER_DIRECTORY);
  return root == 0 ? E_NO_MEMORY : OK;
}

/** Bytes that live as long as the merge; 0 when memory is out. */
export function slabAlloc(bytes: u32): usize {
  if (slabEnd - slab < bytes) {
    slab = regionAlloc(SLAB);
    if (slab == 0) {
      slabEnd = 0;
      return 0;
    }
    slabEnd = slab + SLAB;
  }
  const at = slab;
  slab += bytes;
  return at;
}

/** 0 when memory or the node cap is reached; `treeFailure` says which. */
export function newNode(record: usize, layer: u32, kind: u32): usize {
  if (nodeCount >= maxNodes) return 0;
  let node = freeNodes;
  if (node != 0) freeNodes = load<u32>(node);
  else node = slabAlloc(NODE_BYTES);
  if (node == 0) return 0;
  memory.fill(node, 0, NODE_BYTES);
  store<u32>(node, record, N_RECORD);
  store<u32>(node, layer, N_LAYER);
  store<u32>(node, kind, N_KIND);
  nodeCount++;
  return node;
}

export function treeFailure(): i32 {
  return nodeCount >= maxNodes ? E_LIMIT : E_NO_MEMORY;
}

export function isDirectory(node: usize): bool {
  return load<u32>(node, N_KIND) == LAYER_DIRECTORY;
}

function hashName(parent: usize, name: usize, length: u32): u32 {
  let h: u32 = 0x811c9dc5 ^ (<u32>parent * 0x9e3779b1);
  for (let i: u32 = 0; i < length; i++) h = (h ^ load<u8>(name + i)) * 0x01000193;
  h ^= h >>> 15;
  h *= 0x85ebca6b;
  return h ^ (h >>> 13);
}

/** Set by `find`: the chain it walked was too long (MAX_CHAIN). */
export let flooded: bool = false;

/** The dirent of that name, or 0. */
export function find(parent: usize, name: usize, length: u32): usize {
  const hash = hashName(parent, name, length);
  lastHash = hash;
  let walked: u32 = 0;
  for (let at: usize = load<u32>(buckets + ((hash & bucketMask) << 2)); at != 0; at = load<u32>(at, D_CHAIN)) {
    if (
      load<u32>(at, D_HASH) == hash &&
      load<u32>(at, D_PARENT) == <u32>parent &&
      load<u32>(at, D_LENGTH) == length &&
      memory.compare(load<u32>(at, D_NAME), name, length) == 0
    ) {
      return at;
    }
    if (++walked == MAX_CHAIN) flooded = true;
  }
  return 0;
}

/** Hash of the name `find` was last asked for. */
export let lastHash: u32 = 0;

/**
 * Names `node` in `parent`, where nothing has that name; the name's bytes must stay. `hash`: `lastHash` after `find` for
 * this very name. 0 when memory is out.
 */
export function link(parent: usize, name: usize, length: u32, hash: u32, node: usize): usize {
  if (direntCount > bucketMask && !growBuckets()) return 0;
  let at = freeDirents;
  if (at != 0) freeDirents = load<u32>(at);
  else at = slabAlloc(DIRENT_BYTES);
  if (at == 0) return 0;
  const bucket = buckets + ((hash & bucketMask) << 2);
  const next: usize = load<u32>(parent, N_CHILD);
  store<u32>(at, name, D_NAME);
  store<u32>(at, length, D_LENGTH);
  store<u32>(at, node, D_NODE);
  store<u32>(at, parent, D_PARENT);
  store<u32>(at, next, D_NEXT);
  store<u32>(at, 0, D_PREVIOUS);
  store<u32>(at, load<u32>(bucket), D_CHAIN);
  store<u32>(at, hash, D_HASH);
  store<u32>(bucket, at);
  if (next != 0) store<u32>(next, at, D_PREVIOUS);
  store<u32>(parent, at, N_CHILD);
  store<u32>(parent, load<u32>(parent, N_CHILDREN) + 1, N_CHILDREN);
  store<u32>(node, load<u32>(node, N_LINKS) + 1, N_LINKS);
  if (isDirectory(node)) store<u32>(node, at, N_SELF);
  direntCount++;
  return at;
}

/** Takes away a dirent; a directory must be empty. Its node goes when no other dirent names it. */
export function unlink(at: usize): void {
  const parent: usize = load<u32>(at, D_PARENT);
  const next: usize = load<u32>(at, D_NEXT);
  const previous: usize = load<u32>(at, D_PREVIOUS);
  if (previous != 0) store<u32>(previous, next, D_NEXT);
  else store<u32>(parent, next, N_CHILD);
  if (next != 0) store<u32>(next, previous, D_PREVIOUS);
  store<u32>(parent, load<u32>(parent, N_CHILDREN) - 1, N_CHILDREN);
  let slot: usize = buckets + ((load<u32>(at, D_HASH) & bucketMask) << 2);
  while (load<u32>(slot) != <u32>at) slot = <usize>load<u32>(slot) + D_CHAIN;
  store<u32>(slot, load<u32>(at, D_CHAIN));
  release(load<u32>(at, D_NODE));
  store<u32>(at, freeDirents);
  freeDirents = at;
  direntCount--;
}

/** Lets a dirent name another node, neither of them a directory. */
export function relink(at: usize, node: usize): void {
  store<u32>(node, load<u32>(node, N_LINKS) + 1, N_LINKS);
  release(load<u32>(at, D_NODE));
  store<u32>(at, node, D_NODE);
}

function release(node: usize): void {
  const kind = load<u32>(node, N_KIND);
  if (kind == 3 || kind == 6) generation++;
  const links = load<u32>(node, N_LINKS) - 1;
  store<u32>(node, links, N_LINKS);
  if (links != 0) return;
  store<u32>(node, freeNodes);
  freeNodes = node;
  nodeCount--;
}

function growBuckets(): bool {
  const size = (bucketMask + 1) << 2;
  const wider = regionAlloc(size << 2);
  if (wider == 0) return false;
  memory.fill(wider, 0, size << 2);
  for (let i: u32 = 0; i <= bucketMask; i++) {
    let at: usize = load<u32>(buckets + (i << 2));
    while (at != 0) {
      const next: usize = load<u32>(at, D_CHAIN);
      const bucket = wider + ((load<u32>(at, D_HASH) & (size - 1)) << 2);
      store<u32>(at, load<u32>(bucket), D_CHAIN);
      store<u32>(bucket, at);
      at = next;
    }
  }
  regionFree(buckets);
  buckets = wider;
  bucketMask = size - 1;
  return true;
}

/** Removes what lies at and below a dirent. No recursion: depth is the layer's choice. */
export function remove(top: usize): void {
  let at = top;
  while (true) {
    while (true) {
      const node: usize = load<u32>(at, D_NODE);
      if (!isDirectory(node)) break;
      const child: usize = load<u32>(node, N_CHILD);
      if (child == 0) break;
      at = child;
    }
    while (true) {
      const next: usize = load<u32>(at, D_NEXT);
      const up: usize = load<u32>(load<u32>(at, D_PARENT), N_SELF);
      const isTop = at == top;
      unlink(at);
      if (isTop) return;
      if (next != 0) {
        at = next;
        break;
      }
      at = up;
    }
  }
}

/** Empties a directory. */
export function removeChildren(directory: usize): void {
  while (load<u32>(directory, N_CHILD) != 0) remove(load<u32>(directory, N_CHILD));
}
