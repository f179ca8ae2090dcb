/** Exported calls on the writable layer: tracking, journal, replay, changes. Arguments: see index.ts. */
import { CONFIG_FLAGS, CONFIG_JOURNAL, EINVAL, JOURNAL_HEADER_BYTES, S_IFREG } from '../../src/core/abi/kernel';
import { xxh64Init, xxh64Update } from '../hash/xxh64';
import { done } from './call';
import { join } from './calls-path';
import { D_INODE, D_NEXT } from './dentry';
import { BASELINE, DIRTY, hasFlag, I_MOUNT, kindOf, setFlag, TOUCHED } from './inode';
import {
  enter,
  S_CHECKSUM,
  S_DENTRY_MASK,
  S_DENTRY_TABLE,
  S_GENERATION,
  S_JOURNAL_END,
  S_ROOT,
  S_TRACK,
  S_TRANSACTIONS,
  superblock,
} from './superblock';
import { upperApply } from './upper-apply';
import { upperChanges } from './upper-changes';
import { replayBuffer, replayFree, upperData, upperEnd } from './upper-fill';
import { numbersFree } from './upper-numbers';
import { frameChecksum } from './upper-sink';
import { upperSnapshot, upperSync } from './upper-write';

export function upper_baseline(): i32 {
  enter();
  const s = superblock();
  const root: usize = load<u32>(s, S_ROOT);
  if (root == 0 || (load<u32>(s, CONFIG_FLAGS) & CONFIG_JOURNAL) == 0) return done(-EINVAL);
  replayFree();
  numbersFree();
  const mount = load<u32>(root, I_MOUNT);
  const table = load<u32>(s, S_DENTRY_TABLE);
  const mask = load<u32>(s, S_DENTRY_MASK);
  for (let bucket: u32 = 0; bucket <= mask; bucket++) {
    let dentry: usize = load<u32>(table + (bucket << 2));
    for (; dentry != 0; dentry = load<u32>(dentry, D_NEXT)) {
      const inode: usize = load<u32>(dentry, D_INODE);
      if (inode == 0 || load<u32>(inode, I_MOUNT) != mount || kindOf(inode) != S_IFREG) continue;
      if (hasFlag(inode, DIRTY) && !hasFlag(inode, TOUCHED)) setFlag(inode, BASELINE);
    }
  }
  store<u32>(s, mount, S_TRACK);
  return done(0);
}

export function upper_journal(generation: u32, endLo: u32, endHi: u32, transactions: u32): i32 {
  enter();
  const s = superblock();
  const end = join(endLo, endHi);
  if (end < <u64>JOURNAL_HEADER_BYTES) return done(-EINVAL);
  store<u32>(s, generation, S_GENERATION);
  store<u64>(s, end, S_JOURNAL_END);
  store<u32>(s, transactions, S_TRANSACTIONS);
  return done(0);
}

export function upper_sync(t: usize): i32 {
  enter();
  return done(upperSync(t));
}

export function upper_snapshot(t: usize, generation: u32): i32 {
  enter();
  return done(upperSnapshot(t, generation));
}

export function upper_buffer(length: u32): usize {
  enter();
  return done(<i32>replayBuffer(length));
}

/** The checksum so far of what was given since `first`, or, with `frame`, the whole transaction's. */
export function upper_checksum(first: u32, pointer: usize, length: u32, frame: u32): u32 {
  const checksum = superblock() + S_CHECKSUM;
  if (first != 0) xxh64Init(checksum);
  if (frame != 0) return frameChecksum(pointer);
  xxh64Update(checksum, pointer, length);
  return 0;
}

export function upper_apply(length: u32): i32 {
  enter();
  return done(upperApply(length));
}

export function upper_data(t: usize, length: u32): i32 {
  enter();
  return done(upperData(t, length));
}

export function upper_end(): i32 {
  enter();
  return done(upperEnd());
}

export function upper_changes(t: usize, bucket: u32, skip: u32): i32 {
  enter();
  return done(upperChanges(t, bucket, skip));
}
