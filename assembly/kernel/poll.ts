/**
 * Readiness and waiting. One event word for the whole kernel: whoever changes the readiness of anything bumps it. A
 * waiter notes the word, looks at what it cares about, and waits for the word to change; wake-ups may be for others.
 */
import {
  EAGAIN,
  EBADF,
  EHOSTIO,
  EINTR,
  ETIMEDOUT,
  FILE_HANDLE,
  FILE_HOST,
  FILE_INODE,
  FILE_KIND,
  FILE_OFFSET,
  FILE_PIPE_READ,
  FILE_PIPE_WRITE,
  FILE_REGULAR,
  FILE_STATUS,
  O_ACCMODE,
  O_RDONLY,
  O_WRONLY,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  PROCESS_SIGNALS,
  TASK_R0,
  TASK_R1,
} from '../../src/core/abi/kernel';
import { fdFile } from './fd';
import { I_SIZE } from './inode';
import { pipePoll } from './pipe';
import { processOf } from './process';
import { canWait, enter, leave, S_EVENT, superblock } from './superblock';

export function pollQuery(t: usize, fd: i32, events: u32): i32 {
  const file = fdFile(t, fd);
  if (file == 0) return -EBADF;
  const kind = load<u32>(file, FILE_KIND);
  store<u32>(t, 0, TASK_R0);
  store<u32>(t, 0, TASK_R1);
  if (kind == FILE_HOST) {
    store<u32>(t, load<u32>(file, FILE_HANDLE), TASK_R0);
    return -EHOSTIO;
  }
  const wanted = events | POLLERR | POLLHUP;
  if (kind == FILE_PIPE_READ || kind == FILE_PIPE_WRITE) {
    store<u32>(t, superblock() + S_EVENT, TASK_R1);
    return pipePoll(t, file) & wanted;
  }
  if (kind == FILE_REGULAR) {
    const size = load<u64>(load<u32>(file, FILE_INODE), I_SIZE);
    const at = load<u64>(file, FILE_OFFSET);
    store<u32>(t, size > at ? <u32>min<u64>(size - at, 0xffffffff) : 0, TASK_R0);
  }
  const access = load<u32>(file, FILE_STATUS) & O_ACCMODE;
  let ready: u32 = 0;
  if (access != O_WRONLY) ready |= POLLIN;
  if (access != O_RDONLY) ready |= POLLOUT;
  return ready & wanted;
}

function signalPending(t: usize): bool {
  return atomic.load<u32>(processOf(t) + PROCESS_SIGNALS) != 0;
}

/**
 * For a call that found nothing to do yet: gives the lock back, waits for any event, takes the lock again. 0, -EINTR
 * when a signal is pending, -EAGAIN when this thread may not wait.
 */
export function waitForEvent(t: usize, timeoutNs: i64): i32 {
  if (signalPending(t)) return -EINTR;
  if (!canWait()) return -EAGAIN;
  const word = superblock() + S_EVENT;
  const seen = load<i32>(word);
  leave();
  const result = atomic.wait<i32>(word, seen, timeoutNs);
  enter();
  if (signalPending(t)) return -EINTR;
  return result == 2 ? -ETIMEDOUT : 0;
}

/** Waits, without the lock, until the event word differs from `seen`. */
export function eventWait(t: usize, seen: i32, timeoutMs: f64): i32 {
  if (signalPending(t)) return -EINTR;
  if (!canWait()) return -EAGAIN;
  const timeout: i64 = timeoutMs < 0 ? -1 : <i64>(min(timeoutMs, 1e12) * 1e6);
  const result = atomic.wait<i32>(superblock() + S_EVENT, seen, timeout);
  if (signalPending(t)) return -EINTR;
  return result == 2 ? -ETIMEDOUT : 0;
}
