/** command, type: what a name stands for, and running it without functions. */

import { BOX, DEFAULT_PATH, lookUp, PROGRAM } from '../run/lookup';
import { runProgram } from '../run/programs';
import { runWithoutFunctions } from '../run/simple';
import { Shell } from '../state/shell';
import { isReserved } from '../syntax/parser';
import { builtinOf, isSpecial } from './table';

export function command(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let shows = false;
  let tells = false;
  let path: string | null = null;
  for (; at < args.length; at++) {
    const option = args[at];
    if (option == '--') {
      at++;
      break;
    }
    if (option.length < 2 || option.charCodeAt(0) != 0x2d) break;
    for (let i = 1; i < option.length; i++) {
      const letter = option.charAt(i);
      if (letter == 'v') shows = true;
      else if (letter == 'V') tells = true;
      else if (letter == 'p') path = DEFAULT_PATH;
      else {
        shell.complain(`command: illegal option -${letter}`);
        return 2;
      }
    }
  }
  if (at >= args.length) return 0;
  if (shows || tells) {
    let status = 0;
    for (; at < args.length; at++) {
      const found = describe(shell, args[at], path, tells);
      if (!found) status = 127;
    }
    return status;
  }
  const rest = args.slice(at);
  if (path !== null && builtinOf(rest[0]) === null) return runProgram(shell, rest, path);
  if (rest[0] == 'exec') {
    // its redirections are those of the whole command
    if (rest.length == 1) return 0;
    const status = runProgram(shell, rest.slice(1));
    shell.exit(status);
    return status;
  }
  return runWithoutFunctions(shell, rest);
}

export function type(shell: Shell, args: Array<string>): i32 {
  let status = 0;
  for (let i = 1; i < args.length; i++) if (!describe(shell, args[i], null, true)) status = 127;
  return status;
}

/** One line about a name; false where it is nothing. */
function describe(shell: Shell, name: string, path: string | null, tells: bool): bool {
  const out = shell.stdout();
  if (isReserved(name)) {
    out.line(tells ? `${name} is a shell keyword` : name);
    return true;
  }
  if (isSpecial(name)) {
    out.line(tells ? `${name} is a special shell builtin` : name);
    return true;
  }
  if (shell.functions.has(name)) {
    out.line(tells ? `${name} is a shell function` : name);
    return true;
  }
  if (builtinOf(name) !== null) {
    out.line(tells ? `${name} is a shell builtin` : name);
    return true;
  }
  const found = lookUp(shell, name, path);
  if (found.kind == PROGRAM || found.kind == BOX) {
    const place = name.indexOf('/') < 0 ? shell.absolute(found.path) : found.path;
    out.line(tells ? `${name} is ${place}` : place);
    return true;
  }
  if (tells) out.line(`${name}: not found`);
  return false;
}
