/**
 * poll_oneoff: clocks and descriptors. Waiting never spins where the host can wait: on the kernel's event word when
 * that is possible (shared memory), else by sleeping. Streams that only the host knows, and that do not wake the kernel's
 * pollers, are asked again at intervals.
 */
import {
  EAGAIN,
  EHOSTIO,
  EINTR,
  FD_RIGHTS,
  FILE_HANDLE,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  TASK_R0,
} from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import { clockMs } from './clock.ts';
import type { WasiContext } from './context.ts';
import { toErrno } from './errno.ts';

/** Subscriptions of one call. More than any process has descriptors for; the lists live in the guest's own memory. */
const MAX_SUBSCRIPTIONS = 4096;
/** How often streams of the host are asked, and other waits are cut, in milliseconds. */
const STREAM_INTERVAL_MS = 5;
const MAX_WAIT_MS = 60_000;

export interface SubscriptionLayout {
  readonly bytes: number;
  readonly clockId: number;
  readonly timeout: number;
  readonly flags: number;
}

export const SUBSCRIPTION: SubscriptionLayout = { bytes: w.SUBSCRIPTION_BYTES, clockId: 16, timeout: 24, flags: 40 };
export const SUBSCRIPTION0: SubscriptionLayout = { bytes: w.SUBSCRIPTION0_BYTES, clockId: 24, timeout: 32, flags: 48 };

