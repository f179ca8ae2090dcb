/** The segments a begin call hands out: up to SEGMENT_LIMIT pieces in the task struct. */
import {
  SEGMENT_BYTES,
  SEGMENT_KIND,
  SEGMENT_LENGTH,
  SEGMENT_LIMIT,
  SEGMENT_MEMORY,
  SEGMENT_MOUNT,
  SEGMENT_OFFSET,
  SEGMENT_VALUE,
  TASK_SEGMENT_COUNT,
  TASK_SEGMENTS,
} from '../../src/core/abi/kernel';

export function segmentsFull(t: usize): bool {
  return load<u32>(t, TASK_SEGMENT_COUNT) >= <u32>SEGMENT_LIMIT;
}

/** Appends a segment; memory that continues the one before joins it. */
export function emit(t: usize, kind: u32, value: u32, length: u32, offset: u64): void {
  const count = load<u32>(t, TASK_SEGMENT_COUNT);
  const segment = t + count * SEGMENT_BYTES;
  if (count != 0 && kind == SEGMENT_MEMORY) {
    const before = segment - SEGMENT_BYTES;
    const had = load<u32>(before, TASK_SEGMENTS + SEGMENT_LENGTH);
    if (
      load<u32>(before, TASK_SEGMENTS + SEGMENT_KIND) == SEGMENT_MEMORY &&
      load<u32>(before, TASK_SEGMENTS + SEGMENT_VALUE) + had == value
    ) {
      store<u32>(before, had + length, TASK_SEGMENTS + SEGMENT_LENGTH);
      return;
    }
  }
  store<u32>(segment, kind, TASK_SEGMENTS + SEGMENT_KIND);
  store<u32>(segment, value, TASK_SEGMENTS + SEGMENT_VALUE);
  store<u32>(segment, length, TASK_SEGMENTS + SEGMENT_LENGTH);
  store<u32>(segment, 0, TASK_SEGMENTS + SEGMENT_MOUNT);
  store<u64>(segment, offset, TASK_SEGMENTS + SEGMENT_OFFSET);
  store<u32>(t, count + 1, TASK_SEGMENT_COUNT);
}
