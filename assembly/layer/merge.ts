/**
 * Merges the layer indexes of an image, lowest first, into one rootfs index (image-spec layer.md#applying-changesets).
 *
 * Whiteouts and opaque markers hide what lower layers have and never what their own layer has, wherever in the tar they
 * stand: so a layer is gone through twice, first for what it hides, then for what it has. Within a layer the last entry
 * of a name wins, but a directory over a directory only changes its attributes.
 * A hard link shares its target's node, also one of a lower layer. Missing parents are made, 0755 root.
 *
 * Protocol: mergeBegin, then for each layer mergeReserve (copy the index there) and mergeLayer, then mergeFinish. One
 * merge per instance: the memory goes with it.
 */
import {
  LAYER_DIRECTORY,
  LAYER_HARDLINK,
  LAYER_HEADER_BYTES,
  LAYER_MAGIC,
  LAYER_OPAQUE,
  LAYER_VERSION,
  LAYER_WHITEOUT,
} from '../../src/core/abi/layer-index';
import { E_CHECKSUM, E_CORRUPT, E_LIMIT, E_NO_MEMORY, E_STATE, OK } from '../../src/core/abi/status';
import { CRC32_SCRATCH_BYTES, crc32Update } from '../hash/crc32';
import { regionAlloc } from '../memory/index';
import { emit, emitted } from './emit';
import { baseOf, isSound, kindOf, linkLengthOf, linkOf, pathLengthOf, pathOf, recordLength } from './record';
import { resolveDirectory, resolveInit, resolveStatus } from './resolve';
import {
  D_NODE,
  find,
  flooded,
  isDirectory,
  lastHash,
  link,
  N_LAYER,
  N_LINKS,
  N_RECORD,
  newNode,
  relink,
  remove,
  removeChildren,
  root,
  treeFailure,
  treeInit,
  unlink,
} from './tree';

let layers: u32 = 0;
let ready: bool = false;
let scratch: usize = 0;
let failed: usize = 0;

/** OK or E_NO_MEMORY. `maxNodes`: files and directories the merged tree may have at any time. */
export function mergeBegin(maxNodes: u32): i32 {
  layers = 0;
  failed = 0;
  scratch = regionAlloc(CRC32_SCRATCH_BYTES);
  if (scratch == 0) return E_NO_MEMORY;
  let status = treeInit(maxNodes);
  if (status == OK) status = resolveInit();
  ready = status == OK;
  return status;
}

/** Room for a layer index, which must stay until mergeFinish; 0 when memory is out. */
export function mergeReserve(bytes: u32): usize {
  return regionAlloc(bytes);
}

/** Applies the next layer. E_CHECKSUM: the index is damaged. Other codes: see mergeFailedPath. */
export function mergeLayer(index: usize, length: u32): i32 {
  if (!ready) return E_STATE;
  if (length < <u32>LAYER_HEADER_BYTES || load<u32>(index) != LAYER_MAGIC || load<u32>(index, 4) != LAYER_VERSION) {
    return E_CHECKSUM;
  }
  if (load<u64>(index, 8) != length || load<u32>(index, 60) != crc32Update(0, index, 60, scratch)) return E_CHECKSUM;
  const body = length - LAYER_HEADER_BYTES;
  if (load<u32>(index, 20) != crc32Update(0, index + LAYER_HEADER_BYTES, body, scratch)) return E_CHECKSUM;
  const layer = layers++;
  if (load<u32>(index, 40) != 0) {
    const hidden = round(index, length, layer, true);
    if (hidden != OK) return hidden;
  }
  return round(index, length, layer, false);
}

function round(index: usize, length: u32, layer: u32, hiding: bool): i32 {
  const end = index + length;
  let record = index + LAYER_HEADER_BYTES;
  while (record < end) {
    if (!isSound(record, end - record)) return E_CHECKSUM;
    const status = flooded ? E_LIMIT : hiding ? hide(record) : apply(record, layer);
    if (status != OK) {
      failed = record;
      ready = false;
      return status;
    }
    record += recordLength(record);
  }
  return OK;
}

/** After a failure of mergeLayer: the record whose entry was refused, 0 when there is none. */
export function mergeFailedRecord(): usize {
  return failed;
}

