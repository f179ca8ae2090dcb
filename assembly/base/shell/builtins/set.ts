/** set and shift. */
import { describeOptions, INTERACTIVE, optionOfLetter, optionOfName, STDIN } from '../state/options';
import { Shell } from '../state/shell';
import { alwaysQuoted } from '../syntax/quote';
import { countOf } from './control';

export function set(shell: Shell, args: Array<string>): i32 {
  if (args.length == 1) {
    const names = shell.variables.sortedNames();
    for (let i = 0; i < names.length; i++) {
      const value = shell.variables.get(names[i]);
      if (value !== null) shell.stdout().line(`${names[i]}=${alwaysQuoted(value)}`);
    }
    return 0;
  }
  let at = 1;
  for (; at < args.length; at++) {
    const word = args[at];
    if (word == '--') {
      shell.positional = args.slice(at + 1);
      return 0;
    }
    if (word == '-') {
      // as in old scripts: no more tracing, and what follows are parameters
      at++;
      break;
    }
    const sign = word.length > 0 ? word.charCodeAt(0) : 0;
    if ((sign != 0x2d && sign != 0x2b) || word.length < 2) break;
    for (let i = 1; i < word.length; i++) {
      const letter = word.charAt(i);
      if (letter == 'o') {
        if (at + 1 >= args.length) {
          shell.stdout().write(describeOptions(shell.options, sign == 0x2b));
          return 0;
        }
        at++;
        if (!switchOption(shell, optionOfName(args[at]), sign == 0x2d, `-o ${args[at]}`)) return 2;
      } else if (!switchOption(shell, optionOfLetter(letter), sign == 0x2d, `-${letter}`)) return 2;
    }
  }
  if (at < args.length) shell.positional = args.slice(at);
  return 0;
}

function switchOption(shell: Shell, option: i32, isOn: bool, name: string): bool {
  if (option == 0 || option == INTERACTIVE || option == STDIN) {
    shell.fail(`set: illegal option ${name}`);
    return false;
  }
  if (isOn) shell.options |= option;
  else shell.options &= ~option;
  return true;
}

export function shift(shell: Shell, args: Array<string>): i32 {
  const count = countOf(shell, args, 0, 1);
  if (count < 0) return 2;
  if (count > shell.positional.length) {
    shell.fail("shift: can't shift that many");
    return 2;
  }
  shell.positional = shell.positional.slice(count);
  return 0;
}
