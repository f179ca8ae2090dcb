/** Calls that change names: mkdir, mknod, symlink, link, unlink, rmdir, rename. Each works on the walk just done. */
import {
  EACCES,
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  EMLINK,
  ENAMETOOLONG,
  ENOENT,
  ENOSPC,
  ENOTDIR,
  ENOTEMPTY,
  EPERM,
  EXDEV,
  PATH_MAX,
  RENAME_NOREPLACE,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  TASK_PATH_A,
  TASK_PATH_B,
  TASK_WALK_A,
  TASK_WALK_B,
} from '../../src/core/abi/kernel';
import {
  hostfs_create,
  hostfs_link,
  hostfs_mkdir,
  hostfs_rename,
  hostfs_rmdir,
  hostfs_symlink,
  hostfs_unlink,
} from './host';
import { hostAttr, hostInode, hostMount, hostNode } from './hostfs';
import {
  hasFlag,
  I_GID,
  I_MODE,
  I_MOUNT,
  I_NLINK,
  I_PARENT,
  I_RDEV,
  I_REFS,
  I_SIZE,
  I_TARGET,
  inodeCreate,
  inodeDirty,
  inodeError,
  inodeFree,
  inodeRef,
  isDirectory,
  MOUNT_ROOT,
  ON_HOST,
  PINS_PARENT,
  setFlag,
  touchChange,
} from './inode';
import { checkWritable } from './mount';
import {
  directoryEmpty,
  directoryRemoved,
  isError,
  linkDropped,
  nameAdd,
  nameRemove,
  nameReplace,
  namesLeft,
} from './overlay';
import {
  ENTRY,
  FOLLOW,
  KEEP,
  LAST_DOT,
  LAST_DOTDOT,
  LAST_NAME,
  walk,
  walkDentry,
  walkDir,
  walkHash,
  walkInode,
  walkLast,
  walkLength,
  walkName,
  walkSlash,
} from './path';
import { mayAccess, mayRemove, P_GID, P_UID, P_UMASK, processOf } from './process';
import { kfree, kmalloc } from './superblock';

const LINKS_MAX: u32 = 65000;

/** May a name be made in `dir`? 0 or -errno. */
function mayCreate(process: usize, dir: usize): i32 {
  if (load<u32>(dir, I_NLINK) == 0) return -ENOENT;
  if (!mayAccess(process, dir, 3)) return -EACCES;
  return checkWritable(dir);
}

/** Room for one more name in an overlay or tmpfs directory, which becomes the guest's. */
function prepare(dir: usize): i32 {
  if (!namesLeft(1)) return -ENOSPC;
  return inodeDirty(dir);
}

/** Makes the missing last component of the walk. The inode, or -errno as an address. */
export function createNode(process: usize, mode: u32, rdev: u32): usize {
  const dir = walkDir;
  const denied = mayCreate(process, dir);
  if (denied < 0) return <usize>denied;
  const kind = mode & S_IFMT;
  if (hasFlag(dir, ON_HOST)) {
    const attr = hostAttr();
    let node = -EPERM;
    if (kind == S_IFREG) node = hostfs_create(hostMount(dir), hostNode(dir), walkName, walkLength, mode & 0o7777, attr);
    if (kind == S_IFDIR) node = hostfs_mkdir(hostMount(dir), hostNode(dir), walkName, walkLength, mode & 0o7777, attr);
    return node < 0 ? <usize>node : hostInode(load<u32>(dir, I_MOUNT), node, dir, attr);
  }
  const full = prepare(dir);
  if (full < 0) return <usize>full;
  if (kind == S_IFDIR && load<u32>(dir, I_NLINK) >= LINKS_MAX) return <usize>-EMLINK;
  // A set-group-id directory hands its group down.
  const inherits = (load<u32>(dir, I_MODE) & 0o2000) != 0;
  const gid = inherits ? load<u32>(dir, I_GID) : load<u32>(process, P_GID);
  const bits = inherits && kind == S_IFDIR ? mode | 0o2000 : mode;
  const inode = inodeCreate(load<u32>(dir, I_MOUNT), bits, load<u32>(process, P_UID), gid);
  if (inode == 0) return <usize>inodeError();
  store<u32>(inode, rdev, I_RDEV);
  if (nameAdd(dir, walkName, walkLength, walkHash, walkDentry, inode) < 0) {
    inodeFree(inode);
    return <usize>-ENOSPC;
  }
  if (kind == S_IFDIR) {
    store<u32>(inode, dir, I_PARENT);
    store<u32>(dir, load<u32>(dir, I_NLINK) + 1, I_NLINK);
  }
  return inode;
}

