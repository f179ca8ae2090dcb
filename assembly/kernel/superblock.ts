/**
 * The superblock: all mutable state of the kernel hangs on it. It lies at the first aligned byte behind the module's
 * constants, so every instance over one memory finds it without a word being passed.
 *
 * ```
 *    0 config (CONFIG_BYTES)
 *   64 u32 lock    68 u32 event word    72 u32 event waiters    76 u32 booted
 *   80 u32 shared  84 u32 permissions   88 u32 root inode       92 u32 mounts (list)
 *   96 u32 next mount id  100 u32 processes (list)  104 u32 next pid  108 u32 process count
 *  112 u32 rootfs bytes at  116 u32 space kept  120 u32 rootfs length in use  124 u32 inode of node[] table
 *  128 lower image's sections, see lower.ts (64 bytes)
 *  192 u64 next inode number
 *  200 u32 inodes  204 u32 names (upper dentries)  208 u32 open files  212 u32 pipes  216 u32 cached lower names
 *  220 u32 oldest cached  224 u32 newest cached  228 u32 dentry table  232 u32 dentry table mask  236 u32 dentries
 *  240 u32 hostfs inodes to look at when the call ends   244 u32 hostfs inode table  248 u32 quiet (no EROFS, booting)
 *  256 quotas: 256 inodes 260 names 264 files 268 nofile 272 pids 276 cached names 280 pipes 284 pids of programs (0: 272's)
 *  288 arena + slab state
 *  800 writable layer: 800 mount whose changes are tracked (0: none)  804 changed inodes (list)  808 changed names (list)
 *      812 names gone since the last sync (list)  816 a change could not be noted  820 journal's generation
 *      824 u64 journal's end  832 transactions in it  836 replay buffer  840 its metadata space  844 metadata in it
 *      848 record it is at  852 inode it is at  856 data left of its record  860 u64 where in the file
 *      868 inodes by number: table 872 mask 876 count  880 replayed inodes that lost a name (list)
 *      884 its INODE record
 *      888 checksum state (XXH64_BYTES)
 * ```
 */
import {
  CONFIG_BYTE_QUOTA,
  CONFIG_CACHE_ENTRIES,
  CONFIG_DENTRY_QUOTA,
  CONFIG_FILE_QUOTA,
  CONFIG_FLAGS,
  CONFIG_INODE_QUOTA,
  CONFIG_MAX_PAGES,
  CONFIG_NOFILE,
  CONFIG_PERMISSIONS,
  CONFIG_PID_QUOTA,
  CONFIG_PIPE_QUOTA,
  CONFIG_ROOTFS_BYTES,
  CONFIG_SHARED,
} from '../../src/core/abi/kernel';
import { ARENA_BYTES, arenaBase, arenaBitmapBytes, arenaEnd, arenaInit, PAGE } from '../memory/arena';
import { lock, unlock } from '../memory/lock';
import { SLAB_BYTES, slabAlloc, slabFree } from '../memory/slab';

