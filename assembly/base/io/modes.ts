/** File modes: as chmod(1) takes them and as ls(1) shows them. */
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFSOCK } from '../wasi/stat';
import { parseBase, wasNumber } from './number';
import { unit } from './text';

export const BAD_MODE: i32 = -1;

/**
 * The permissions, 12 bits, that `text` makes of `mode` (with its type): octal, or clauses as `u+rwX,go=u-w`. BAD_MODE
 * where it is neither. Without `ugoa` the umask holds.
 */
export function changedMode(text: string, mode: i32, umask: i32): i32 {
  if (text.length > 0 && unit(text, 0) >= 48 && unit(text, 0) <= 55) {
    const value = parseBase(text, 8);
    if (!wasNumber() || value > 0o7777) return BAD_MODE;
    // as GNU's: a directory keeps its set-id bits unless five digits are given
    const kept = (mode & S_IFMT) == S_IFDIR && text.length < 5 ? mode & 0o6000 : 0;
    return <i32>value | kept;
  }
  let result = mode & 0o7777;
  const isDirectory = (mode & S_IFMT) == S_IFDIR;
  const clauses = text.split(',');
  for (let i = 0; i < clauses.length; i++) {
    const clause = clauses[i];
    let at = 0;
    let who = 0;
    for (; at < clause.length; at++) {
      const c = unit(clause, at);
      if (c == 117) who |= 0o4700;
      else if (c == 103) who |= 0o2070;
      else if (c == 111) who |= 0o1007;
      else if (c == 97) who |= 0o7777;
      else break;
    }
    if (at >= clause.length) return BAD_MODE;
    const masked = who == 0 ? ~umask : -1;
    if (who == 0) who = 0o7777;
    while (at < clause.length) {
      const action = unit(clause, at++);
      if (action != 43 && action != 45 && action != 61) return BAD_MODE;
      let bits = 0;
      for (; at < clause.length; at++) {
        const c = unit(clause, at);
        if (c == 114) bits |= 0o444;
        else if (c == 119) bits |= 0o222;
        else if (c == 120) bits |= 0o111;
        else if (c == 88) bits |= isDirectory || (result & 0o111) != 0 ? 0o111 : 0;
        else if (c == 115) bits |= 0o6000;
        else if (c == 116) bits |= 0o1000;
        else if (c == 117) bits |= ((result >> 6) & 7) * 0o111;
        else if (c == 103) bits |= ((result >> 3) & 7) * 0o111;
        else if (c == 111) bits |= (result & 7) * 0o111;
        else break;
      }
      // t belongs to others and to all
      const changed = bits & (who | (bits & 0o1000 & (who == 0o4700 || who == 0o2070 ? 0 : 0o1000))) & masked;
      if (action == 43) result |= changed;
      else if (action == 45) result &= ~changed;
      else result = (result & ~(isDirectory ? who & 0o777 : who)) | changed;
    }
  }
  return result;
}

/** `drwxr-xr-x` */
export function modeText(mode: i32): string {
  return (
    String.fromCharCode(typeLetter(mode)) +
    triple(mode >> 6, (mode & 0o4000) != 0, 115) +
    triple(mode >> 3, (mode & 0o2000) != 0, 115) +
    triple(mode, (mode & 0o1000) != 0, 116)
  );
}

function triple(bits: i32, special: bool, letter: i32): string {
  const last = special ? (bits & 1 ? letter : letter - 32) : bits & 1 ? 120 : 45;
  return (bits & 4 ? 'r' : '-') + (bits & 2 ? 'w' : '-') + String.fromCharCode(last);
}

export function typeLetter(mode: i32): i32 {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return 100;
    case S_IFLNK:
      return 108;
    case S_IFCHR:
      return 99;
    case S_IFBLK:
      return 98;
    case S_IFIFO:
      return 112;
    case S_IFSOCK:
      return 115;
    default:
      return 45;
  }
}