export function mkdirAt(t: usize, dirfd: i32, length: u32, mode: u32, flags: u32): i32 {
  const failure = walk(t, dirfd, t + TASK_PATH_A, length, flags, ENTRY, t + TASK_WALK_A);
  if (failure < 0) return failure;
  if (walkInode != 0) return -EEXIST;
  const process = processOf(t);
  const inode = createNode(process, S_IFDIR | (mode & 0o1777 & ~load<u32>(process, P_UMASK)), 0);
  return isError(inode) ? <i32>inode : 0;
}

export function mknodAt(t: usize, dirfd: i32, length: u32, mode: u32, rdev: u32, flags: u32): i32 {
  const failure = walk(t, dirfd, t + TASK_PATH_A, length, flags, ENTRY, t + TASK_WALK_A);
  if (failure < 0) return failure;
  if (walkInode != 0) return -EEXIST;
  if (walkSlash) return -ENOENT;
  const kind = (mode & S_IFMT) == 0 ? S_IFREG : mode & S_IFMT;
  // Device nodes are the kernel's to make.
  if (kind == S_IFCHR || kind == S_IFBLK) return -EPERM;
  if (kind != S_IFREG && kind != S_IFIFO && kind != S_IFSOCK) return -EINVAL;
  const process = processOf(t);
  const inode = createNode(process, kind | (mode & 0o7777 & ~load<u32>(process, P_UMASK)), rdev);
  return isError(inode) ? <i32>inode : 0;
}

/** Target in PATH_A, new name in PATH_B. */
export function symlinkAt(t: usize, targetLength: u32, dirfd: i32, length: u32, flags: u32): i32 {
  if (targetLength == 0) return -ENOENT;
  if (targetLength >= <u32>PATH_MAX) return -ENAMETOOLONG;
  const failure = walk(t, dirfd, t + TASK_PATH_B, length, flags, ENTRY, t + TASK_WALK_B);
  if (failure < 0) return failure;
  if (walkInode != 0) return -EEXIST;
  if (walkSlash) return -ENOENT;
  const dir = walkDir;
  if (hasFlag(dir, ON_HOST)) {
    const denied = mayCreate(processOf(t), dir);
    if (denied < 0) return denied;
    const attr = hostAttr();
    // biome-ignore format: one call
    const node = hostfs_symlink(hostMount(dir), hostNode(dir), walkName, walkLength, t + TASK_PATH_A, targetLength, attr);
    if (node < 0) return node;
    const made = hostInode(load<u32>(dir, I_MOUNT), node, dir, attr);
    return isError(made) ? <i32>made : 0;
  }
  const target = kmalloc(targetLength);
  if (target == 0) return -ENOSPC;
  const inode = createNode(processOf(t), S_IFLNK | 0o777, 0);
  if (isError(inode)) {
    kfree(target, targetLength);
    return <i32>inode;
  }
  memory.copy(target, t + TASK_PATH_A, targetLength);
  store<u32>(inode, target, I_TARGET);
  store<u64>(inode, targetLength, I_SIZE);
  return 0;
}

