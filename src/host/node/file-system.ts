/** The FileSystem port over node:fs/promises. */
import * as fs from 'node:fs/promises';
import type { FileSystem } from '../ports.ts';

/** Bytes in, bytes out: Node's own calls with the options fixed that the port leaves out. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => fs.open(path, flags, mode),
  readFile: (path) => fs.readFile(path),
  writeFile: (path, data) => fs.writeFile(path, data),
  mkdir: (path, options) => fs.mkdir(path, options),
  readdir: (path) => fs.readdir(path),
  rename: (from, to) => fs.rename(from, to),
  link: (existing, path) => fs.link(existing, path),
  unlink: (path) => fs.unlink(path),
  rm: (path, options) => fs.rm(path, options),
  stat: (path) => fs.stat(path),
  lstat: (path) => fs.lstat(path),
};
