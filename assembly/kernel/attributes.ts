/** What stat shows and chmod, chown, utimens change; by path or by fd. */
import {
  ATTR_ATIME,
  ATTR_GID,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_UID,
  EACCES,
  EINVAL,
  EISDIR,
  ENOENT,
  EOPNOTSUPP,
  EPERM,
  FILE_TYPE,
  S_IFCHR,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
  SET_ATIME,
  SET_MODE,
  SET_MTIME,
  SET_OWNER,
  STAT_ATIME,
  STAT_BLKSIZE,
  STAT_BLOCKS,
  STAT_CTIME,
  STAT_DEV,
  STAT_FLAGS,
  STAT_GID,
  STAT_INO,
  STAT_MODE,
  STAT_MOUNT,
  STAT_MTIME,
  STAT_NLINK,
  STAT_ON_HOST,
  STAT_RDEV,
  STAT_SIZE,
  STAT_UID,
  TASK_IO,
  TASK_PATH_A,
  TASK_STAT,
  TASK_WALK_A,
  TIME_ATIME,
  TIME_ATIME_NOW,
  TIME_MTIME,
  TIME_MTIME_NOW,
  WALK_EMPTY_PATH,
  WALK_NOFOLLOW,
} from '../../src/core/abi/kernel';
import { arenaFreePages, PAGE } from '../memory/arena';
import { fdFile, fdInode } from './fd';
import { hostfs_setattr, hostfs_statfs } from './host';
import { hostAttr, hostMount, hostNode, hostRefresh } from './hostfs';
import {
  hasFlag,
  I_ATIME,
  I_CTIME,
  I_GID,
  I_HELD,
  I_LOWER_BYTES,
  I_MODE,
  I_MOUNT,
  I_MTIME,
  I_NLINK,
  I_NUMBER,
  I_RDEV,
  I_SIZE,
  I_UID,
  inodeDirty,
  isDirectory,
  isLink,
  kindOf,
  MOUNT_ROOT,
  nowNs,
  ON_HOST,
  touchChange,
} from './inode';
import { truncateInode } from './io';
import { checkWritable, M_FLAGS, M_ID, M_LIMIT, M_USED } from './mount';
import { FOLLOW, KEEP, LAST_NAME, walk, walkInode, walkLast } from './path';
import { inGroup, isOwner, mayAccess, owns, P_UID, processOf } from './process';
import { arena, S_INODES, S_MAX_INODES, superblock } from './superblock';

const TMPFS_MAGIC: u32 = 0x01021994;
const DIRECTORY_SIZE: u64 = 4096;

/** The inode a path call means, or -errno as an address. */
export function resolve(t: usize, dirfd: i32, length: u32, flags: u32): usize {
  if (length == 0 && (flags & WALK_EMPTY_PATH) != 0) {
    const own = fdInode(t, dirfd);
    return own == 0 ? <usize>-EINVAL : own;
  }
  const follow = (flags & WALK_NOFOLLOW) != 0 ? KEEP : FOLLOW;
  const failure = walk(t, dirfd, t + TASK_PATH_A, length, flags, follow, t + TASK_WALK_A);
  if (failure < 0) return <usize>failure;
  return walkInode == 0 ? <usize>-ENOENT : walkInode;
}

