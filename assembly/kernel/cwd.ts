/** Root and working directory of a process. */
import {
  AT_FDCWD,
  EACCES,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  EOPNOTSUPP,
  PATH_MAX,
  TASK_IO,
} from '../../src/core/abi/kernel';
import { resolve } from './attributes';
import { D_LENGTH, dentryName } from './dentry';
import { fdDirectory } from './fd';
import { hasFlag, I_DENTRY, I_MOUNT, I_PARENT, inodeRef, inodeUnref, isDirectory, MOUNT_ROOT, ON_HOST } from './inode';
import { M_COVERED } from './mount';
import { mayExecute, P_CWD, P_ROOT, processOf } from './process';

function enterDirectory(process: usize, field: usize, dir: usize): i32 {
  if (dir > 0xfffff000) return <i32>dir;
  if (!isDirectory(dir)) return -ENOTDIR;
  if (!mayExecute(process, dir)) return -EACCES;
  const old = load<u32>(process + field);
  inodeRef(dir);
  store<u32>(process + field, dir);
  inodeUnref(old);
  return 0;
}

export function changeDirectory(t: usize, length: u32): i32 {
  return enterDirectory(processOf(t), P_CWD, resolve(t, AT_FDCWD, length, 0));
}

export function changeDirectoryFd(t: usize, fd: i32): i32 {
  return enterDirectory(processOf(t), P_CWD, fdDirectory(t, fd));
}

/** chroot: root and, unlike Linux, the working directory too, so that nothing outside is held. */
export function changeRoot(t: usize, length: u32): i32 {
  const dir = resolve(t, AT_FDCWD, length, 0);
  const failure = enterDirectory(processOf(t), P_ROOT, dir);
  return failure < 0 ? failure : enterDirectory(processOf(t), P_CWD, dir);
}

/** The working directory's path in TASK_IO. Below a hostfs mount's root names are not kept: -EOPNOTSUPP. */
export function currentDirectory(t: usize): i32 {
  const process = processOf(t);
  const root: usize = load<u32>(process, P_ROOT);
  let dir: usize = load<u32>(process, P_CWD);
  const end = t + TASK_IO + PATH_MAX;
  let at = end;
  while (dir != root) {
    if (hasFlag(dir, MOUNT_ROOT)) {
      dir = load<u32>(load<u32>(dir, I_MOUNT), M_COVERED);
      if (dir == 0) break;
      continue;
    }
    if (hasFlag(dir, ON_HOST)) return -EOPNOTSUPP;
    const dentry = load<u32>(dir, I_DENTRY);
    if (dentry == 0) return -ENOENT;
    const length: u32 = load<u16>(dentry, D_LENGTH);
    if (at - length - 1 < t + TASK_IO) return -ENAMETOOLONG;
    at -= length;
    memory.copy(at, dentryName(dentry), length);
    at -= 1;
    store<u8>(at, 0x2f);
    dir = load<u32>(dir, I_PARENT);
  }
  if (at == end) {
    at -= 1;
    store<u8>(at, 0x2f);
  }
  memory.copy(t + TASK_IO, at, end - at);
  return <i32>(end - at);
}