export function linkAt(
  t: usize,
  fromFd: i32,
  fromLength: u32,
  toFd: i32,
  toLength: u32,
  flags: u32,
  follow: bool,
): i32 {
  let failure = walk(t, fromFd, t + TASK_PATH_A, fromLength, flags, follow ? FOLLOW : KEEP, t + TASK_WALK_A);
  if (failure < 0) return failure;
  const inode = walkInode;
  if (inode == 0) return -ENOENT;
  if (isDirectory(inode)) return -EPERM;
  failure = walk(t, toFd, t + TASK_PATH_B, toLength, flags, ENTRY, t + TASK_WALK_B);
  if (failure < 0) return failure;
  if (walkInode != 0) return -EEXIST;
  if (walkSlash) return -ENOENT;
  const dir = walkDir;
  if (load<u32>(inode, I_MOUNT) != load<u32>(dir, I_MOUNT)) return -EXDEV;
  const denied = mayCreate(processOf(t), dir);
  if (denied < 0) return denied;
  if (load<u32>(inode, I_NLINK) >= LINKS_MAX) return -EMLINK;
  if (hasFlag(dir, ON_HOST)) {
    return hostfs_link(hostMount(dir), hostNode(inode), hostNode(dir), walkName, walkLength, hostAttr());
  }
  let full = prepare(dir);
  if (full == 0) full = inodeDirty(inode);
  if (full < 0) return full;
  if (nameAdd(dir, walkName, walkLength, walkHash, walkDentry, inode) < 0) return -ENOSPC;
  store<u32>(inode, load<u32>(inode, I_NLINK) + 1, I_NLINK);
  touchChange(inode);
  return 0;
}

export function unlinkAt(t: usize, dirfd: i32, length: u32, flags: u32): i32 {
  const failure = walk(t, dirfd, t + TASK_PATH_A, length, flags, ENTRY, t + TASK_WALK_A);
  if (failure < 0) return failure;
  const inode = walkInode;
  if (inode == 0) return -ENOENT;
  if (isDirectory(inode)) return -EISDIR;
  if (walkSlash) return -ENOTDIR;
  if (hasFlag(inode, MOUNT_ROOT)) return -EBUSY;
  const dir = walkDir;
  const denied = checkWritable(dir);
  if (denied < 0) return denied;
  if (!mayRemove(processOf(t), dir, inode)) return -EACCES;
  if (hasFlag(dir, ON_HOST)) return hostfs_unlink(hostMount(dir), hostNode(dir), walkName, walkLength);
  const dirty = dirtyBoth(dir, inode);
  if (dirty < 0) return dirty;
  linkDropped(nameRemove(walkDentry));
  return 0;
}

/** Removing needs room to remember: the quota is asked before anything changes. */
function dirtyBoth(dir: usize, inode: usize): i32 {
  const dirty = inodeDirty(dir);
  return dirty < 0 ? dirty : inodeDirty(inode);
}

export function rmdirAt(t: usize, dirfd: i32, length: u32, flags: u32): i32 {
  const failure = walk(t, dirfd, t + TASK_PATH_A, length, flags, ENTRY, t + TASK_WALK_A);
  if (failure < 0) return failure;
  if (walkLast == LAST_DOT) return -EINVAL;
  if (walkLast == LAST_DOTDOT) return -ENOTEMPTY;
  if (walkLast != LAST_NAME) return -EBUSY;
  const inode = walkInode;
  if (inode == 0) return -ENOENT;
  if (!isDirectory(inode)) return -ENOTDIR;
  if (hasFlag(inode, MOUNT_ROOT)) return -EBUSY;
  const dir = walkDir;
  const denied = checkWritable(dir);
  if (denied < 0) return denied;
  if (!mayRemove(processOf(t), dir, inode)) return -EACCES;
  if (hasFlag(dir, ON_HOST)) return hostfs_rmdir(hostMount(dir), hostNode(dir), walkName, walkLength);
  if (!directoryEmpty(inode)) return -ENOTEMPTY;
  const dirty = dirtyBoth(dir, inode);
  if (dirty < 0) return dirty;
  removeDirectory(dir, nameRemove(walkDentry));
  return 0;
}

/** `inode` lost its name in `dir`. While somebody holds it, ".." still works. */
function removeDirectory(dir: usize, inode: usize): void {
  store<u32>(dir, load<u32>(dir, I_NLINK) - 1, I_NLINK);
  if (load<u32>(inode, I_REFS) != 0) {
    setFlag(inode, PINS_PARENT);
    inodeRef(dir);
  }
  directoryRemoved(inode);
}

