/** getopts: one option at a time (XBD 12.2). */
import { Shell } from '../state/shell';
import { isName } from '../syntax/characters';

const COLON: i32 = 0x3a;

export function getopts(shell: Shell, args: Array<string>): i32 {
  if (args.length < 3) {
    shell.complain('getopts: usage: getopts optstring name [arg ...]');
    return 2;
  }
  const wanted = args[1];
  const name = args[2];
  if (!isName(name)) {
    shell.complain(`getopts: ${name}: bad variable name`);
    return 2;
  }
  const given = args.length > 3 ? args.slice(3) : shell.positional;
  const quiet = wanted.length > 0 && wanted.charCodeAt(0) == COLON;
  let index = numberOf(shell.variables.text('OPTIND'));
  // an offset belongs to the index it was made with
  let offset = shell.optionOffset;
  if (index < 1) index = 1;
  const current = index <= given.length ? given[index - 1] : '';
  if (offset == 0) {
    if (index > given.length || current.length < 2 || current.charCodeAt(0) != 0x2d) return done(shell, name, index);
    if (current == '--') return done(shell, name, index + 1);
    offset = 1;
  }
  if (offset >= current.length) return done(shell, name, index);
  const letter = current.charAt(offset);
  const position = letter == ':' ? -1 : wanted.indexOf(letter, quiet ? 1 : 0);
  offset++;
  const isLast = offset >= current.length;
  if (position < 0) {
    advance(shell, isLast ? index + 1 : index, isLast ? 0 : offset);
    if (quiet) shell.assign('OPTARG', letter);
    else {
      shell.variables.unset('OPTARG');
      shell.complain(`illegal option -- ${letter}`);
    }
    shell.assign(name, '?');
    return 0;
  }
  const takes = position + 1 < wanted.length && wanted.charCodeAt(position + 1) == COLON;
  if (!takes) {
    advance(shell, isLast ? index + 1 : index, isLast ? 0 : offset);
    shell.variables.unset('OPTARG');
    return shell.assign(name, letter) ? 0 : 2;
  }
  if (!isLast) {
    advance(shell, index + 1, 0);
    shell.assign('OPTARG', current.substring(offset));
    return shell.assign(name, letter) ? 0 : 2;
  }
  if (index >= given.length) {
    advance(shell, index + 1, 0);
    if (quiet) {
      shell.assign('OPTARG', letter);
      shell.assign(name, ':');
    } else {
      shell.variables.unset('OPTARG');
      shell.complain(`option requires an argument -- ${letter}`);
      shell.assign(name, '?');
    }
    return 0;
  }
  advance(shell, index + 2, 0);
  shell.assign('OPTARG', given[index]);
  return shell.assign(name, letter) ? 0 : 2;
}

function done(shell: Shell, name: string, index: i32): i32 {
  advance(shell, index, 0);
  shell.variables.unset('OPTARG');
  shell.assign(name, '?');
  return 1;
}

function advance(shell: Shell, index: i32, offset: i32): void {
  shell.assign('OPTIND', index.toString());
  // after the assignment, which begins anew
  shell.optionOffset = offset;
}

function numberOf(text: string): i32 {
  let value = 0;
  for (let i = 0; i < text.length && i < 9; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return 1;
    value = value * 10 + digit;
  }
  return text.length == 0 ? 1 : value;
}
