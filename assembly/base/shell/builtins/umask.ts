/** umask. */
import { setUmask } from '../../wasi/process';
import { Shell } from '../state/shell';

/** How often the process' mask was changed: a subshell that did puts it back. */
export let umaskChanges: i32 = 0;

export function umask(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let isSymbolic = false;
  if (at < args.length && args[at] == '-S') {
    isSymbolic = true;
    at++;
  }
  if (at < args.length && args[at] == '--') at++;
  if (at >= args.length) {
    const mask = shell.umask;
    if (isSymbolic) shell.stdout().line(`u=${letters(mask >> 6)},g=${letters(mask >> 3)},o=${letters(mask)}`);
    else shell.stdout().line(octal(mask));
    return 0;
  }
  const text = args[at];
  const mask = text.length > 0 && text.charCodeAt(0) <= 0x39 ? parseOctal(text) : parseSymbolic(text, shell.umask);
  if (mask < 0) {
    shell.complain(`umask: illegal mode: ${text}`);
    return 2;
  }
  shell.umask = mask;
  umaskChanges++;
  setUmask(mask);
  return 0;
}

function octal(mask: i32): string {
  return `0${(mask >> 6) & 7}${(mask >> 3) & 7}${mask & 7}`;
}

/** What is not masked. */
function letters(mask: i32): string {
  return `${mask & 4 ? '' : 'r'}${mask & 2 ? '' : 'w'}${mask & 1 ? '' : 'x'}`;
}

function parseOctal(text: string): i32 {
  let mask = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 7 || text.length > 4) return -1;
    mask = mask * 8 + digit;
  }
  return mask > 0o777 ? -1 : mask;
}

/** `u=rwx,g-w`: of what is allowed, the contrary of the mask. */
function parseSymbolic(text: string, mask: i32): i32 {
  let allowed = ~mask & 0o777;
  let at = 0;
  while (true) {
    let who = 0;
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit == 0x75) who |= 0o700;
      else if (unit == 0x67) who |= 0o070;
      else if (unit == 0x6f) who |= 0o007;
      else if (unit == 0x61) who |= 0o777;
      else break;
    }
    if (who == 0) who = 0o777;
    if (at >= text.length) return -1;
    const operator = text.charCodeAt(at++);
    if (operator != 0x3d && operator != 0x2b && operator != 0x2d) return -1;
    let bits = 0;
    for (; at < text.length && text.charCodeAt(at) != 0x2c; at++) {
      const unit = text.charCodeAt(at);
      if (unit == 0x72) bits |= 0o444;
      else if (unit == 0x77) bits |= 0o222;
      else if (unit == 0x78) bits |= 0o111;
      else return -1;
    }
    bits &= who;
    if (operator == 0x2b) allowed |= bits;
    else if (operator == 0x2d) allowed &= ~bits;
    else allowed = (allowed & ~who) | bits;
    if (at >= text.length) return ~allowed & 0o777;
    at++;
  }
}