export function renameAt(t: usize, fromFd: i32, fromLength: u32, toFd: i32, toLength: u32, mode: u32, flags: u32): i32 {
  if ((mode & ~RENAME_NOREPLACE) != 0) return -EINVAL;
  let failure = walk(t, fromFd, t + TASK_PATH_A, fromLength, flags, ENTRY, t + TASK_WALK_A);
  if (failure < 0) return failure;
  if (walkLast != LAST_NAME) return -EBUSY;
  const inode = walkInode;
  if (inode == 0) return -ENOENT;
  const isDir = isDirectory(inode);
  if (walkSlash && !isDir) return -ENOTDIR;
  if (hasFlag(inode, MOUNT_ROOT)) return -EBUSY;
  const fromDir = walkDir;
  const fromDentry = walkDentry;
  const fromName = walkName;
  const fromNameLength = walkLength;
  failure = walk(t, toFd, t + TASK_PATH_B, toLength, flags, ENTRY, t + TASK_WALK_B);
  if (failure < 0) return failure;
  if (walkLast != LAST_NAME) return -EBUSY;
  const dir = walkDir;
  const over = walkInode;
  if (walkSlash && !isDir) return -ENOTDIR;
  if (load<u32>(fromDir, I_MOUNT) != load<u32>(dir, I_MOUNT)) return -EXDEV;
  if (over != 0) {
    if ((mode & RENAME_NOREPLACE) != 0) return -EEXIST;
    if (over == inode && !hasFlag(dir, ON_HOST)) return 0;
    if (isDir && !isDirectory(over)) return -ENOTDIR;
    if (!isDir && isDirectory(over)) return -EISDIR;
    if (hasFlag(over, MOUNT_ROOT)) return -EBUSY;
  }
  if (isDir && isWithin(dir, inode)) return -EINVAL;
  if (over != 0 && isDirectory(over) && isWithin(fromDir, over)) return -ENOTEMPTY;
  const process = processOf(t);
  const readonly = checkWritable(dir);
  if (readonly < 0) return readonly;
  if (!mayRemove(process, fromDir, inode)) return -EACCES;
  if (over != 0 ? !mayRemove(process, dir, over) : !mayAccess(process, dir, 3)) return -EACCES;
  if (load<u32>(dir, I_NLINK) == 0) return -ENOENT;
  // A directory that changes its parent has its ".." written.
  if (isDir && fromDir != dir && !mayAccess(process, inode, 2)) return -EACCES;
  if (hasFlag(dir, ON_HOST)) {
    const a = hostNode(fromDir);
    return hostfs_rename(hostMount(dir), a, fromName, fromNameLength, hostNode(dir), walkName, walkLength);
  }
  if (over != 0 && isDirectory(over) && !directoryEmpty(over)) return -ENOTEMPTY;
  return moveName(fromDir, fromDentry, inode, dir, over);
}

/** The new name first (it may fail, with nothing changed), then the old one goes (it cannot). */
function moveName(fromDir: usize, fromDentry: usize, inode: usize, dir: usize, over: usize): i32 {
  if (!namesLeft(1)) return -ENOSPC;
  let dirty = dirtyBoth(fromDir, inode);
  if (dirty == 0) dirty = over != 0 ? dirtyBoth(dir, over) : inodeDirty(dir);
  if (dirty < 0) return dirty;
  if (over != 0) {
    nameReplace(walkDentry, inode);
    if (isDirectory(over)) removeDirectory(dir, over);
    else linkDropped(over);
  } else if (nameAdd(dir, walkName, walkLength, walkHash, walkDentry, inode) < 0) {
    return -ENOSPC;
  }
  nameRemove(fromDentry);
  if (isDirectory(inode)) {
    store<u32>(fromDir, load<u32>(fromDir, I_NLINK) - 1, I_NLINK);
    store<u32>(dir, load<u32>(dir, I_NLINK) + 1, I_NLINK);
    store<u32>(inode, dir, I_PARENT);
  }
  touchChange(inode);
  return 0;
}

/** Is `dir` the directory `top` or below it? */
function isWithin(dir: usize, top: usize): bool {
  let at = dir;
  while (true) {
    if (at == top) return true;
    if (hasFlag(at, MOUNT_ROOT)) return false;
    const parent = load<u32>(at, I_PARENT);
    if (parent == at || parent == 0) return false;
    at = parent;
  }
}
