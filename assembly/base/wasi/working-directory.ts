/**
 * The working directory, which WASI has no call for: the host preopens it as "." beside "/". Its path is PWD's, if that
 * leads there, else what is found on the way up.
 */

import { readDirectory } from './files';
import { RESULT } from './memory';
import { Stat, statFile, statPath } from './stat';
import { fd_prestat_dir_name, fd_prestat_get } from './wasi_snapshot_preview1';

const FIRST: i32 = 3;
const LAST: i32 = 63;
const DOT: i32 = 0x2e;
const MAX_DEPTH: i32 = 64;

/** Absolute, without a slash at its end unless it is the root. */
export function workingDirectory(pwd: string): string {
  const fd = preopenedDot();
  if (fd < 0) return '/';
  const here = new Stat();
  if (statFile(fd, here) < 0) return '/';
  const named = new Stat();
  if (isGoodPath(pwd) && statPath(pwd, true, named) == 0 && isSame(named, here)) return pwd;
  return search('', here, 0);
}

function preopenedDot(): i32 {
  for (let fd = FIRST; fd <= LAST; fd++) {
    if (fd_prestat_get(fd, RESULT) != 0 || load<i32>(RESULT, 4) != 1) continue;
    if (fd_prestat_dir_name(fd, RESULT + 8, 1) == 0 && load<u8>(RESULT, 8) == DOT) return fd;
  }
  return -1;
}

function isSame(a: Stat, b: Stat): bool {
  return a.dev == b.dev && a.ino == b.ino;
}

function isGoodPath(path: string): bool {
  if (path.length < 2 || path.charCodeAt(0) != 0x2f || path.endsWith('/')) return false;
  return path.indexOf('/./') < 0 && path.indexOf('/../') < 0 && !path.endsWith('/.') && !path.endsWith('/..');
}

/** Looks for it below a directory. A host that tells no PWD of it sets one, so this is for who lost theirs. */
function search(directory: string, wanted: Stat, depth: i32): string {
  if (depth > MAX_DEPTH) return '/';
  const names: string[] = [];
  const types: i32[] = [];
  if (readDirectory(directory.length == 0 ? '/' : directory, names, types) < 0) return '/';
  const stat = new Stat();
  for (let i = 0; i < names.length; i++) {
    const path = `${directory}/${names[i]}`;
    if (types[i] != 3 || statPath(path, false, stat) < 0 || !stat.isDirectory) continue;
    if (isSame(stat, wanted)) return path;
    const below = search(path, wanted, depth + 1);
    if (below != '/') return below;
  }
  return '/';
}
