/** What `set` switches: a letter, a name, or both for each. */

export const ALL_EXPORT: i32 = 1 << 0;
export const ERREXIT: i32 = 1 << 1;
export const NO_GLOB: i32 = 1 << 2;
export const NO_CLOBBER: i32 = 1 << 3;
export const NO_EXEC: i32 = 1 << 4;
export const NO_UNSET: i32 = 1 << 5;
export const VERBOSE: i32 = 1 << 6;
export const XTRACE: i32 = 1 << 7;
export const PIPEFAIL: i32 = 1 << 8;
export const INTERACTIVE: i32 = 1 << 9;
export const STDIN: i32 = 1 << 10;
/** Those that change nothing here: jobs are not controlled, nothing is kept of what was typed. */
export const MONITOR: i32 = 1 << 11;
export const NOTIFY: i32 = 1 << 12;
export const HASH_ALL: i32 = 1 << 13;
export const IGNORE_EOF: i32 = 1 << 14;
export const NO_LOG: i32 = 1 << 15;
export const VI: i32 = 1 << 16;
export const EMACS: i32 = 1 << 17;

/** By name, in order: bit, letter or a space. */
const NAMES: StaticArray<string> = [
  'allexport',
  'emacs',
  'errexit',
  'ignoreeof',
  'interactive',
  'monitor',
  'noclobber',
  'noexec',
  'noglob',
  'nolog',
  'notify',
  'nounset',
  'pipefail',
  'stdin',
  'verbose',
  'vi',
  'xtrace',
];
const BITS: StaticArray<i32> = [
  ALL_EXPORT,
  EMACS,
  ERREXIT,
  IGNORE_EOF,
  INTERACTIVE,
  MONITOR,
  NO_CLOBBER,
  NO_EXEC,
  NO_GLOB,
  NO_LOG,
  NOTIFY,
  NO_UNSET,
  PIPEFAIL,
  STDIN,
  VERBOSE,
  VI,
  XTRACE,
];
const LETTERS: StaticArray<string> = ['a', '', 'e', '', 'i', 'm', 'C', 'n', 'f', '', 'b', 'u', '', 's', 'v', '', 'x'];

/** 0: no option has that letter. */
export function optionOfLetter(letter: string): i32 {
  if (letter == 'h') return HASH_ALL;
  for (let i = 0; i < LETTERS.length; i++) if (LETTERS[i] == letter) return BITS[i];
  return 0;
}

export function optionOfName(name: string): i32 {
  for (let i = 0; i < NAMES.length; i++) if (NAMES[i] == name) return BITS[i];
  return 0;
}

/** `$-`. */
export function optionLetters(options: i32): string {
  let letters = '';
  for (let i = 0; i < LETTERS.length; i++) if (options & BITS[i]) letters += LETTERS[i];
  return letters;
}

/** What `set -o` prints, or what makes them so again. */
export function describeOptions(options: i32, asCommands: bool): string {
  let text = '';
  for (let i = 0; i < NAMES.length; i++) {
    const isOn = (options & BITS[i]) != 0;
    if (!asCommands) {
      text += `${NAMES[i].padEnd(16)}${isOn ? 'on' : 'off'}\n`;
    } else if (BITS[i] != INTERACTIVE && BITS[i] != STDIN) {
      text += `set ${isOn ? '-' : '+'}o ${NAMES[i]}\n`;
    }
  }
  return text;
}
