/**
 * hostfs: a directory of the host, reached through imports. The kernel keeps an inode per host node only while something
 * uses it (open file, cwd, a child); names are asked anew each time, so what the host changes is seen. Symlinks are read
 * by the host and resolved here, inside the container's root.
 */
import {
  ATTR_ATIME,
  ATTR_BYTES,
  ATTR_CTIME,
  ATTR_GID,
  ATTR_INO,
  ATTR_MODE,
  ATTR_MTIME,
  ATTR_NLINK,
  ATTR_RDEV,
  ATTR_SIZE,
  ATTR_UID,
  EIO,
  ENOMEM,
} from '../../src/core/abi/kernel';
import { hostfs_forget, hostfs_getattr, hostfs_lookup, hostfs_readlink } from './host';
import {
  clearFlag,
  hasFlag,
  I_ATIME,
  I_BYTES,
  I_CTIME,
  I_FLAGS,
  I_GID,
  I_HOST_GARBAGE,
  I_HOST_LOOKUPS,
  I_HOST_NEXT,
  I_HOST_NODE,
  I_HOST_PARENT,
  I_MODE,
  I_MOUNT,
  I_MTIME,
  I_NLINK,
  I_NUMBER,
  I_PARENT,
  I_RDEV,
  I_REFS,
  I_SIZE,
  I_UID,
  inodeRef,
  inodeUnref,
  isDirectory,
  LISTED,
  ON_HOST,
  setFlag,
} from './inode';
import { M_HOST, M_ID } from './mount';
import { kfree, kmalloc, S_HOST_GARBAGE, S_HOST_TABLE, superblock } from './superblock';

const BUCKETS: u32 = 256;

/** Room for one attribute struct; behind the bucket table. */
export function hostAttr(): usize {
  const s = superblock();
  if (load<u32>(s, S_HOST_TABLE) == 0) {
    const table = kmalloc((BUCKETS << 2) + ATTR_BYTES);
    if (table == 0) return 0;
    memory.fill(table, 0, (BUCKETS << 2) + ATTR_BYTES);
    store<u32>(s, table, S_HOST_TABLE);
  }
  return load<u32>(s, S_HOST_TABLE) + (BUCKETS << 2);
}

export function hostMount(inode: usize): u32 {
  return load<u32>(load<u32>(inode, I_MOUNT), M_HOST);
}

export function hostNode(inode: usize): u32 {
  return load<u32>(inode, I_HOST_NODE);
}

function bucketOf(mount: usize, node: u32): usize {
  const hash = (node ^ (load<u32>(mount, M_ID) << 20)) * 0x9e3779b1;
  return load<u32>(superblock(), S_HOST_TABLE) + ((hash >> 24) << 2);
}

/**
 * The inode of a host node. `attr`: attributes just given by the host (a lookup is then counted), or 0 to ask for them.
 * -errno as an address.
 */
export function hostInode(mount: usize, node: u32, parent: usize, attr: usize): usize {
  const room = hostAttr();
  if (room == 0) return <usize>-ENOMEM;
  if (attr == 0) {
    const result = hostfs_getattr(load<u32>(mount, M_HOST), node, room);
    if (result < 0) return <usize>result;
  }
  const bucket = bucketOf(mount, node);
  let inode: usize = load<u32>(bucket);
  while (inode != 0 && (load<u32>(inode, I_HOST_NODE) != node || load<u32>(inode, I_MOUNT) != mount)) {
    inode = load<u32>(inode, I_HOST_NEXT);
  }
  if (inode == 0) {
    inode = kmalloc(I_BYTES);
    if (inode == 0) {
      if (attr != 0) hostfs_forget(load<u32>(mount, M_HOST), node, 1);
      return <usize>-ENOMEM;
    }
    memory.fill(inode, 0, I_BYTES);
    store<u32>(inode, ON_HOST, I_FLAGS);
    store<u32>(inode, mount, I_MOUNT);
    store<u32>(inode, node, I_HOST_NODE);
    store<u32>(inode, load<u32>(bucket), I_HOST_NEXT);
    store<u32>(bucket, inode);
    if (parent != 0) {
      store<u32>(inode, parent, I_HOST_PARENT);
      inodeRef(parent);
    }
    hostForget(inode);
  }
  if (attr != 0) store<u32>(inode, load<u32>(inode, I_HOST_LOOKUPS) + 1, I_HOST_LOOKUPS);
  takeAttributes(inode, room);
  if (isDirectory(inode) && parent != 0) moveTo(inode, parent);
  return inode;
}