export function poll(context: WasiContext, layout: SubscriptionLayout) {
  const { guest, calls } = context;
  return {
    poll_oneoff(subscriptions: number, events: number, count: number, result: number): number {
      const from = subscriptions >>> 0;
      const to = events >>> 0;
      const total = count >>> 0;
      if (total === 0 || total > MAX_SUBSCRIPTIONS) return w.ERRNO_INVAL;
      if (!guest.holds(from, total * layout.bytes)) return w.ERRNO_FAULT;
      if (!guest.holds(to, total * w.EVENT_BYTES) || !guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      // The guest may let in and out overlap, and its threads may write meanwhile: judge a copy.
      const copy = new DataView(guest.u8.slice(from, from + total * layout.bytes).buffer);
      const deadlines = new Float64Array(total);
      for (let i = 0; i < total; i++) {
        const at = i * layout.bytes;
        if (copy.getUint8(at + 8) > w.EVENT_FD_WRITE) return w.ERRNO_INVAL;
        deadlines[i] = copy.getUint8(at + 8) === w.EVENT_CLOCK ? deadline(copy, at) : Number.POSITIVE_INFINITY;
      }
      const word = calls.event_word() >>> 2;
      for (;;) {
        context.kernel.reach((word + 1) << 2);
        const seen = Atomics.load(context.kernel.u32, word);
        const found = collect(copy, deadlines, total, to);
        if (found.count > 0) {
          guest.view.setUint32(result >>> 0, found.count, true);
          return w.ERRNO_SUCCESS;
        }
        const failure = wait(found.untilMs, found.streams, seen);
        if (failure !== 0) return failure;
      }
    },
  };

  /** When a clock subscription is due, in milliseconds of the monotonic clock. NaN: no such clock. */
  function deadline(copy: DataView, at: number): number {
    const id = copy.getUint32(at + layout.clockId, true);
    if (id > w.CLOCK_THREAD_CPUTIME) return Number.NaN;
    const timeoutMs =
      (copy.getUint32(at + layout.timeout, true) + copy.getUint32(at + layout.timeout + 4, true) * 0x1_0000_0000) / 1e6;
    const now = context.clock.monotonicMs();
    const absolute = (copy.getUint16(at + layout.flags, true) & w.SUBCLOCK_ABSTIME) !== 0;
    return absolute ? now + timeoutMs - clockMs(context, id) : now + timeoutMs;
  }

  /** Writes the events of what is ready now. */
  function collect(copy: DataView, deadlines: Float64Array, total: number, to: number) {
    const now = context.clock.monotonicMs();
    let count = 0;
    let untilMs = Number.POSITIVE_INFINITY;
    let streams = false;
    for (let i = 0; i < total; i++) {
      const at = i * layout.bytes;
      const type = copy.getUint8(at + 8);
      let errno = w.ERRNO_SUCCESS;
      let bytes = 0;
      let flags = 0;
      if (type === w.EVENT_CLOCK) {
        const due = deadlines[i]!;
        if (due > now) {
          if (due < untilMs) untilMs = due;
          continue;
        }
        if (Number.isNaN(due)) errno = w.ERRNO_INVAL;
      } else {
        const ready = readiness(copy.getInt32(at + 16, true), type === w.EVENT_FD_READ ? POLLIN : POLLOUT);
        if (ready.pending) {
          streams ||= ready.stream;
          continue;
        }
        ({ errno, bytes } = ready);
        if (ready.hangup) flags = w.EVENTRW_HANGUP;
      }
      const event = to + count++ * w.EVENT_BYTES;
      const { view } = guest;
      view.setUint32(event, copy.getUint32(at, true), true);
      view.setUint32(event + 4, copy.getUint32(at + 4, true), true);
      view.setUint16(event + 8, errno, true);
      view.setUint16(event + 10, type, true);
      view.setUint32(event + 12, 0, true);
      view.setUint32(event + 16, bytes, true);
      view.setUint32(event + 20, 0, true);
      view.setUint32(event + 24, flags, true);
      view.setUint32(event + 28, 0, true);
    }
    return { count, untilMs, streams };
  }

  function readiness(fd: number, wanted: number) {
    const entry = context.entry(fd);
    if (entry < 0) return answer(w.ERRNO_BADF);
    const rights = context.kernel.u32[entry + (FD_RIGHTS >>> 2)]!;
    if ((rights & w.RIGHT_POLL_FD_READWRITE) === 0) return answer(w.ERRNO_NOTCAPABLE);
    const ready = calls.poll_query(context.task, fd, wanted);
    if (ready === -EHOSTIO) {
      const stream = context.streams[context.fileField(entry, FILE_HANDLE)];
      const has = stream?.poll === undefined ? wanted : stream.poll(wanted);
      if ((has & (wanted | POLLERR | POLLHUP)) === 0)
        return { pending: true, stream: stream?.wakes !== true, ...NOTHING };
      const bytes = wanted === POLLIN ? (stream?.available?.() ?? 1) : 1;
      return { ...answer(w.ERRNO_SUCCESS), bytes, hangup: (has & POLLHUP) !== 0 };
    }
    if (ready < 0) return answer(toErrno(ready));
    if ((ready & POLLNVAL) !== 0) return answer(w.ERRNO_BADF);
    if ((ready & (wanted | POLLERR | POLLHUP)) === 0) return { pending: true, stream: false, ...NOTHING };
    context.kernel.reach(context.task + TASK_R0 + 4);
    const bytes = context.kernel.u32[(context.task + TASK_R0) >>> 2]!;
    return { ...answer(w.ERRNO_SUCCESS), bytes, hangup: (ready & POLLHUP) !== 0 };
  }

  /** Waits for the deadline or a change. Returns 0 to look again, or a WASI errno. */
  function wait(untilMs: number, streams: boolean, seen: number): number {
    const left = Math.max(0, untilMs - context.clock.monotonicMs());
    const span = Math.min(left, streams ? STREAM_INTERVAL_MS : MAX_WAIT_MS);
    const woken = calls.event_wait(context.task, seen, span);
    // Memory that is not shared cannot be waited on; nobody else could change it either.
    if (woken === -EAGAIN) context.sleep(span);
    return woken === -EINTR ? w.ERRNO_INTR : w.ERRNO_SUCCESS;
  }
}

const NOTHING = { errno: w.ERRNO_SUCCESS as number, bytes: 0, hangup: false };

function answer(errno: number) {
  return { pending: false, stream: false, errno, bytes: 0, hangup: false };
}
