/** Time and randomness. */
import { RESULT } from './memory';
import { clock_time_get, poll_oneoff, random_get } from './wasi_snapshot_preview1';

const SUBSCRIPTION: usize = memory.data(96, 16);

/** Nanoseconds since the epoch. */
export function realTime(): i64 {
  return clock_time_get(0, 1, RESULT) == 0 ? load<i64>(RESULT) : 0;
}

/** Nanoseconds from some start, never backwards. */
export function monotonicTime(): i64 {
  return clock_time_get(1, 1, RESULT) == 0 ? load<i64>(RESULT) : 0;
}

/** Nanoseconds this process has computed. */
export function processTime(): i64 {
  return clock_time_get(2, 1, RESULT) == 0 ? load<i64>(RESULT) : 0;
}

/** Waits so long; 0 or a negative errno. */
export function sleep(nanoseconds: i64): i32 {
  // subscription: u64 userdata, u8 tag (0 clock) at 8, u32 clock at 16, u64 timeout at 24, u64 precision, u16 flags
  memory.fill(SUBSCRIPTION, 0, 48);
  store<u32>(SUBSCRIPTION, 1, 16);
  store<i64>(SUBSCRIPTION, nanoseconds, 24);
  return -poll_oneoff(SUBSCRIPTION, SUBSCRIPTION + 48, 1, RESULT);
}

export function fillRandom(at: usize, length: i32): i32 {
  return -random_get(at, length);
}
