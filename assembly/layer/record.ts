/** Reads a record of a layer index (src/core/abi/layer-index.ts) where it lies. */
import { LAYER_OPAQUE, LAYER_RECORD_BYTES } from '../../src/core/abi/layer-index';
import { EXTENT_BYTES } from '../tar/caps';

export function recordLength(record: usize): u32 {
  return load<u32>(record);
}

export function kindOf(record: usize): u32 {
  return load<u8>(record, 4);
}

export function pathLengthOf(record: usize): u32 {
  return load<u16>(record, 6);
}

export function baseOf(record: usize): u32 {
  return load<u16>(record, 8);
}

export function linkLengthOf(record: usize): u32 {
  return load<u16>(record, 10);
}

export function extentCountOf(record: usize): u32 {
  return load<u32>(record, 52);
}

export function extentsOf(record: usize): usize {
  return record + LAYER_RECORD_BYTES;
}

export function xattrsLengthOf(record: usize): u32 {
  return load<u32>(record, 56);
}

export function xattrsOf(record: usize): usize {
  return record + LAYER_RECORD_BYTES + extentCountOf(record) * EXTENT_BYTES;
}

export function pathOf(record: usize): usize {
  return xattrsOf(record) + xattrsLengthOf(record);
}

export function linkOf(record: usize): usize {
  return pathOf(record) + pathLengthOf(record);
}

/** Whether a record's lengths agree with each other and with the `available` bytes it lies in. */
export function isSound(record: usize, available: u64): bool {
  if (available < <u64>LAYER_RECORD_BYTES) return false;
  const length = recordLength(record);
  const kind = kindOf(record);
  if (length < <u32>LAYER_RECORD_BYTES || length > available || (length & 7) != 0) return false;
  const tail: u64 =
    <u64>extentCountOf(record) * EXTENT_BYTES +
    <u64>xattrsLengthOf(record) +
    pathLengthOf(record) +
    linkLengthOf(record);
  if (<u64>LAYER_RECORD_BYTES + tail > length) return false;
  if (baseOf(record) > pathLengthOf(record) || pathLengthOf(record) - baseOf(record) > 255) return false;
  return kind >= 1 && kind <= <u32>LAYER_OPAQUE;
}
