/**
 * Path resolution inside the merged tree, as an extractor confined to the image's root does it (containerd's
 * fs.RootPath): symlinks in parent components are followed, absolute ones from the image's root, '..' stops at the root.
 * So with a lower layer's `bin -> usr/bin`, an entry `bin/sh` becomes `usr/bin/sh`.
 */
import { LAYER_DIRECTORY, LAYER_SYMLINK } from '../../src/core/abi/layer-index';
import { E_CORRUPT, E_LIMIT, E_NO_MEMORY, OK } from '../../src/core/abi/status';
import { linkLengthOf, linkOf } from './record';
import {
  D_NODE,
  D_PARENT,
  find,
  flooded,
  generation,
  isDirectory,
  lastHash,
  link,
  N_KIND,
  N_RECORD,
  N_SELF,
  newNode,
  root,
  slabAlloc,
  treeFailure,
} from './tree';

/** As in Linux path resolution. */
const MAX_HOPS: u32 = 40;
const BUFFER: u32 = 16384;
let buffers: usize = 0;

let cachedPath: usize = 0;
let cachedLength: u32 = 0;
let cachedNode: usize = 0;
let cachedGeneration: u32 = 0;

export let resolveStatus: i32 = OK;

export function resolveInit(): i32 {
  buffers = slabAlloc(2 * BUFFER);
  cachedNode = 0;
  return buffers == 0 ? E_NO_MEMORY : OK;
}

/**
 * The directory a clean path leads to; missing ones are made when `layer` is given (else -1). 0 with `resolveStatus` OK:
 * it is not there. 0 otherwise: E_CORRUPT for a file on the way or too many symlinks, E_LIMIT, E_NO_MEMORY.
 */
export function resolveDirectory(path: usize, length: u32, layer: i32): usize {
  resolveStatus = OK;
  if (length == 0) return root;
  if (
    cachedNode != 0 &&
    cachedGeneration == generation &&
    cachedLength == length &&
    memory.compare(cachedPath, path, length) == 0
  ) {
    return cachedNode;
  }
  const node = walk(path, length, layer);
  if (node != 0) {
    cachedPath = path;
    cachedLength = length;
    cachedNode = node;
    cachedGeneration = generation;
  }
  return node;
}

function walk(path: usize, length: u32, layer: i32): usize {
  let at = path;
  let end = path + length;
  let here = root;
  let hops: u32 = 0;
  while (at < end) {
    const name = at;
    while (at < end && load<u8>(at) != 0x2f) at++;
    const size = <u32>(at - name);
    if (at < end) at++;
    if (size == 0 || (size == 1 && load<u8>(name) == 0x2e)) continue;
    if (size == 2 && load<u16>(name) == 0x2e2e) {
      if (here != root) here = load<u32>(load<u32>(here, N_SELF), D_PARENT);
      continue;
    }
    const found = find(here, name, size);
    if (flooded) return fail(E_LIMIT);
    if (found == 0) {
      if (layer < 0) return 0;
      here = makeDirectory(here, name, size, layer, hops > 0);
      if (here == 0) return 0;
      continue;
    }
    const node: usize = load<u32>(found, D_NODE);
    if (isDirectory(node)) {
      here = node;
      continue;
    }
    if (load<u32>(node, N_KIND) != LAYER_SYMLINK || ++hops > MAX_HOPS) return fail(E_CORRUPT);
    // What is left is now the link's target and then the rest; the two buffers take turns.
    const record: usize = load<u32>(node, N_RECORD);
    const target = linkOf(record);
    const targetLength = linkLengthOf(record);
    const rest = <u32>(end - at);
    if (targetLength + 1 + rest > BUFFER) return fail(E_LIMIT);
    const buffer = buffers + <usize>((hops & 1) * BUFFER);
    memory.copy(buffer, target, targetLength);
    store<u8>(buffer + targetLength, 0x2f);
    memory.copy(buffer + targetLength + 1, at, rest);
    if (load<u8>(buffer) == 0x2f) here = root;
    at = buffer;
    end = buffer + targetLength + 1 + rest;
  }
  return here;
}

function makeDirectory(parent: usize, name: usize, length: u32, layer: i32, inBuffer: bool): usize {
  if (length > 255) return fail(E_LIMIT);
  let kept = name;
  if (inBuffer) {
    kept = slabAlloc((length + 7) & ~7);
    if (kept == 0) return fail(E_NO_MEMORY);
    memory.copy(kept, name, length);
  }
  const node = newNode(0, layer, LAYER_DIRECTORY);
  if (node == 0 || link(parent, kept, length, lastHash, node) == 0) return fail(treeFailure());
  return node;
}

function fail(status: i32): usize {
  resolveStatus = status;
  return 0;
}
