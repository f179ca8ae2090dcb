/** Replay: attributes and contents, after the names are in place. Data comes in pieces, in the order of its records. */
import {
  EINVAL,
  EIO,
  ENOMEM,
  ENOSPC,
  RECORD_DATA,
  RECORD_END,
  RECORD_INODE,
  RECORD_INODE_BYTES,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  SEGMENT_BYTES,
  SEGMENT_LENGTH,
  SEGMENT_VALUE,
  TASK_SEGMENT_COUNT,
  TASK_SEGMENTS,
  UPPER_PIECE_BYTES,
} from '../../src/core/abi/kernel';
import { dataTruncate, dataWrite } from './data';
import {
  FROM_LOWER,
  hasFlag,
  I_ATIME,
  I_CTIME,
  I_GID,
  I_LOWER_BYTES,
  I_MODE,
  I_MTIME,
  I_NLINK,
  I_SIZE,
  I_TARGET,
  I_UID,
  kindOf,
} from './inode';
import {
  kfree,
  kmalloc,
  S_NEXT_INO,
  S_REPLAY,
  S_REPLAY_AT,
  S_REPLAY_INODE,
  S_REPLAY_LEFT,
  S_REPLAY_OFFSET,
  S_REPLAY_RECORD,
  S_REPLAY_SPACE,
  superblock,
} from './superblock';
import { recordBytes } from './upper-apply';
import { inodeByNumber } from './upper-numbers';

/** Room for `length` bytes of metadata and one piece of data behind it; frees what was given before. 0: no memory. */
export function replayBuffer(length: u32): usize {
  const s = superblock();
  replayFree();
  if (length > 0x7fffffff) return 0;
  const space = (length + 15) & ~15;
  const at = kmalloc(space + UPPER_PIECE_BYTES);
  if (at == 0) return 0;
  store<u32>(s, at, S_REPLAY);
  store<u32>(s, space, S_REPLAY_SPACE);
  store<u32>(s, 0, S_REPLAY_AT);
  return at;
}

export function replayFree(): void {
  const s = superblock();
  if (load<u32>(s, S_REPLAY) == 0) return;
  kfree(load<u32>(s, S_REPLAY), load<u32>(s, S_REPLAY_SPACE) + UPPER_PIECE_BYTES);
  store<u32>(s, 0, S_REPLAY);
  store<u32>(s, 0, S_REPLAY_AT);
}

export function fillBegin(): i32 {
  const s = superblock();
  store<u32>(s, load<u32>(s, S_REPLAY), S_REPLAY_AT);
  store<u32>(s, 0, S_REPLAY_INODE);
  store<u32>(s, 0, S_REPLAY_LEFT);
  return advance();
}

/** Works on until data is wanted or the transaction is through. S_REPLAY_AT stands on the record that wants it. */
function advance(): i32 {
  const s = superblock();
  while (true) {
    const at: usize = load<u32>(s, S_REPLAY_AT);
    const type = load<u16>(at);
    if (type == RECORD_DATA) {
      store<u32>(s, load<u32>(at, 4), S_REPLAY_LEFT);
      store<u64>(s, load<u64>(at, 8), S_REPLAY_OFFSET);
      return 0;
    }
    let result = 0;
    if (type == RECORD_INODE || type == RECORD_END) result = finishInode();
    if (result == 0 && type == RECORD_INODE) result = beginInode(at);
    if (result < 0) return result;
    if (type == RECORD_END) {
      store<u64>(s, max<u64>(load<u64>(s, S_NEXT_INO), load<u64>(at, 8)), S_NEXT_INO);
      return 0;
    }
    store<u32>(s, <u32>at + recordBytes(at), S_REPLAY_AT);
  }
}

