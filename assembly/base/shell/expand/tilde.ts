/** Tilde expansion (XCU 2.6.1). */
import { FdReader, Reader } from '../../io/reader';
import { openFile, READ } from '../../wasi/files';
import { Shell } from '../state/shell';
import { COLON, SLASH } from '../syntax/characters';
import { TextBuffer } from '../text-buffer';
import { IS_QUOTED } from './units';

/**
 * At a tilde at `start` of a literal: appends where it leads and gives the position behind it; `start` where it stands for
 * itself. `isLast`: nothing follows the literal; otherwise a prefix that goes up to its end has something quoted or
 * expanded in it.
 */
export function expandTilde(
  shell: Shell,
  text: string,
  start: i32,
  isLast: bool,
  isAssignment: bool,
  out: TextBuffer,
): i32 {
  let end = start + 1;
  while (end < text.length) {
    const unit = text.charCodeAt(end);
    if (unit == SLASH || (isAssignment && unit == COLON)) break;
    end++;
  }
  if (end == text.length && !isLast) return start;
  const user = text.substring(start + 1, end);
  const home = user.length == 0 ? shell.variables.get('HOME') : homeOf(user);
  if (home === null) return start;
  out.appendFlagged(home, IS_QUOTED);
  // "~/" is one slash where home is the root
  if (
    home.length > 0 &&
    home.charCodeAt(home.length - 1) == SLASH &&
    end < text.length &&
    text.charCodeAt(end) == SLASH
  )
    return end + 1;
  return end;
}

/** Of a user in /etc/passwd: name:password:uid:gid:gecos:home:shell. */
function homeOf(user: string): string | null {
  const fd = openFile('/etc/passwd', READ);
  if (fd < 0) return null;
  const reader: Reader = new FdReader(fd);
  let home: string | null = null;
  while (true) {
    const line = reader.line();
    if (line === null) break;
    const fields = line.split(':');
    if (fields.length < 6 || fields[0] != user) continue;
    home = fields[5];
    break;
  }
  reader.close();
  return home;
}
