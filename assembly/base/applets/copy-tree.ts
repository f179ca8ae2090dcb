/** What cp, mv and install share: one file or tree to another name. */
import { Context } from '../applet';
import { cannot, complain } from '../io/messages';
import { absolute, dirName, join } from '../io/paths';
import { Text } from '../io/text';
import { realPath, statError, statOf } from '../io/walk';
import { EEXIST, ENOENT, errorText } from '../wasi/errno';
import {
  CREATE,
  changeMode,
  changeOwner,
  closeFile,
  EXCLUSIVE,
  linkFile,
  linkTarget,
  makeDirectory,
  makeSymbolicLink,
  openFile,
  READ,
  readDirectory,
  readFile,
  readLink,
  removeFile,
  setTimes,
  TIME_ATIME,
  TIME_MTIME,
  TRUNCATE,
  WRITE,
  writeFile,
} from '../wasi/files';
import { processIds } from '../wasi/process';
import { Stat } from '../wasi/stat';

const BLOCK: i32 = 1 << 17;
export const FOLLOW_NEVER: i32 = 0;
export const FOLLOW_OPERANDS: i32 = 1;
export const FOLLOW_ALWAYS: i32 = 2;

export class Copier {
  recursive: bool = false;
  follow: i32 = FOLLOW_ALWAYS;
  keepMode: bool = false;
  keepOwner: bool = false;
  keepTimes: bool = false;
  keepLinks: bool = false;
  force: bool = false;
  noClobber: bool = false;
  update: bool = false;
  verbose: bool = false;
  ask: bool = false;
  hardLinks: bool = false;
  symbolicLinks: bool = false;
  removeFirst: bool = false;
  status: i32 = 0;
  /** `dev:ino` of what has several names, to the first of them at the destination. */
  private seen: Map<string, string> = new Map();
  private buffer: Text = new Text(BLOCK);
  private umask: i32;

  constructor(
    public context: Context,
    public name: string,
  ) {
    this.umask = processIds().umask;
  }

  fail(what: string, path: string, errno: i32): void {
    cannot(this.context, this.name, what, path, errno);
    this.status = 1;
  }

  refuse(text: string): void {
    complain(this.context, this.name, text);
    this.status = 1;
  }

  /** Copies `from` to the name `to`. `operand`: it was named on the command line. */
  copy(from: string, to: string, operand: bool): void {
    const context = this.context;
    const follow = this.follow == FOLLOW_ALWAYS || (operand && this.follow == FOLLOW_OPERANDS);
    const source = statOf(context, from, follow);
    if (source == null) {
      this.fail('stat', from, statError());
      return;
    }
    if (source.isDirectory && !this.recursive) {
      this.refuse(`-r not specified; omitting directory '${from}'`);
      return;
    }
    let target = statOf(context, to, false);
    if (target != null && target.isLink && !source.isLink && !this.removeFirst) {
      const behind = statOf(context, to, true);
      if (behind != null) target = behind;
    }
    if (target != null) {
      if (target.dev == source.dev && target.ino == source.ino) {
        if (this.hardLinks) return;
        this.refuse(`'${from}' and '${to}' are the same file`);
        return;
      }
      if (source.isDirectory && !target.isDirectory) {
        this.refuse(`cannot overwrite non-directory '${to}' with directory '${from}'`);
        return;
      }
      if (!source.isDirectory) {
        if (target.isDirectory) {
          this.refuse(`cannot overwrite directory '${to}' with non-directory '${from}'`);
          return;
        }
        if (this.noClobber || (this.update && target.mtime >= source.mtime)) return;
        if (this.ask && !this.confirmed(to)) return;
      }
    }
    if (source.isDirectory) this.directory(from, to, source, target);
    else this.single(from, to, source, target);
  }

  private confirmed(path: string): bool {
    this.context.stderr.write(`${this.name}: overwrite '${path}'? `);
    this.context.stderr.flush();
    const answer = this.context.stdin.line();
    return answer != null && answer.length > 0 && (answer.charCodeAt(0) | 32) == 121;
  }

  private directory(from: string, to: string, source: Stat, target: Stat | null): void {
    const context = this.context;
    const realFrom = realPath(context, from, 0);
    const realTo = realPath(context, to, 1);
    if (realTo == realFrom || realTo.startsWith(realFrom == '/' ? '/' : `${realFrom}/`)) {
      this.refuse(`cannot copy a directory, '${from}', into itself, '${to}'`);
      return;
    }
    const names: string[] = [];
    let errno = readDirectory(absolute(context, from), names);
    if (errno < 0) {
      this.fail('access', from, errno);
      return;
    }
    const full = absolute(context, to);
    if (target == null) {
      errno = makeDirectory(full);
      if (errno < 0) {
        this.fail('create directory', to, errno);
        return;
      }
      if (this.verbose) context.stdout.line(`'${from}' -> '${to}'`);
    }
    for (let i = 0; i < names.length; i++) this.copy(join(from, names[i]), join(to, names[i]), false);
    if (target == null || this.keepMode) this.attributes(to, source, target == null);
  }