/** The next `length` bytes of data lie in the buffer behind the metadata. 0 or -errno. */
export function upperData(t: usize, length: u32): i32 {
  const s = superblock();
  if (load<u32>(s, S_REPLAY_AT) == 0 || length > <u32>UPPER_PIECE_BYTES) return -EINVAL;
  let from = load<u32>(s, S_REPLAY) + load<u32>(s, S_REPLAY_SPACE);
  let left = length;
  while (left != 0) {
    const at: usize = load<u32>(s, S_REPLAY_AT);
    const wanted = load<u32>(s, S_REPLAY_LEFT);
    if (load<u16>(at) != RECORD_DATA || wanted == 0) return -EIO;
    store<u32>(t, 0, TASK_SEGMENT_COUNT);
    const offset = load<u64>(s, S_REPLAY_OFFSET);
    const written = dataWrite(t, load<u32>(s, S_REPLAY_INODE), offset, min(left, wanted));
    if (written <= 0) return written == 0 ? -ENOSPC : written;
    copyIn(t, from);
    from += written;
    left -= written;
    store<u32>(s, wanted - written, S_REPLAY_LEFT);
    store<u64>(s, offset + written, S_REPLAY_OFFSET);
    if (wanted != <u32>written) continue;
    store<u32>(s, <u32>at + recordBytes(at), S_REPLAY_AT);
    const result = advance();
    if (result < 0) return result;
  }
  return 0;
}

/** Fills the segments just granted. */
function copyIn(t: usize, from: usize): void {
  const count = load<u32>(t, TASK_SEGMENT_COUNT);
  let at = from;
  for (let i: u32 = 0; i < count; i++) {
    const segment = t + TASK_SEGMENTS + i * SEGMENT_BYTES;
    const length = load<u32>(segment, SEGMENT_LENGTH);
    memory.copy(load<u32>(segment, SEGMENT_VALUE), at, length);
    at += length;
  }
}

/** Was all of the transaction used? 0 or -EIO; gives the buffer back. */
export function upperEnd(): i32 {
  const at: usize = load<u32>(superblock(), S_REPLAY_AT);
  const whole = at != 0 && load<u16>(at) == RECORD_END;
  replayFree();
  return whole ? 0 : -EIO;
}

function beginInode(at: usize): i32 {
  const s = superblock();
  const inode = inodeByNumber(load<u64>(at, 8));
  if (inode == 0 || kindOf(inode) != (load<u32>(at, 4) & S_IFMT)) return -EIO;
  store<u32>(s, inode, S_REPLAY_INODE);
  store<u32>(s, <u32>at, S_REPLAY_RECORD);
  const kind = kindOf(inode);
  if (kind == S_IFREG) {
    const cut = load<u64>(at, 72);
    if (cut < load<u64>(inode, I_SIZE)) {
      const result = dataTruncate(inode, cut);
      if (result < 0) return result;
    }
    store<u64>(inode, min<u64>(load<u64>(inode, I_LOWER_BYTES), load<u64>(at, 64)), I_LOWER_BYTES);
  } else if (kind == S_IFLNK && !hasFlag(inode, FROM_LOWER) && load<u32>(inode, I_TARGET) == 0) {
    const length = load<u32>(at, 88);
    const target = kmalloc(length);
    if (target == 0) return -ENOMEM;
    memory.copy(target, at + RECORD_INODE_BYTES + load<u16>(at, 2), length);
    store<u32>(inode, target, I_TARGET);
    store<u64>(inode, length, I_SIZE);
  }
  return 0;
}

/** The attributes last: writing changes them. */
function finishInode(): i32 {
  const s = superblock();
  const inode: usize = load<u32>(s, S_REPLAY_INODE);
  if (inode == 0) return 0;
  store<u32>(s, 0, S_REPLAY_INODE);
  const at: usize = load<u32>(s, S_REPLAY_RECORD);
  if (kindOf(inode) == S_IFREG) {
    const result = dataTruncate(inode, load<u64>(at, 32));
    if (result < 0) return result;
  }
  store<u32>(inode, kindOf(inode) | (load<u32>(at, 4) & 0o7777), I_MODE);
  store<u32>(inode, load<u32>(at, 16), I_NLINK);
  store<u32>(inode, load<u32>(at, 20), I_UID);
  store<u32>(inode, load<u32>(at, 24), I_GID);
  store<i64>(inode, load<i64>(at, 40), I_ATIME);
  store<i64>(inode, load<i64>(at, 48), I_MTIME);
  store<i64>(inode, load<i64>(at, 56), I_CTIME);
  return 0;
}
