/** export, readonly, local, unset. */
import { Shell } from '../state/shell';
import { isName } from '../syntax/characters';
import { alwaysQuoted } from '../syntax/quote';

export function exportVariables(shell: Shell, args: Array<string>): i32 {
  return declare(shell, args, true);
}

export function readonlyVariables(shell: Shell, args: Array<string>): i32 {
  return declare(shell, args, false);
}

function declare(shell: Shell, args: Array<string>, exports: bool): i32 {
  let at = 1;
  if (at < args.length && args[at] == '-p') at++;
  else if (at < args.length && args[at] == '--') at++;
  if (at >= args.length) return list(shell, args[0], exports);
  for (; at < args.length; at++) {
    const text = args[at];
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.substring(0, equals);
    if (!isName(name)) {
      shell.fail(`${args[0]}: ${name}: bad variable name`);
      return 2;
    }
    if (equals >= 0 && !shell.assign(name, text.substring(equals + 1))) return 2;
    if (exports) shell.variables.export(name, true);
    else shell.variables.protect(name);
  }
  return 0;
}

function list(shell: Shell, command: string, exports: bool): i32 {
  const names = shell.variables.sortedNames();
  for (let i = 0; i < names.length; i++) {
    const variable = shell.variables.find(names[i]);
    if (variable === null || !(exports ? variable.exported : variable.readonly)) continue;
    const value = variable.value;
    const tail = value === null ? '' : `=${alwaysQuoted(value)}`;
    shell.stdout().line(`${command} ${names[i]}${tail}`);
  }
  return 0;
}

export function local(shell: Shell, args: Array<string>): i32 {
  if (!shell.variables.inFunction) {
    shell.fail('local: not in a function');
    return 2;
  }
  for (let i = 1; i < args.length; i++) {
    const text = args[i];
    if (text == '-' || text == '--') continue;
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.substring(0, equals);
    if (!isName(name)) {
      shell.fail(`local: ${name}: bad variable name`);
      return 2;
    }
    shell.variables.makeLocal(name);
    if (equals >= 0 && !shell.assign(name, text.substring(equals + 1))) return 2;
  }
  return 0;
}

export function unset(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let functions = false;
  let variables = false;
  for (; at < args.length; at++) {
    if (args[at] == '-f') functions = true;
    else if (args[at] == '-v') variables = true;
    else break;
  }
  if (at < args.length && args[at] == '--') at++;
  for (; at < args.length; at++) {
    const name = args[at];
    if (functions) {
      shell.functions.delete(name);
      continue;
    }
    if (!isName(name)) {
      shell.fail(`unset: ${name}: bad variable name`);
      return 2;
    }
    if (shell.variables.isReadonly(name)) {
      shell.fail(`unset: ${name}: is read only`);
      return 2;
    }
    if (!variables && shell.variables.find(name) === null) shell.functions.delete(name);
    shell.variables.unset(name);
    if (name == 'PATH') shell.paths.clear();
  }
  return 0;
}