  private single(from: string, to: string, source: Stat, target: Stat | null): void {
    const context = this.context;
    const fullFrom = absolute(context, from);
    const full = absolute(context, to);
    const key = `${source.dev}:${source.ino}`;
    if (target != null && (this.removeFirst || source.isLink || this.hardLinks || this.symbolicLinks)) {
      if (!this.removeFirst && !source.isLink && !this.force) {
        this.fail(this.hardLinks ? `create hard link` : 'create symbolic link', to, EEXIST);
        return;
      }
      const errno = removeFile(full);
      if (errno < 0) {
        this.fail('remove', to, errno);
        return;
      }
      target = null;
    }
    let errno = 0;
    if (this.keepLinks && source.nlink > 1 && this.seen.has(key)) {
      if (target != null) removeFile(full);
      errno = linkFile(absolute(context, this.seen.get(key)), full);
      if (errno < 0) this.fail('create hard link', to, errno);
      return;
    }
    if (this.hardLinks) {
      errno = linkFile(fullFrom, full);
    } else if (this.symbolicLinks) {
      errno = makeSymbolicLink(from, full);
    } else if (source.isLink) {
      errno = readLink(fullFrom);
      if (errno == 0) errno = makeSymbolicLink(linkTarget, full);
      if (errno == 0 && (this.keepOwner || this.keepTimes)) this.attributes(to, source, false);
    } else if (!source.isFile && this.recursive) {
      this.refuse(`cannot create special file '${to}': ${errorText(58)}`);
      return;
    } else if (!this.content(from, to, target)) {
      return;
    } else {
      this.attributes(to, source, target == null);
    }
    if (errno < 0) {
      this.fail('create', to, errno);
      return;
    }
    if (this.keepLinks && source.nlink > 1) this.seen.set(key, to);
    if (this.verbose) context.stdout.line(`'${from}' -> '${to}'`);
  }

  /** The bytes of a file; false once told that something failed. */
  content(from: string, to: string, target: Stat | null): bool {
    const context = this.context;
    const input = openFile(absolute(context, from), READ);
    if (input < 0) {
      complain(context, this.name, `cannot open '${from}' for reading: ${errorText(input)}`);
      this.status = 1;
      return false;
    }
    const full = absolute(context, to);
    let output = openFile(full, WRITE | CREATE | TRUNCATE);
    if (output < 0 && target != null && this.force && removeFile(full) == 0) {
      output = openFile(full, WRITE | CREATE | EXCLUSIVE);
    }
    if (output < 0) {
      closeFile(input);
      this.fail('create regular file', to, output == -ENOENT && to.endsWith('/') ? 54 : output);
      return false;
    }
    const buffer = changetype<usize>(this.buffer.bytes);
    let errno = 0;
    let isRead = true;
    for (;;) {
      const count = readFile(input, buffer, BLOCK);
      if (count <= 0) {
        errno = count;
        break;
      }
      let done = 0;
      while (done < count && errno == 0) {
        const written = writeFile(output, buffer + done, count - done);
        if (written < 0) errno = written;
        else done += written;
      }
      if (errno < 0) {
        isRead = false;
        break;
      }
    }
    closeFile(input);
    const closed = closeFile(output);
    if (errno == 0 && closed < 0) {
      errno = closed;
      isRead = false;
    }
    if (errno == 0) return true;
    this.refuse(`error ${isRead ? `reading '${from}'` : `writing '${to}'`}: ${errorText(errno)}`);
    return false;
  }

  /** Mode, owner and times as asked; a new file gets the mode of its source less the umask in any case. */
  attributes(to: string, source: Stat, isNew: bool): void {
    const full = absolute(this.context, to);
    let errno = 0;
    if (this.keepOwner) {
      // only root may give files away: for anybody else that is no error
      errno = changeOwner(full, false, source.uid, source.gid);
      if (errno < 0 && processIds().uid != 0) errno = 0;
    }
    if (errno == 0 && !source.isLink) {
      if (this.keepMode) errno = changeMode(full, true, source.mode & 0o7777);
      else if (isNew) errno = changeMode(full, true, source.mode & 0o777 & ~this.umask);
    }
    if (errno == 0 && this.keepTimes) {
      errno = setTimes(full, !source.isLink, source.atime, source.mtime, TIME_ATIME | TIME_MTIME);
    }
    if (errno < 0) {
      this.refuse(`preserving attributes of '${to}': ${errorText(errno)}`);
    }
  }

  /** Makes the directories of `from` below `target`, as --parents does. */
  parents(target: string, from: string): bool {
    const parent = dirName(from);
    if (parent == '.' || parent == '/') return true;
    const parts = parent.split('/');
    let below = '';
    let above = parent.startsWith('/') ? '/' : '';
    for (let i = 0; i < parts.length; i++) {
      if (parts[i] == '') continue;
      below = below == '' ? parts[i] : join(below, parts[i]);
      above = above == '' ? parts[i] : join(above, parts[i]);
      const errno = makeDirectory(absolute(this.context, join(target, below)));
      if (errno < 0 && errno != -EEXIST) {
        this.fail('make directory', join(target, below), errno);
        return false;
      }
      const source = errno == 0 ? statOf(this.context, above, true) : null;
      if (source != null) this.attributes(join(target, below), source, true);
    }
    return true;
  }
}
