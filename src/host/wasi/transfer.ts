/**
 * Moves bytes between the guest's buffers (iovecs) and where the kernel says the data is (segments). The kernel's
 * begin calls commit offset and size, so every guest buffer is checked before one is made, and exactly the bytes they
 * grant are moved.
 */
import {
  EAGAIN,
  EBADF,
  EFAULT,
  EINVAL,
  EIO,
  FILE_HANDLE,
  FILE_HOST,
  FILE_HOSTFS,
  FILE_KIND,
  FILE_REGULAR,
  FILE_STATUS,
  IO_APPEND,
  IO_NEEDS_END,
  O_NONBLOCK,
  SEGMENT_BYTES,
  SEGMENT_HOSTFS,
  SEGMENT_LAYER,
  SEGMENT_LIMIT,
  SEGMENT_MEMORY,
  SEGMENT_ZERO,
  TASK_IO_FLAGS,
  TASK_SEGMENT_COUNT,
  TASK_SEGMENTS,
} from '../../core/abi/kernel.ts';
import { IOVEC_BYTES } from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';

/** Linux' IOV_MAX: what one call may name. */
export const IOV_MAX = 1024;
/** Linux' MAX_RW_COUNT: what one call moves at most. */
const MAX_BYTES = 0x7ffff000;
/** Below this a word loop beats the set-up of a typed array copy. */
const SMALL = 256;
/** Gathered writes up to this size reach a host stream as one. */
const GATHER = 65536;

/** Current offset instead of a position. */
export const AT_OFFSET = -1;

/** The buffers of one call, unpacked once. One per context; calls do not nest. */
export class Buffers {
  readonly pointers = new Uint32Array(IOV_MAX);
  readonly lengths = new Uint32Array(IOV_MAX);
  count = 0;
  total = 0;

  /** Reads and checks the guest's vector. Returns 0 or a negative errno. */
  load({ guest }: WasiContext, vector: number, count: number): number {
    if (count > IOV_MAX) return -EINVAL;
    if (!guest.holds(vector, count * IOVEC_BYTES)) return -EFAULT;
    const { view } = guest;
    let total = 0;
    let used = 0;
    for (let i = 0; i < count; i++) {
      const length = view.getUint32(vector + i * IOVEC_BYTES + 4, true);
      if (length === 0) continue;
      const pointer = view.getUint32(vector + i * IOVEC_BYTES, true);
      if (!guest.holds(pointer, length)) return -EFAULT;
      this.pointers[used] = pointer;
      this.lengths[used++] = length;
      total += length;
    }
    this.count = used;
    this.total = Math.min(total, MAX_BYTES);
    return 0;
  }
}

/**
 * Reads into (`toGuest`) or writes from `buffers`. `entry` is the fd's table entry; `lo` and `hi` the position, or
 * AT_OFFSET in `lo`. Returns the number of bytes or a negative errno. A regular file is read as far as it goes and takes
 * everything or says why not; a stream gives or takes what it can at once.
 */
export function transfer(
  context: WasiContext,
  fd: number,
  entry: number,
  buffers: Buffers,
  lo: number,
  hi: number,
  toGuest: boolean,
): number {
  const kind = context.fileField(entry, FILE_KIND);
  if (kind === FILE_HOST) return toGuest ? readStream(context, entry, buffers) : writeStream(context, entry, buffers);
  const { total } = buffers;
  if (total === 0) return 0;
  let done = 0;
  for (;;) {
    const granted = begin(context, fd, total - done, lo, hi, done, toGuest);
    if (granted <= 0) return done > 0 ? done : granted;
    const moved = moveSegments(context, buffers, done, granted, toGuest);
    if (moved < 0) return done > 0 ? done : moved;
    done += moved;
    if (done === total || moved < granted) return done;
    if (!toGuest) continue;
    // A read is complete with what there was, unless only the list of segments was too short for more.
    if (kind !== FILE_REGULAR && kind !== FILE_HOSTFS) return done;
    if (context.kernel.u32[(context.task + TASK_SEGMENT_COUNT) >>> 2]! < SEGMENT_LIMIT) return done;
  }
}

function begin(
  { calls, task }: WasiContext,
  fd: number,
  want: number,
  lo: number,
  hi: number,
  done: number,
  toGuest: boolean,
): number {
  if (lo === AT_OFFSET) return toGuest ? calls.read_begin(task, fd, want) : calls.write_begin(task, fd, want);
  const at = lo + done;
  const carry = at > 0xffffffff ? 1 : 0;
  return toGuest
    ? calls.pread_begin(task, fd, want, at | 0, (hi + carry) | 0)
    : calls.pwrite_begin(task, fd, want, at | 0, (hi + carry) | 0);
}

/**
 * Moves `granted` bytes between the segments of the last begin and the buffers from their byte `skip` on. Ends the
 * kernel's I/O where it asks for it. Returns the bytes moved or a negative errno.
 */
