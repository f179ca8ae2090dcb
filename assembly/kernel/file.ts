/** Open files (open file descriptions): what dup and fork share. Layout: src/core/abi/kernel.ts; 32..47 internal. */
import {
  FILE_HANDLE,
  FILE_HOSTFS,
  FILE_INODE,
  FILE_KIND,
  FILE_PIPE_READ,
  FILE_PIPE_WRITE,
  FILE_REFS,
  FILE_REGULAR,
  FILE_STATUS,
  FILE_TYPE,
  O_ACCMODE,
  O_RDONLY,
  S_IFMT,
} from '../../src/core/abi/kernel';
import { dataTrim } from './data';
import { hostfs_release } from './host';
import { I_MODE, I_MOUNT, I_PIPE, I_WRITERS, inodeRef, inodeUnref } from './inode';
import { M_HOST } from './mount';
import { pipeClosed } from './pipe';
import { kfree, kmalloc, S_FILES, S_MAX_FILES, superblock } from './superblock';

const FILE_BYTES: u32 = 64;

/** A new open file with one reference, holding `inode` (0 for host streams); 0: quota or memory is out. */
export function fileCreate(kind: u32, inode: usize, status: u32): usize {
  const s = superblock();
  if (load<u32>(s, S_FILES) >= load<u32>(s, S_MAX_FILES)) return 0;
  const file = kmalloc(FILE_BYTES);
  if (file == 0) return 0;
  store<u32>(s, load<u32>(s, S_FILES) + 1, S_FILES);
  store<u32>(file, kind, FILE_KIND);
  store<u32>(file, 1, FILE_REFS);
  store<u32>(file, status, FILE_STATUS);
  store<u32>(file, inode, FILE_INODE);
  store<u64>(file, 0, 16);
  store<u32>(file, 0, FILE_HANDLE);
  store<u32>(file, 0, FILE_TYPE);
  if (inode != 0) {
    inodeRef(inode);
    store<u32>(file, load<u32>(inode, I_MODE) & S_IFMT, FILE_TYPE);
    if (kind == FILE_REGULAR && (status & O_ACCMODE) != O_RDONLY) {
      store<u32>(inode, load<u32>(inode, I_WRITERS) + 1, I_WRITERS);
    }
  }
  return file;
}

export function fileRef(file: usize): void {
  store<u32>(file, load<u32>(file, FILE_REFS) + 1, FILE_REFS);
}

export function fileUnref(file: usize): void {
  const refs = load<u32>(file, FILE_REFS) - 1;
  store<u32>(file, refs, FILE_REFS);
  if (refs != 0) return;
  const kind = load<u32>(file, FILE_KIND);
  const inode: usize = load<u32>(file, FILE_INODE);
  if (kind == FILE_REGULAR) {
    if ((load<u32>(file, FILE_STATUS) & O_ACCMODE) != O_RDONLY) {
      const writers = load<u32>(inode, I_WRITERS) - 1;
      store<u32>(inode, writers, I_WRITERS);
      if (writers == 0) dataTrim(inode);
    }
  } else if (kind == FILE_PIPE_READ || kind == FILE_PIPE_WRITE) {
    pipeClosed(load<u32>(inode, I_PIPE), load<u32>(file, FILE_STATUS));
  } else if (kind == FILE_HOSTFS) {
    hostfs_release(load<u32>(load<u32>(inode, I_MOUNT), M_HOST), load<u32>(file, FILE_HANDLE));
  }
  if (inode != 0) inodeUnref(inode);
  const s = superblock();
  store<u32>(s, load<u32>(s, S_FILES) - 1, S_FILES);
  kfree(file, FILE_BYTES);
}
