/** Bringing the kernel up, and back to fresh: superblock, root file system, /dev. */
import {
  CONFIG_DEV,
  CONFIG_FLAGS,
  CONFIG_READONLY_ROOT,
  EINVAL,
  EIO,
  ENOMEM,
  MOUNT_READONLY,
  S_IFDIR,
} from '../../src/core/abi/kernel';
import { dentryTableInit, nameHash } from './dentry';
import { devicesCreate } from './device';
import {
  I_COVER,
  I_MOUNT,
  I_NLINK,
  I_PARENT,
  inodeCreate,
  inodeDirty,
  inodeFromLower,
  inodeRef,
  isDirectory,
  MOUNT_ROOT,
  setFlag,
} from './inode';
import { lowerMount, lowerNodeCount } from './lower';
import { KIND_OVERLAY, M_ROOT, mountCreate, mountTmpfs } from './mount';
import { foundDentry, isError, lookup, nameAdd } from './overlay';
import {
  byteQuota,
  kmalloc,
  S_NODE_INODES,
  S_ROOT,
  S_ROOTFS,
  S_ROOTFS_LENGTH,
  S_ROOTFS_SPACE,
  superblock,
  superblockInit,
} from './superblock';

const DEV_NAME = memory.data<u8>([0x64, 0x65, 0x76, 0, 0, 0, 0, 0]);
const DEV_LENGTH: u32 = 3;

export function boot(): i32 {
  return superblockInit() && dentryTableInit() ? 0 : -ENOMEM;
}

/** Mounts the index that was copied to rootfs_pointer(); length 0: an empty root. */
export function mountRoot(length: u32): i32 {
  const s = superblock();
  if (load<u32>(s, S_ROOT) != 0 || length > load<u32>(s, S_ROOTFS_SPACE)) return -EINVAL;
  const readonly = (load<u32>(s, CONFIG_FLAGS) & CONFIG_READONLY_ROOT) != 0;
  const mount = mountCreate(KIND_OVERLAY, readonly ? MOUNT_READONLY : 0, byteQuota());
  if (mount == 0) return -ENOMEM;
  let root: usize;
  if (length == 0) {
    root = inodeCreate(mount, S_IFDIR | 0o755, 0, 0);
  } else {
    if (lowerMount(load<u32>(s, S_ROOTFS), length) < 0) return -EIO;
    const bytes = (<u64>lowerNodeCount()) << 2;
    const table = kmalloc(<u32>bytes);
    if (table == 0) return -ENOMEM;
    memory.fill(table, 0, <usize>bytes);
    store<u32>(s, table, S_NODE_INODES);
    root = inodeFromLower(mount, 0, 0);
  }
  if (root == 0 || isError(root)) return root == 0 ? -ENOMEM : <i32>root;
  inodeRef(root);
  setFlag(root, MOUNT_ROOT);
  store<u32>(root, root, I_PARENT);
  store<u32>(mount, root, M_ROOT);
  store<u32>(s, root, S_ROOT);
  store<u32>(s, length, S_ROOTFS_LENGTH);
  return (load<u32>(s, CONFIG_FLAGS) & CONFIG_DEV) != 0 ? mountDev(root, mount) : 0;
}

/** A tmpfs with the devices on /dev. An image whose /dev is no directory keeps it. */
function mountDev(root: usize, mount: usize): i32 {
  const hash = nameHash(root, DEV_NAME, DEV_LENGTH);
  let at = lookup(root, DEV_NAME, DEV_LENGTH, hash);
  if (isError(at)) return <i32>at;
  if (at == 0) {
    if (inodeDirty(root) < 0) return -ENOMEM;
    at = inodeCreate(mount, S_IFDIR | 0o755, 0, 0);
    if (at == 0 || nameAdd(root, DEV_NAME, DEV_LENGTH, hash, foundDentry, at) < 0) return -ENOMEM;
    store<u32>(at, root, I_PARENT);
    store<u32>(root, load<u32>(root, I_NLINK) + 1, I_NLINK);
  }
  if (!isDirectory(at)) return 0;
  const id = mountTmpfs(at, 1 << 20, 0o755, 0);
  if (id < 0) return id;
  const dev: usize = load<u32>(at, I_COVER);
  return devicesCreate(dev, load<u32>(dev, I_MOUNT)) ? 0 : -ENOMEM;
}

/** Zeroes what was used and boots again with the same config and the same index. */
export function reset(): i32 {
  const length = load<u32>(superblock(), S_ROOTFS_LENGTH);
  const mounted = load<u32>(superblock(), S_ROOT) != 0;
  const failure = boot();
  return failure < 0 || !mounted ? failure : mountRoot(length);
}