function moveSegments(context: WasiContext, buffers: Buffers, skip: number, granted: number, toGuest: boolean): number {
  const { kernel, task, calls } = context;
  if (kernel.u8.length === 0) kernel.refresh();
  const flags = kernel.u32[(task + TASK_IO_FLAGS) >>> 2]!;
  const count = kernel.u32[(task + TASK_SEGMENT_COUNT) >>> 2]!;
  const first = (task + TASK_SEGMENTS) >>> 2;
  if (count === 1 && buffers.count === 1 && flags === 0 && kernel.u32[first] === SEGMENT_MEMORY) {
    movePiece(context, first, 0, buffers.pointers[0]! + skip, granted, toGuest, 0);
    return granted;
  }
  let index = 0;
  let offset = skip;
  while (index < buffers.count && offset >= buffers.lengths[index]!) offset -= buffers.lengths[index++]!;
  let moved = 0;
  let failure = 0;
  for (let i = 0; i < count && failure === 0; i++) {
    const segment = (task + TASK_SEGMENTS + i * SEGMENT_BYTES) >>> 2;
    const length = kernel.u32[segment + 2]!;
    let at = 0;
    while (at < length) {
      const pointer = buffers.pointers[index]! + offset;
      const piece = Math.min(length - at, buffers.lengths[index]! - offset);
      const result = movePiece(context, segment, at, pointer, piece, toGuest, flags);
      if (result < 0) {
        failure = result;
        break;
      }
      at += result;
      moved += result;
      offset += result;
      if (offset === buffers.lengths[index]!) {
        index++;
        offset = 0;
      }
      if (result < piece) {
        // The host gave or took less than the kernel expected: the end of what can be done now.
        failure = moved === 0 && !toGuest ? -EIO : 1;
        break;
      }
    }
  }
  if ((flags & IO_NEEDS_END) !== 0) calls.io_end(task, moved);
  if (failure < 0 && moved === 0) return failure;
  return Math.min(moved, granted);
}

/** One piece of one segment. Returns how many bytes went, or a negative errno. */
function movePiece(
  context: WasiContext,
  segment: number,
  at: number,
  pointer: number,
  length: number,
  toGuest: boolean,
  flags: number,
): number {
  const { kernel, guest, port } = context;
  const { u32 } = kernel;
  const value = u32[segment + 1]!;
  switch (u32[segment]!) {
    case SEGMENT_MEMORY: {
      kernel.reach(value + at + length);
      if (toGuest) copyBytes(kernel.u8, kernel.view, value + at, guest.u8, guest.view, pointer, length);
      else copyBytes(guest.u8, guest.view, pointer, kernel.u8, kernel.view, value + at, length);
      return length;
    }
    case SEGMENT_ZERO:
      guest.u8.fill(0, pointer, pointer + length);
      return length;
    case SEGMENT_LAYER:
      return port.readLayer(value, segmentOffset(u32, segment) + at, guest.u8.subarray(pointer, pointer + length));
    case SEGMENT_HOSTFS: {
      const target = guest.u8.subarray(pointer, pointer + length);
      const position = segmentOffset(u32, segment) + at;
      const mount = u32[segment + 3]!;
      return toGuest
        ? port.hostRead(mount, value, position, target)
        : port.hostWrite(mount, value, position, (flags & IO_APPEND) !== 0, target);
    }
    default:
      return length;
  }
}

function segmentOffset(u32: Uint32Array, segment: number): number {
  return u32[segment + 4]! + u32[segment + 5]! * 0x1_0000_0000;
}

function copyBytes(
  source: Uint8Array,
  sourceView: DataView,
  from: number,
  target: Uint8Array,
  targetView: DataView,
  to: number,
  length: number,
): void {
  if (length > SMALL) {
    target.set(source.subarray(from, from + length), to);
    return;
  }
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) targetView.setInt32(to + i, sourceView.getInt32(from + i, true), true);
  for (let i = whole; i < length; i++) target[to + i] = source[from + i]!;
}

function readStream(context: WasiContext, entry: number, buffers: Buffers): number {
  const { guest } = context;
  const stream = context.streams[context.fileField(entry, FILE_HANDLE)];
  if (stream?.read === undefined) return -EBADF;
  if (buffers.total === 0) return 0;
  const nonBlocking = (context.fileField(entry, FILE_STATUS) & O_NONBLOCK) !== 0;
  if (buffers.count === 1)
    return stream.read(guest.u8.subarray(buffers.pointers[0]!, buffers.pointers[0]! + buffers.total), nonBlocking);
  const piece = new Uint8Array(Math.min(buffers.total, GATHER));
  const got = stream.read(piece, nonBlocking);
  let at = 0;
  for (let i = 0; at < got; i++) {
    const length = Math.min(buffers.lengths[i]!, got - at);
    guest.u8.set(piece.subarray(at, at + length), buffers.pointers[i]!);
    at += length;
  }
  return got;
}

function writeStream(context: WasiContext, entry: number, buffers: Buffers): number {
  const { guest } = context;
  const stream = context.streams[context.fileField(entry, FILE_HANDLE)];
  if (stream?.write === undefined) return -EBADF;
  if (buffers.total === 0) return 0;
  const nonBlocking = (context.fileField(entry, FILE_STATUS) & O_NONBLOCK) !== 0;
  if (buffers.count === 1 || buffers.total > GATHER) {
    let done = 0;
    for (let i = 0; i < buffers.count && done < MAX_BYTES; i++) {
      const from = buffers.pointers[i]!;
      const taken = stream.write(guest.u8.subarray(from, from + buffers.lengths[i]!), nonBlocking);
      if (taken < 0) return done > 0 ? done : taken;
      done += taken;
      if (taken < buffers.lengths[i]!) break;
    }
    return done;
  }
  const gathered = new Uint8Array(buffers.total);
  let at = 0;
  for (let i = 0; i < buffers.count; i++) {
    const from = buffers.pointers[i]!;
    gathered.set(guest.u8.subarray(from, from + buffers.lengths[i]!), at);
    at += buffers.lengths[i]!;
  }
  const taken = stream.write(gathered, nonBlocking);
  return taken === 0 ? -EAGAIN : taken;
}
