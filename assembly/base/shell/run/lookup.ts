/** Finds the program of a name (XCU 2.9.1.4): an applet of the box itself, or a file of PATH. */
import { Applet } from '../../applet';
import { find } from '../../applets/table';
import { baseName } from '../../io/paths';
import { Stat, statPath } from '../../wasi/stat';
import { Shell } from '../state/shell';

export const NOT_FOUND: i32 = 0;
/** There is such a file, and it cannot be run. */
export const DENIED: i32 = 1;
/** The box itself under one of its names. */
export const BOX: i32 = 2;
export const PROGRAM: i32 = 3;

export const DEFAULT_PATH: string = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Every image with the box has it under this name; without it, its applets are found without PATH. */
const BOX_PATH: string = '/bin/box';
const BOX_NAME: string = 'box';

export class Found {
  constructor(
    public kind: i32,
    /** As it is called; for a name without a slash, with its directory. */
    public path: string,
  ) {}

  get applet(): Applet | null {
    return this.kind == BOX ? find(baseName(this.path)) : null;
  }

  get isShell(): bool {
    return this.kind == BOX && isShellName(baseName(this.path));
  }
}

export function isShellName(name: string): bool {
  return name == 'sh' || name == '-sh' || name == 'ash' || name == 'dash';
}

/** `path`: where to look, in place of the shell's PATH. */
export function lookUp(shell: Shell, name: string, path: string | null = null): Found {
  if (name.indexOf('/') >= 0) return judge(shell, name);
  if (path === null && shell.paths.has(name)) {
    const known = judge(shell, shell.paths.get(name));
    if (known.kind >= BOX) return known;
    shell.paths.delete(name);
  }
  const variable = shell.variables.get('PATH');
  const list = path !== null ? path : variable === null ? DEFAULT_PATH : variable;
  let denied: Found | null = null;
  for (let start = 0; start <= list.length; ) {
    let end = list.indexOf(':', start);
    if (end < 0) end = list.length;
    const directory = end == start ? '.' : list.substring(start, end);
    start = end + 1;
    const found = judge(shell, directory.endsWith('/') ? directory + name : `${directory}/${name}`);
    if (found.kind == NOT_FOUND) continue;
    if (found.kind == DENIED) {
      if (denied === null) denied = found;
      continue;
    }
    if (path === null) shell.paths.set(name, found.path);
    return found;
  }
  if (denied !== null) return denied;
  if (isOfBox(name) && !hasBox()) return new Found(BOX, name);
  return new Found(NOT_FOUND, name);
}

function judge(shell: Shell, path: string): Found {
  const stat = new Stat();
  if (statPath(shell.absolute(path), true, stat) < 0) return new Found(NOT_FOUND, path);
  if (!stat.isFile || (stat.mode & 0o111) == 0) return new Found(DENIED, path);
  return new Found(isOfBox(baseName(path)) && isBox(path, stat) ? BOX : PROGRAM, path);
}

function isOfBox(name: string): bool {
  return name == BOX_NAME || isShellName(name) || find(name) !== null;
}

let boxKnown: bool = false;
let boxDev: u64 = 0;
let boxIno: u64 = 0;

function hasBox(): bool {
  const stat = new Stat();
  boxKnown = statPath(BOX_PATH, true, stat) == 0;
  boxDev = stat.dev;
  boxIno = stat.ino;
  return boxKnown;
}

function isBox(path: string, stat: Stat): bool {
  if (!boxKnown && !hasBox()) return path.startsWith('/bin/') || path.startsWith('/usr/bin/');
  return stat.dev == boxDev && stat.ino == boxIno;
}

/** The file to start for a shell of its own. */
export function boxPath(shell: Shell): string {
  return hasBox() ? BOX_PATH : lookUp(shell, 'sh').path;
}