export const S_LOCK: usize = 64;
export const S_EVENT: usize = 68;
export const S_EVENT_WAITERS: usize = 72;
export const S_BOOTED: usize = 76;
export const S_SHARED: usize = 80;
export const S_PERMISSIONS: usize = 84;
export const S_ROOT: usize = 88;
export const S_MOUNTS: usize = 92;
export const S_NEXT_MOUNT: usize = 96;
export const S_PROCESSES: usize = 100;
export const S_NEXT_PID: usize = 104;
export const S_PROCESS_COUNT: usize = 108;
export const S_ROOTFS: usize = 112;
export const S_ROOTFS_SPACE: usize = 116;
export const S_ROOTFS_LENGTH: usize = 120;
export const S_NODE_INODES: usize = 124;
export const S_LOWER: usize = 128;
export const S_NEXT_INO: usize = 192;
export const S_INODES: usize = 200;
export const S_NAMES: usize = 204;
export const S_FILES: usize = 208;
export const S_PIPES: usize = 212;
export const S_CACHED: usize = 216;
export const S_CACHE_OLDEST: usize = 220;
export const S_CACHE_NEWEST: usize = 224;
export const S_DENTRY_TABLE: usize = 228;
export const S_DENTRY_MASK: usize = 232;
export const S_DENTRIES: usize = 236;
export const S_HOST_GARBAGE: usize = 240;
export const S_HOST_TABLE: usize = 244;
export const S_MAX_INODES: usize = 256;
export const S_MAX_NAMES: usize = 260;
export const S_MAX_FILES: usize = 264;
export const S_NOFILE: usize = 268;
export const S_MAX_PIDS: usize = 272;
export const S_MAX_CACHED: usize = 276;
export const S_MAX_PIPES: usize = 280;
export const S_PROGRAMS: usize = 284;
export const S_ARENA: usize = 288;
export const S_TRACK: usize = 800;
export const S_CHANGED: usize = 804;
export const S_CHANGED_NAMES: usize = 808;
export const S_GONE_NAMES: usize = 812;
export const S_MISSED: usize = 816;
export const S_GENERATION: usize = 820;
export const S_JOURNAL_END: usize = 824;
export const S_TRANSACTIONS: usize = 832;
export const S_REPLAY: usize = 836;
export const S_REPLAY_SPACE: usize = 840;
export const S_REPLAY_LENGTH: usize = 844;
export const S_REPLAY_AT: usize = 848;
export const S_REPLAY_INODE: usize = 852;
export const S_REPLAY_LEFT: usize = 856;
export const S_REPLAY_OFFSET: usize = 860;
export const S_NUMBERS: usize = 868;
export const S_NUMBERS_MASK: usize = 872;
export const S_NUMBERS_COUNT: usize = 876;
export const S_DROPPED: usize = 880;
export const S_REPLAY_RECORD: usize = 884;
export const S_CHECKSUM: usize = 888;
const S_BYTES: usize = 288 + ARENA_BYTES + SLAB_BYTES + 192;

/** As Linux' fs.nr_open: an fd table stays far from what an address can hold. */
const NOFILE_MAX: u32 = 1 << 20;
const BOOTED: u32 = 0x4c4e524b;

/** Whether this instance's thread may wait; a property of the thread, not of the container. */
let mayBlock = true;
/** How often this thread froze the kernel: it holds the lock already, and its own calls go on. */
let frozen: u32 = 0;

export function superblock(): usize {
  return (__heap_base + 63) & ~63;
}

export function arena(): usize {
  return superblock() + S_ARENA;
}

export function setMayBlock(value: bool): void {
  mayBlock = value;
}

export function isShared(): bool {
  return load<u32>(superblock(), S_SHARED) != 0;
}

/** A blocking call may really wait here. */
export function canWait(): bool {
  return mayBlock && frozen == 0 && isShared();
}

/** Takes the kernel's lock. Every exported call is between enter and leave. */
export function enter(): void {
  if (load<u32>(superblock(), S_SHARED) != 0 && frozen == 0) lock(superblock() + S_LOCK, mayBlock);
}

export function leave(): void {
  if (load<u32>(superblock(), S_SHARED) != 0 && frozen == 0) unlock(superblock() + S_LOCK);
}

export function freeze(): void {
  enter();
  frozen++;
}

export function thaw(): void {
  frozen--;
  leave();
}

/** Something became ready: wakes pollers and signal waiters. Called with the lock held. */
export function signalEvent(): void {
  const s = superblock();
  if (load<u32>(s, S_SHARED) != 0) {
    atomic.add<u32>(s + S_EVENT, 1);
    atomic.notify(s + S_EVENT, -1);
  } else {
    store<u32>(s, load<u32>(s, S_EVENT) + 1, S_EVENT);
  }
}

export function kmalloc(size: u32): usize {
  return slabAlloc(arena(), size);
}

