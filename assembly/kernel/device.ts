/**
 * Character devices the kernel itself makes in /dev. Device nodes of an image are stored and shown but reach nothing.
 * Numbers are Linux's; /dev/stdin and its like are a private major and open as a copy of fd 0, 1, 2.
 */
import {
  ENOSPC,
  FILE_INODE,
  S_IFCHR,
  SEGMENT_DISCARD,
  SEGMENT_MEMORY,
  SEGMENT_ZERO,
  TASK_IO,
} from '../../src/core/abi/kernel';
import { nameHash } from './dentry';
import { random } from './host';
import { I_RDEV, inodeCreate, LIVE_DEVICE, setFlag } from './inode';
import { nameAdd } from './overlay';
import { emit } from './segment';

const MEM: u32 = 1 << 20;
const TTY: u32 = 5 << 20;
const STDIO: u32 = 240 << 20;
const NULL: u32 = MEM | 3;
const ZERO: u32 = MEM | 5;
const FULL: u32 = MEM | 7;
const RANDOM: u32 = MEM | 8;
const URANDOM: u32 = MEM | 9;

const RANDOM_MAX: u32 = 4096;

/** rdev, name length, name (zero-padded to 8). */
// biome-ignore format: a table
const NODES = memory.data<u8>([
  3, 0, 16, 0, 4, 0x6e, 0x75, 0x6c, 0x6c, 0, 0, 0, 0, // null
  5, 0, 16, 0, 4, 0x7a, 0x65, 0x72, 0x6f, 0, 0, 0, 0, // zero
  7, 0, 16, 0, 4, 0x66, 0x75, 0x6c, 0x6c, 0, 0, 0, 0, // full
  8, 0, 16, 0, 6, 0x72, 0x61, 0x6e, 0x64, 0x6f, 0x6d, 0, 0, // random
  9, 0, 16, 0, 7, 0x75, 0x72, 0x61, 0x6e, 0x64, 0x6f, 0x6d, 0, // urandom
  0, 0, 80, 0, 3, 0x74, 0x74, 0x79, 0, 0, 0, 0, 0, // tty
  1, 0, 80, 0, 7, 0x63, 0x6f, 0x6e, 0x73, 0x6f, 0x6c, 0x65, 0, // console
  0, 0, 0, 15, 5, 0x73, 0x74, 0x64, 0x69, 0x6e, 0, 0, 0, // stdin
  1, 0, 0, 15, 6, 0x73, 0x74, 0x64, 0x6f, 0x75, 0x74, 0, 0, // stdout
  2, 0, 0, 15, 6, 0x73, 0x74, 0x64, 0x65, 0x72, 0x72, 0, 0, // stderr
]);
const NODE_BYTES: u32 = 13;
const NODE_COUNT: u32 = 10;

/** Fills an empty /dev. False: memory or a quota is out. */
export function devicesCreate(dir: usize, mount: usize): bool {
  for (let i: u32 = 0; i < NODE_COUNT; i++) {
    const at = NODES + i * NODE_BYTES;
    const inode = inodeCreate(mount, S_IFCHR | 0o666, 0, 0);
    if (inode == 0) return false;
    setFlag(inode, LIVE_DEVICE);
    store<u32>(inode, load<u32>(at), I_RDEV);
    const length: u32 = load<u8>(at, 4);
    if (nameAdd(dir, at + 5, length, nameHash(dir, at + 5, length), 0, inode) < 0) return false;
  }
  return true;
}

/** The fd /dev/stdin, stdout, stderr stand for, or -1. */
export function deviceStdio(inode: usize): i32 {
  const rdev = load<u32>(inode, I_RDEV);
  return (rdev & 0xfff00000) == STDIO ? <i32>(rdev & 0xff) : -1;
}

/** /dev/tty and /dev/console: a host stream. */
export function deviceIsTerminal(inode: usize): bool {
  return (load<u32>(inode, I_RDEV) & 0xfff00000) == TTY;
}

export function deviceRead(t: usize, file: usize, length: u32): i32 {
  const rdev = load<u32>(load<u32>(file, FILE_INODE), I_RDEV);
  if (rdev == NULL || length == 0) return 0;
  if (rdev == RANDOM || rdev == URANDOM) {
    const count = min(length, RANDOM_MAX);
    random(t + TASK_IO, count);
    emit(t, SEGMENT_MEMORY, t + TASK_IO, count, 0);
    return count;
  }
  emit(t, SEGMENT_ZERO, 0, length, 0);
  return length;
}

export function deviceWrite(t: usize, file: usize, length: u32): i32 {
  if (load<u32>(load<u32>(file, FILE_INODE), I_RDEV) == FULL && length != 0) return -ENOSPC;
  if (length != 0) emit(t, SEGMENT_DISCARD, 0, length, 0);
  return length;
}
