/** read: one line into variables (XCU read). */
import { EINTR, errorText } from '../../wasi/errno';
import { Expander } from '../expand/expander';
import { isSeparator, isWhite } from '../expand/fields';
import { IS_QUOTED, stripUnits } from '../expand/units';
import { runPendingTraps } from '../run/signals';
import { spare } from '../state/open-files';
import { Shell } from '../state/shell';
import { BACKSLASH, isName, NEWLINE } from '../syntax/characters';
import { TextBuffer } from '../text-buffer';

export function read(shell: Shell, args: Array<string>): i32 {
  let at = 1;
  let isRaw = false;
  let prompt = '';
  let delimiter = NEWLINE;
  for (; at < args.length; at++) {
    const option = args[at];
    if (option == '--') {
      at++;
      break;
    }
    if (option.length < 2 || option.charCodeAt(0) != 0x2d) break;
    for (let i = 1; i < option.length; i++) {
      const letter = option.charAt(i);
      if (letter == 'r') {
        isRaw = true;
        continue;
      }
      if (letter != 'p' && letter != 'd') {
        shell.complain(`read: illegal option -${letter}`);
        return 2;
      }
      let value = option.substring(i + 1);
      if (value.length == 0 && ++at < args.length) value = args[at];
      if (letter == 'p') prompt = value;
      else delimiter = value.length == 0 ? 0 : value.charCodeAt(0);
      break;
    }
  }
  if (at >= args.length) {
    shell.complain('read: arg count');
    return 2;
  }
  for (let i = at; i < args.length; i++) {
    if (isName(args[i])) continue;
    shell.complain(`read: ${args[i]}: bad variable name`);
    return 2;
  }
  if (prompt.length > 0) {
    shell.stderr().write(prompt);
    shell.stderr().flush();
  }
  const line = new TextBuffer();
  const reader = shell.stdin();
  spare(reader, true);
  const ended = readLine(shell, line, isRaw, delimiter);
  spare(reader, false);
  if (!assignFields(shell, line.toString(), args, at)) return 2;
  return ended ? 0 : 1;
}

/** The line, escaped units flagged as quoted; false where the input ended before it did. */
function readLine(shell: Shell, line: TextBuffer, isRaw: bool, delimiter: i32): bool {
  const reader = shell.stdin();
  if (reader.error != 0) {
    const error = reader.error;
    reader.error = 0;
    shell.complain(`read: ${errorText(error)}`);
    return false;
  }
  while (true) {
    let byte = reader.byte();
    if (byte < 0) {
      if (reader.error == EINTR) {
        reader.error = 0;
        runPendingTraps(shell);
      }
      return false;
    }
    if (byte == delimiter) return true;
    if (byte == BACKSLASH && !isRaw) {
      byte = reader.byte();
      if (byte < 0) return false;
      if (byte == NEWLINE) continue;
      if (byte != 0) line.push(byte | IS_QUOTED);
    } else if (byte != 0) {
      line.push(byte);
    }
  }
}

/** Each name gets a field, the last one the rest of the line. */
function assignFields(shell: Shell, line: string, args: Array<string>, first: i32): bool {
  const separators = new Expander(shell).separators();
  let at = 0;
  const length = line.length;
  while (at < length && isBlank(line, at, separators)) at++;
  for (let i = first; i < args.length; i++) {
    if (i == args.length - 1) return shell.assign(args[i], stripUnits(lastField(line, at, separators)));
    const start = at;
    while (at < length && !separates(line, at, separators)) at++;
    const field = line.substring(start, at);
    at = skipSeparator(line, at, separators);
    if (!shell.assign(args[i], stripUnits(field))) return false;
  }
  return true;
}

/** The rest without the white space at its end, and without one separator if that is all there is after the field. */
function lastField(line: string, start: i32, separators: string): string {
  let end = line.length;
  while (end > start && isBlank(line, end - 1, separators)) end--;
  let at = start;
  while (at < end && !separates(line, at, separators)) at++;
  if (at < end && skipSeparator(line, at, separators) >= end) end = at;
  return line.substring(start, end);
}

/** Behind white space, at most one other separator, and white space. */
function skipSeparator(line: string, from: i32, separators: string): i32 {
  let at = from;
  while (at < line.length && isBlank(line, at, separators)) at++;
  if (at < line.length && separates(line, at, separators)) {
    at++;
    while (at < line.length && isBlank(line, at, separators)) at++;
  }
  return at;
}

function separates(line: string, at: i32, separators: string): bool {
  const unit = line.charCodeAt(at);
  return (unit & IS_QUOTED) == 0 && isSeparator(unit, separators);
}

function isBlank(line: string, at: i32, separators: string): bool {
  return separates(line, at, separators) && isWhite(line.charCodeAt(at));
}