/** Fills TASK_STAT. 0 or -errno (hostfs asks the host). */
export function statInode(t: usize, inode: usize, fresh: bool): i32 {
  if (hasFlag(inode, ON_HOST) && !fresh) {
    const failure = hostRefresh(inode);
    if (failure < 0) return failure;
  }
  const mount = load<u32>(inode, I_MOUNT);
  const kind = kindOf(inode);
  const size = kind == S_IFDIR ? DIRECTORY_SIZE : load<u64>(inode, I_SIZE);
  const id = load<u32>(mount, M_ID);
  store<u64>(t, id, TASK_STAT + STAT_DEV);
  store<u64>(t, load<u64>(inode, I_NUMBER), TASK_STAT + STAT_INO);
  store<u32>(t, load<u32>(inode, I_MODE), TASK_STAT + STAT_MODE);
  store<u32>(t, load<u32>(inode, I_NLINK), TASK_STAT + STAT_NLINK);
  store<u32>(t, load<u32>(inode, I_UID), TASK_STAT + STAT_UID);
  store<u32>(t, load<u32>(inode, I_GID), TASK_STAT + STAT_GID);
  store<u32>(t, load<u32>(inode, I_RDEV), TASK_STAT + STAT_RDEV);
  store<u32>(t, <u32>PAGE, TASK_STAT + STAT_BLKSIZE);
  store<u64>(t, size, TASK_STAT + STAT_SIZE);
  let held: u64 = size;
  if (kind == S_IFREG && !hasFlag(inode, ON_HOST)) held = load<u64>(inode, I_HELD) + load<u64>(inode, I_LOWER_BYTES);
  store<u64>(t, (held + 511) >> 9, TASK_STAT + STAT_BLOCKS);
  store<i64>(t, load<i64>(inode, I_ATIME), TASK_STAT + STAT_ATIME);
  store<i64>(t, load<i64>(inode, I_MTIME), TASK_STAT + STAT_MTIME);
  store<i64>(t, load<i64>(inode, I_CTIME), TASK_STAT + STAT_CTIME);
  store<u32>(t, id, TASK_STAT + STAT_MOUNT);
  store<u32>(t, hasFlag(inode, ON_HOST) ? STAT_ON_HOST : 0, TASK_STAT + STAT_FLAGS);
  return 0;
}

export function statAt(t: usize, dirfd: i32, length: u32, flags: u32): i32 {
  const inode = resolve(t, dirfd, length, flags);
  if (inode > 0xfffff000) return <i32>inode;
  // A walk that looked the name up has just heard from the host; one that ended in "." or a mount's root has not.
  return statInode(t, inode, length != 0 && walkLast == LAST_NAME && !hasFlag(inode, MOUNT_ROOT));
}

export function statFd(t: usize, fd: i32): i32 {
  const inode = fdInode(t, fd);
  if (inode > 0xfffff000) return <i32>inode;
  if (inode != 0) return statInode(t, inode, false);
  // A host stream: its type is all there is.
  const file = fdFile(t, fd);
  memory.fill(t + TASK_STAT, 0, 96);
  store<u32>(t, load<u32>(file, FILE_TYPE) | 0o600, TASK_STAT + STAT_MODE);
  store<u32>(t, 1, TASK_STAT + STAT_NLINK);
  store<u32>(t, <u32>PAGE, TASK_STAT + STAT_BLKSIZE);
  return 0;
}

/** Gate of every attribute change: writable mount, owner, inode made the guest's own. */
function changeable(inode: usize, allowed: bool): i32 {
  const readonly = checkWritable(inode);
  if (readonly < 0) return readonly;
  if (!allowed) return -EPERM;
  return hasFlag(inode, ON_HOST) ? 0 : inodeDirty(inode);
}

export function chmodInode(t: usize, inode: usize, mode: u32): i32 {
  // A symbolic link's mode is 0777, always.
  if (isLink(inode)) return -EOPNOTSUPP;
  const process = processOf(t);
  const failure = changeable(inode, owns(process, inode));
  if (failure < 0) return failure;
  let bits = mode & 0o7777;
  if (load<u32>(process, P_UID) != 0 && !inGroup(process, load<u32>(inode, I_GID))) bits &= ~0o2000;
  if (hasFlag(inode, ON_HOST)) {
    const attr = hostAttr();
    store<u32>(attr, bits, ATTR_MODE);
    return hostfs_setattr(hostMount(inode), hostNode(inode), SET_MODE, attr);
  }
  store<u32>(inode, (load<u32>(inode, I_MODE) & S_IFMT) | bits, I_MODE);
  touchChange(inode);
  return 0;
}

export function chownInode(t: usize, inode: usize, uid: i32, gid: i32): i32 {
  const process = processOf(t);
  const root = load<u32>(process, P_UID) == 0;
  const keepsUid = uid == -1 || <u32>uid == load<u32>(inode, I_UID);
  const ownGroup = gid == -1 || (owns(process, inode) && inGroup(process, gid));
  const failure = changeable(inode, root || (keepsUid && ownGroup));
  if (failure < 0) return failure;
  const newUid: u32 = uid == -1 ? load<u32>(inode, I_UID) : <u32>uid;
  const newGid: u32 = gid == -1 ? load<u32>(inode, I_GID) : <u32>gid;
  if (hasFlag(inode, ON_HOST)) {
    const attr = hostAttr();
    store<u32>(attr, newUid, ATTR_UID);
    store<u32>(attr, newGid, ATTR_GID);
    return hostfs_setattr(hostMount(inode), hostNode(inode), SET_OWNER, attr);
  }
  store<u32>(inode, newUid, I_UID);
  store<u32>(inode, newGid, I_GID);
  // A change of hands drops the set-id bits of a program.
  const mode = load<u32>(inode, I_MODE);
  if (!isDirectory(inode)) store<u32>(inode, mode & ~(0o4000 | ((mode & 0o010) != 0 ? 0o2000 : 0)), I_MODE);
  touchChange(inode);
  return 0;
}