/** A directory's ".." follows where it was found last. */
function moveTo(inode: usize, parent: usize): void {
  store<u32>(inode, parent, I_PARENT);
  const old = load<u32>(inode, I_HOST_PARENT);
  if (old == parent) return;
  inodeRef(parent);
  store<u32>(inode, parent, I_HOST_PARENT);
  if (old != 0) inodeUnref(old);
}

function takeAttributes(inode: usize, attr: usize): void {
  store<u32>(inode, load<u32>(attr, ATTR_MODE), I_MODE);
  store<u32>(inode, load<u32>(attr, ATTR_NLINK), I_NLINK);
  store<u32>(inode, load<u32>(attr, ATTR_UID), I_UID);
  store<u32>(inode, load<u32>(attr, ATTR_GID), I_GID);
  store<u32>(inode, load<u32>(attr, ATTR_RDEV), I_RDEV);
  store<u64>(inode, load<u64>(attr, ATTR_INO), I_NUMBER);
  store<u64>(inode, load<u64>(attr, ATTR_SIZE), I_SIZE);
  store<i64>(inode, load<i64>(attr, ATTR_ATIME), I_ATIME);
  store<i64>(inode, load<i64>(attr, ATTR_MTIME), I_MTIME);
  store<i64>(inode, load<i64>(attr, ATTR_CTIME), I_CTIME);
}

/** Reads the attributes again. 0 or -errno. */
export function hostRefresh(inode: usize): i32 {
  const attr = hostAttr();
  const result = hostfs_getattr(hostMount(inode), hostNode(inode), attr);
  if (result < 0) return result;
  const kind = load<u32>(inode, I_MODE) ^ load<u32>(attr, ATTR_MODE);
  // A node does not change its kind; a host that says so is not believed.
  if ((kind & 0o170000) != 0) return -EIO;
  takeAttributes(inode, attr);
  return 0;
}

export function hostLookup(dir: usize, name: usize, length: u32): usize {
  const attr = hostAttr();
  const node = hostfs_lookup(hostMount(dir), hostNode(dir), name, length, attr);
  if (node < 0) return node == -2 ? 0 : <usize>node;
  return hostInode(load<u32>(dir, I_MOUNT), node, dir, attr);
}

export function hostReadlink(inode: usize, target: usize, capacity: u32): i32 {
  const length = hostfs_readlink(hostMount(inode), hostNode(inode), target, capacity);
  return length > <i32>capacity ? -EIO : length;
}

/** Notes an inode nobody holds: hostSweep decides when the call ends. */
export function hostForget(inode: usize): void {
  if (hasFlag(inode, LISTED)) return;
  const s = superblock();
  setFlag(inode, LISTED);
  store<u32>(inode, load<u32>(s, S_HOST_GARBAGE), I_HOST_GARBAGE);
  store<u32>(s, inode, S_HOST_GARBAGE);
}

/** Frees the noted inodes that are still unused; their parents may follow. */
export function hostSweep(): void {
  const s = superblock();
  while (load<u32>(s, S_HOST_GARBAGE) != 0) {
    const inode: usize = load<u32>(s, S_HOST_GARBAGE);
    store<u32>(s, load<u32>(inode, I_HOST_GARBAGE), S_HOST_GARBAGE);
    clearFlag(inode, LISTED);
    if (load<u32>(inode, I_REFS) != 0) continue;
    const mount = load<u32>(inode, I_MOUNT);
    const node = hostNode(inode);
    let link = bucketOf(mount, node);
    while (load<u32>(link) != inode) link = load<u32>(link) + I_HOST_NEXT;
    store<u32>(link, load<u32>(inode, I_HOST_NEXT));
    const lookups = load<u32>(inode, I_HOST_LOOKUPS);
    if (lookups != 0) hostfs_forget(load<u32>(mount, M_HOST), node, lookups);
    const parent = load<u32>(inode, I_HOST_PARENT);
    kfree(inode, I_BYTES);
    if (parent != 0) inodeUnref(parent);
  }
}
