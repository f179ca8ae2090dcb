/** The FileSystem port over node:fs/promises. */
import type { FileSystem } from '../ports.ts';
import { builtin } from './builtin.ts';
import { makeDirectories } from './make-directories.ts';

/** Bytes in, bytes out: Node's own calls with the options fixed that the port leaves out. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => builtin.fs.open(path, flags, mode),
  readFile: (path) => builtin.fs.readFile(path),
  writeFile: (path, data) => builtin.fs.writeFile(path, data),
  mkdir: async (path, { recursive, mode = 0o777 }) =>
    recursive === true ? makeDirectories(path, mode) : builtin.fs.mkdir(path, { mode }),
  readdir: (path) => builtin.fs.readdir(path),
  rename: (from, to) => builtin.fs.rename(from, to),
  link: (existing, path) => builtin.fs.link(existing, path),
  unlink: (path) => builtin.fs.unlink(path),
  rm: (path, options) => builtin.fs.rm(path, options),
  stat: (path) => builtin.fs.stat(path),
  lstat: (path) => builtin.fs.lstat(path),
  readlink: (path) => builtin.fs.readlink(path),
};
