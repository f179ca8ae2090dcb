/** Exported calls: boot, reset, mounts, accounting. */
import { AT_FDCWD, EBUSY, EINVAL, KERNEL_ABI_VERSION, MOUNT_READONLY } from '../../src/core/abi/kernel';
import { arenaUsedPages, PAGE } from '../memory/arena';
import { resolve } from './attributes';
import { boot, mountRoot, reset } from './boot';
import { done } from './call';
import { check } from './check';
import { I_MOUNT } from './inode';
import { M_FLAGS, M_NEXT, M_USED, mountFile, mountHostfs, mountTmpfs } from './mount';
import {
  arena,
  enter,
  freeze,
  leave,
  S_EVENT,
  S_MOUNTS,
  S_ROOT,
  S_ROOTFS,
  setMayBlock,
  superblock,
  thaw,
} from './superblock';

export function kernel_abi_version(): i32 {
  return KERNEL_ABI_VERSION;
}

export function kernel_config(): usize {
  return superblock();
}

export function kernel_boot(): i32 {
  return boot();
}

export function rootfs_pointer(): usize {
  return load<u32>(superblock(), S_ROOTFS);
}

export function rootfs_mount(length: u32): i32 {
  return mountRoot(length);
}

export function kernel_attach(mayBlock: i32): i32 {
  setMayBlock(mayBlock != 0);
  return 0;
}

export function kernel_reset(): i32 {
  return reset();
}

export function kernel_used_bytes(): f64 {
  return <f64>arenaUsedPages(arena()) * <f64>PAGE;
}

export function kernel_data_bytes(): f64 {
  enter();
  let bytes: u64 = 0;
  let mount: usize = load<u32>(superblock(), S_MOUNTS);
  for (; mount != 0; mount = load<u32>(mount, M_NEXT)) bytes += load<u64>(mount, M_USED);
  leave();
  return <f64>bytes;
}

export function kernel_freeze(): void {
  freeze();
}

export function kernel_thaw(): void {
  thaw();
}

export function kernel_check(): i32 {
  enter();
  const result = check();
  leave();
  return result;
}

export function event_word(): usize {
  return superblock() + S_EVENT;
}

export function mount_tmpfs(t: usize, pathLength: u32, sizeBytes: f64, mode: u32, flags: u32): i32 {
  enter();
  const at = resolve(t, AT_FDCWD, pathLength, 0);
  if (at > 0xfffff000) return done(<i32>at);
  const limit = sizeBytes > 0 ? <u64>sizeBytes : ~(<u64>0);
  return done(at == load<u32>(superblock(), S_ROOT) ? -EBUSY : mountTmpfs(at, limit, mode, flags));
}

export function mount_file(t: usize, pathLength: u32, mode: u32): i32 {
  enter();
  const at = resolve(t, AT_FDCWD, pathLength, 0);
  return done(at > 0xfffff000 ? <i32>at : mountFile(at, mode));
}

/** The mount that the path lies on becomes read-only, whoever has it open; never the root's. */
export function mount_seal(t: usize, pathLength: u32): i32 {
  enter();
  const at = resolve(t, AT_FDCWD, pathLength, 0);
  if (at > 0xfffff000) return done(<i32>at);
  const mount: usize = load<u32>(at, I_MOUNT);
  if (mount == load<u32>(load<u32>(superblock(), S_ROOT), I_MOUNT)) return done(-EBUSY);
  store<u32>(mount, load<u32>(mount, M_FLAGS) | MOUNT_READONLY, M_FLAGS);
  return done(0);
}

export function mount_hostfs(t: usize, pathLength: u32, host: u32, node: u32, flags: u32): i32 {
  enter();
  const at = resolve(t, AT_FDCWD, pathLength, 0);
  if (at > 0xfffff000) return done(<i32>at);
  return done(at == load<u32>(superblock(), S_ROOT) ? -EBUSY : mountHostfs(at, host, node, flags));
}

export function mount_root_flags(flags: u32): i32 {
  enter();
  const root: usize = load<u32>(superblock(), S_ROOT);
  if (root == 0) return done(-EINVAL);
  store<u32>(load<u32>(root, I_MOUNT), flags & MOUNT_READONLY, M_FLAGS);
  return done(0);
}
