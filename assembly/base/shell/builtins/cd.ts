/** cd and pwd: the working directory is the shell's, and goes to programs by name. */
import { components } from '../../io/paths';
import { ENOTDIR, errorText } from '../../wasi/errno';
import { linkTarget, readLink } from '../../wasi/files';
import { Stat, statPath } from '../../wasi/stat';
import { Shell } from '../state/shell';

const MAX_LINKS: i32 = 40;

export function cd(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let isPhysical = false;
  for (; at < args.length; at++) {
    if (args[at] == '-P') isPhysical = true;
    else if (args[at] == '-L') isPhysical = false;
    else break;
  }
  if (at < args.length && args[at] == '--') at++;
  if (args.length - at > 1) {
    shell.complain('cd: too many arguments');
    return 2;
  }
  let target = '';
  let shows = false;
  if (at >= args.length) {
    const home = shell.variables.get('HOME');
    if (home === null || home.length == 0) {
      shell.complain('cd: HOME not set');
      return 2;
    }
    target = home;
  } else if (args[at] == '-') {
    const before = shell.variables.get('OLDPWD');
    if (before === null || before.length == 0) {
      shell.complain('cd: OLDPWD not set');
      return 2;
    }
    target = before;
    shows = true;
  } else {
    target = args[at];
  }
  if (target.length == 0) {
    shell.complain(`cd: can't cd to ${target}: ${errorText(44)}`);
    return 2;
  }
  let path = '';
  let error = 0;
  const isPlain = target.startsWith('/') || isDotted(target);
  const cdPath = shell.variables.get('CDPATH');
  if (!isPlain && cdPath !== null && cdPath.length > 0) {
    const directories = cdPath.split(':');
    for (let i = 0; i < directories.length && path.length == 0; i++) {
      const directory = directories[i];
      const candidate = directory.length == 0 ? target : `${directory}/${target}`;
      const logical = logicalPath(shell, candidate);
      if (check(logical) < 0) continue;
      path = logical;
      shows = shows || directory.length > 0;
    }
  }
  if (path.length == 0) {
    path = isPhysical ? shell.absolute(target) : logicalPath(shell, target);
    error = check(path);
  }
  if (error < 0) {
    shell.complain(`cd: can't cd to ${target}: ${errorText(error)}`);
    return 2;
  }
  if (isPhysical) path = physicalPath(path);
  if (!changeTo(shell, path)) return 2;
  if (shows) shell.stdout().line(path);
  return 0;
}

function changeTo(shell: Shell, path: string): bool {
  const before = shell.variables.get('PWD');
  if (!shell.assign('OLDPWD', before === null ? shell.cwd : before, true)) return false;
  shell.cwd = path;
  // what was found by a relative part of PATH may be elsewhere now
  shell.paths.clear();
  return shell.assign('PWD', path, true);
}

function isDotted(path: string): bool {
  return path == '.' || path == '..' || path.startsWith('./') || path.startsWith('../');
}

function check(path: string): i32 {
  const stat = new Stat();
  const error = statPath(path, true, stat);
  if (error < 0) return error;
  return stat.isDirectory ? 0 : -ENOTDIR;
}

/** Absolute, with `.` and `..` taken out by name. */
function logicalPath(shell: Shell, path: string): string {
  const parts = components(shell.absolute(path));
  const kept: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    if (parts[i] != '..') kept.push(parts[i]);
    else if (kept.length > 0) {
      // where it cannot be gone into, it cannot be gone out of
      if (check(`/${kept.join('/')}`) < 0) return shell.absolute(path);
      kept.pop();
    }
  }
  return `/${kept.join('/')}`;
}

/** Absolute, and no component is a link. */
export function physicalPath(path: string): string {
  let parts = components(path);
  let done = '';
  let links = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i];
    if (part == '..') {
      done = done.substring(0, max(done.lastIndexOf('/'), 0));
      continue;
    }
    const here = `${done}/${part}`;
    if (readLink(here) < 0 || ++links > MAX_LINKS) {
      done = here;
      continue;
    }
    const target = linkTarget;
    if (target.startsWith('/')) done = '';
    parts = components(target).concat(parts.slice(i + 1));
    i = -1;
  }
  return done.length == 0 ? '/' : done;
}

export function pwd(shell: Shell, args: Array<string>): i32 {
  let isPhysical = false;
  for (let i = 1; i < args.length; i++) {
    if (args[i] == '-P') isPhysical = true;
    else if (args[i] == '-L') isPhysical = false;
    else if (args[i].startsWith('-') && args[i] != '--') {
      shell.complain(`pwd: illegal option ${args[i]}`);
      return 2;
    }
  }
  shell.stdout().line(isPhysical ? physicalPath(shell.cwd) : shell.cwd);
  return 0;
}
