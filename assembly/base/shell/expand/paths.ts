/** Pathname expansion (XCU 2.6.6). */
import { readDirectory } from '../../wasi/files';
import { Stat, statPath } from '../../wasi/stat';
import { SLASH } from '../syntax/characters';
import { isPattern, matches } from './pattern';
import { stripUnits } from './units';

const DOT: i32 = 0x2e;

/** Appends the names that a field, flagged, matches from `cwd`, in order; the field itself where there are none. */
export function expandPath(field: string, cwd: string, results: Array<string>): void {
  const before = results.length;
  if (isPattern(field)) walk(field, 0, '', cwd, results);
  if (results.length == before) {
    results.push(stripUnits(field));
    return;
  }
  const found = results.slice(before);
  found.sort(compareBytes);
  for (let i = 0; i < found.length; i++) results[before + i] = found[i];
}

export function compareBytes(a: string, b: string): i32 {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `prefix`: what is matched so far, as it is shown; ends in a slash or is empty. */
function walk(field: string, start: i32, prefix: string, cwd: string, results: Array<string>): void {
  let at = start;
  let shown = prefix;
  // what needs no directory to be read
  while (true) {
    while (at < field.length && (field.charCodeAt(at) & 0xff) == SLASH) {
      shown += '/';
      at++;
    }
    const end = componentEnd(field, at);
    const component = field.substring(at, end);
    if (isPattern(component)) {
      match(field, component, end, shown, cwd, results);
      return;
    }
    shown += stripUnits(component);
    at = end;
    if (at >= field.length) break;
  }
  if (exists(shown, cwd)) results.push(shown);
}

function match(field: string, component: string, end: i32, shown: string, cwd: string, results: Array<string>): void {
  const names: string[] = [];
  const types: i32[] = [];
  const directory = shown.length == 0 ? cwd : absolute(shown, cwd);
  if (readDirectory(directory.length == 0 ? '/' : directory, names, types) < 0) return;
  const hidden = (component.charCodeAt(0) & 0xff) == DOT;
  if (hidden) {
    names.push('.');
    names.push('..');
  }
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name.charCodeAt(0) == DOT && !hidden) continue;
    if (!matches(component, name, 0, name.length)) continue;
    if (end >= field.length) results.push(shown + name);
    else walk(field, end, shown + name, cwd, results);
  }
}

function componentEnd(field: string, start: i32): i32 {
  for (let at = start; at < field.length; at++) if ((field.charCodeAt(at) & 0xff) == SLASH) return at;
  return field.length;
}

function exists(path: string, cwd: string): bool {
  const stat = new Stat();
  // a name that ends in a slash is a directory's
  if (path.charCodeAt(path.length - 1) == SLASH)
    return statPath(absolute(path, cwd), true, stat) == 0 && stat.isDirectory;
  return statPath(absolute(path, cwd), false, stat) == 0;
}

function absolute(path: string, cwd: string): string {
  return path.charCodeAt(0) == SLASH ? path : `${cwd}/${path}`;
}