export function kfree(at: usize, size: u32): void {
  slabFree(arena(), at, size);
}

function orDefault(value: u32, fallback: u32): u32 {
  return value == 0 ? fallback : value;
}

/** Lays out memory behind the superblock: index space, page bitmap, arena. False: the maximum is too small. */
export function superblockInit(): bool {
  const s = superblock();
  if (load<u32>(s, S_BOOTED) == BOOTED) wipe();
  const flags = load<u32>(s, CONFIG_FLAGS);
  const pages = min<u32>(orDefault(load<u32>(s, CONFIG_MAX_PAGES), 65536), 65536);
  // The last page stays out: no address may wrap, and wide loads may look 16 bytes ahead.
  const limit = <usize>(((<u64>pages) << 16) - 4096);
  const space = (load<u32>(s, CONFIG_ROOTFS_BYTES) + 15) & ~15;
  const index = (s + S_BYTES + 63) & ~63;
  const bitmap = index + space;
  const base64 = (<u64>index + space + arenaBitmapBytes(limit) + PAGE - 1) & ~(<u64>PAGE - 1);
  if (base64 + 16 * PAGE > <u64>limit) return false;
  const base = <usize>base64;
  const have = (<u64>memory.size()) << 16;
  if (<u64>base > have && memory.grow(<i32>((<u64>base - have + 0xffff) >> 16)) < 0) return false;
  store<u32>(s, (flags & CONFIG_SHARED) != 0 ? 1 : 0, S_SHARED);
  store<u32>(s, (flags & CONFIG_PERMISSIONS) != 0 ? 1 : 0, S_PERMISSIONS);
  store<u32>(s, index, S_ROOTFS);
  store<u32>(s, space, S_ROOTFS_SPACE);
  store<u64>(s, 1 << 32, S_NEXT_INO);
  store<u32>(s, 1, S_NEXT_PID);
  store<u32>(s, 1, S_NEXT_MOUNT);
  store<u32>(s, orDefault(load<u32>(s, CONFIG_INODE_QUOTA), 1 << 20), S_MAX_INODES);
  store<u32>(s, orDefault(load<u32>(s, CONFIG_DENTRY_QUOTA), 1 << 21), S_MAX_NAMES);
  store<u32>(s, orDefault(load<u32>(s, CONFIG_FILE_QUOTA), 1 << 16), S_MAX_FILES);
  store<u32>(s, min<u32>(orDefault(load<u32>(s, CONFIG_NOFILE), 1024), NOFILE_MAX), S_NOFILE);
  store<u32>(s, orDefault(load<u32>(s, CONFIG_PID_QUOTA), 1024), S_MAX_PIDS);
  store<u32>(s, orDefault(load<u32>(s, CONFIG_CACHE_ENTRIES), 1 << 16), S_MAX_CACHED);
  store<u32>(s, orDefault(load<u32>(s, CONFIG_PIPE_QUOTA), 1024), S_MAX_PIPES);
  arenaInit(arena(), base, limit, bitmap);
  store<u32>(s, BOOTED, S_BOOTED);
  return true;
}

/** Writable layer's byte quota; 0 in the config means no limit but the memory. */
export function byteQuota(): u64 {
  const quota = load<f64>(superblock(), CONFIG_BYTE_QUOTA);
  return quota > 0 ? <u64>quota : ~(<u64>0);
}

/** Zeroes what a container used: superblock (config kept), bitmap, and the arena as far as it was handed out. */
function wipe(): void {
  const s = superblock();
  const base = arenaBase(arena());
  const end = arenaEnd(arena());
  // Only the bitmap's words for pages below `end` were ever touched.
  memory.fill(load<u32>(s, S_ROOTFS) + load<u32>(s, S_ROOTFS_SPACE), 0, arenaBitmapBytes(end));
  memory.fill(base, 0, end - base);
  memory.fill(s + S_LOCK, 0, S_BYTES - S_LOCK);
}