export function utimensInode(t: usize, inode: usize, which: u32, atime: i64, mtime: i64): i32 {
  if ((which & (TIME_ATIME | TIME_ATIME_NOW)) == (TIME_ATIME | TIME_ATIME_NOW)) return -EINVAL;
  if ((which & (TIME_MTIME | TIME_MTIME_NOW)) == (TIME_MTIME | TIME_MTIME_NOW)) return -EINVAL;
  const process = processOf(t);
  const onlyNow = (which & (TIME_ATIME | TIME_MTIME)) == 0;
  const failure = changeable(inode, isOwner(process, inode) || (onlyNow && mayAccess(process, inode, 2)));
  if (failure < 0) return failure;
  const time = nowNs();
  const newAtime = (which & TIME_ATIME_NOW) != 0 ? time : atime;
  const newMtime = (which & TIME_MTIME_NOW) != 0 ? time : mtime;
  const setsAtime = (which & (TIME_ATIME | TIME_ATIME_NOW)) != 0;
  const setsMtime = (which & (TIME_MTIME | TIME_MTIME_NOW)) != 0;
  if (hasFlag(inode, ON_HOST)) {
    const attr = hostAttr();
    store<i64>(attr, newAtime, ATTR_ATIME);
    store<i64>(attr, newMtime, ATTR_MTIME);
    const valid = (setsAtime ? SET_ATIME : 0) | (setsMtime ? SET_MTIME : 0);
    return valid == 0 ? 0 : hostfs_setattr(hostMount(inode), hostNode(inode), valid, attr);
  }
  if (setsAtime) store<i64>(inode, newAtime, I_ATIME);
  if (setsMtime) store<i64>(inode, newMtime, I_MTIME);
  touchChange(inode);
  return 0;
}

/** truncate(2) by path. */
export function truncateAt(t: usize, inode: usize, size: u64): i32 {
  if (isDirectory(inode)) return -EISDIR;
  if (kindOf(inode) != S_IFREG) return -EINVAL;
  return mayAccess(processOf(t), inode, 2) ? truncateInode(inode, size) : -EACCES;
}

export function accessInode(t: usize, inode: usize, mask: u32): i32 {
  if ((mask & 2) != 0 && kindOf(inode) != S_IFCHR) {
    const readonly = checkWritable(inode);
    if (readonly < 0) return readonly;
  }
  return mask == 0 || mayAccess(processOf(t), inode, mask & 7) ? 0 : -EACCES;
}

/** Fills TASK_IO with the numbers of the inode's file system. */
export function statfsInode(t: usize, inode: usize): i32 {
  const mount = load<u32>(inode, I_MOUNT);
  const at = t + TASK_IO;
  memory.fill(at, 0, 56);
  if (hasFlag(inode, ON_HOST)) {
    const failure = hostfs_statfs(hostMount(inode), at);
    if (failure < 0) return failure;
  } else {
    const free = <u64>arenaFreePages(arena());
    const used = (load<u64>(mount, M_USED) + PAGE - 1) / PAGE;
    const limit = load<u64>(mount, M_LIMIT) / PAGE;
    const left = min<u64>(free, limit > used ? limit - used : 0);
    const s = superblock();
    store<u64>(at, PAGE);
    store<u64>(at, used + left, 8);
    store<u64>(at, left, 16);
    store<u64>(at, load<u32>(s, S_MAX_INODES), 24);
    store<u64>(at, load<u32>(s, S_MAX_INODES) - load<u32>(s, S_INODES), 32);
    store<u32>(at, 255, 40);
    store<u32>(at, TMPFS_MAGIC, 44);
  }
  store<u32>(at, load<u32>(mount, M_FLAGS), 48);
  return 0;
}