/** Writes the rootfs index to `mergeResult`; its length is in its header. */
export function mergeFinish(): i32 {
  if (!ready) return E_STATE;
  ready = false;
  return emit(layers, scratch);
}

export function mergeResult(): usize {
  return emitted;
}

/** First round: whiteouts and opaque markers. Where they point at nothing there is nothing to hide. */
function hide(record: usize): i32 {
  const kind = kindOf(record);
  const path = pathOf(record);
  const length = pathLengthOf(record);
  const base = baseOf(record);
  if (kind == LAYER_OPAQUE) {
    const directory = resolveDirectory(path, length, -1);
    if (directory != 0) removeChildren(directory);
  } else if (kind == LAYER_WHITEOUT) {
    const parent = resolveDirectory(path, base > 0 ? base - 1 : 0, -1);
    if (parent != 0) {
      const existing = find(parent, path + base, length - base);
      if (existing != 0) remove(existing);
    }
  } else {
    return OK;
  }
  return resolveStatus == E_CORRUPT ? OK : resolveStatus;
}

/** Second round: everything else. An opaque marker says that its directory is there. */
function apply(record: usize, layer: u32): i32 {
  const kind = kindOf(record);
  if (kind == LAYER_WHITEOUT) return OK;
  const path = pathOf(record);
  const length = pathLengthOf(record);
  const base = baseOf(record);
  if (kind == LAYER_OPAQUE) return resolveDirectory(path, length, layer) == 0 ? resolveStatus : OK;
  const parent = resolveDirectory(path, base > 0 ? base - 1 : 0, layer);
  if (parent == 0) return resolveStatus;
  if (length == 0) {
    if (kind != LAYER_DIRECTORY) return E_CORRUPT;
    store<u32>(root, record, N_RECORD);
    store<u32>(root, layer, N_LAYER);
    return OK;
  }
  const name = path + base;
  const nameLength = length - base;
  const existing = find(parent, name, nameLength);
  const hash = lastHash;
  if (kind == LAYER_HARDLINK) return applyHardLink(record, parent, name, nameLength, hash, existing);
  if (existing != 0 && kind == LAYER_DIRECTORY) {
    const node: usize = load<u32>(existing, D_NODE);
    if (isDirectory(node)) {
      store<u32>(node, record, N_RECORD);
      store<u32>(node, layer, N_LAYER);
      return OK;
    }
  }
  const node = newNode(record, layer, kind);
  return node == 0 ? treeFailure() : place(parent, name, nameLength, hash, existing, node);
}

/** Puts a node under a name, in the place of what had it. */
function place(parent: usize, name: usize, length: u32, hash: u32, existing: usize, node: usize): i32 {
  if (existing != 0) {
    const old: usize = load<u32>(existing, D_NODE);
    if (!isDirectory(old) && !isDirectory(node)) {
      relink(existing, node);
      return OK;
    }
    if (isDirectory(old)) remove(existing);
    else unlink(existing);
  }
  return link(parent, name, length, hash, node) == 0 ? treeFailure() : OK;
}

function applyHardLink(record: usize, parent: usize, name: usize, length: u32, hash: u32, existing: usize): i32 {
  const target = linkOf(record);
  const targetLength = linkLengthOf(record);
  let base = targetLength;
  while (base > 0 && load<u8>(target + base - 1) != 0x2f) base--;
  const directory = resolveDirectory(target, base > 0 ? base - 1 : 0, -1);
  if (directory == 0) return resolveStatus == OK ? E_CORRUPT : resolveStatus;
  const found = find(directory, target + base, targetLength - base);
  if (found == 0) return E_CORRUPT;
  const node: usize = load<u32>(found, D_NODE);
  if (isDirectory(node)) return E_CORRUPT;
  if (found == existing) return OK;
  // The target may lie below the directory this link replaces: hold its node meanwhile.
  store<u32>(node, load<u32>(node, N_LINKS) + 1, N_LINKS);
  const status = place(parent, name, length, hash, existing, node);
  store<u32>(node, load<u32>(node, N_LINKS) - 1, N_LINKS);
  return status;
}
