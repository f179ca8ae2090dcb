/** tar x, tar t */
import { Context } from '../applet';
import { Member, TarReader } from '../archive/tar-format';
import { complain } from '../io/messages';
import { modeText } from '../io/modes';
import { absolute, components, dirName, trimmed } from '../io/paths';
import { groupId, userId } from '../io/users';
import { isDirectory, statOf } from '../io/walk';
import { realTime } from '../wasi/clock';
import { EEXIST, ENOENT, errorText } from '../wasi/errno';
import {
  CREATE,
  changeMode,
  changeOwner,
  closeFile,
  EXCLUSIVE,
  linkFile,
  makeDirectory,
  makeSymbolicLink,
  openFile,
  removeDirectory,
  removeFile,
  setTimes,
  TIME_ATIME,
  TIME_MTIME,
  WRITE,
  writeFile,
} from '../wasi/files';
import { processIds } from '../wasi/process';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../wasi/stat';
import { globMatches } from './glob';
import { makeDirectories } from './mkdir';
import { strftime } from './strftime';

const BLOCK: i32 = 65536;

export class TarOptions {
  verbose: i32 = 0;
  keepMode: bool = false;
  keepOwner: bool = false;
  numericOwner: bool = false;
  touch: bool = false;
  toStdout: bool = false;
  keepOld: bool = false;
  skipOld: bool = false;
  absolute: bool = false;
  follow: bool = false;
  recursive: bool = true;
  wildcards: bool = false;
  strip: i32 = 0;
  exclude: Array<string> = [];
  // of what is put into an archive
  uid: i64 = -1;
  gid: i64 = -1;
  user: string = '';
  group: string = '';
  mtime: i64 = 0;
  hasMtime: bool = false;
  mode: string = '';
}

/** Does a name, or a directory it is in, match one of these? */
export function isExcluded(patterns: Array<string>, name: string): bool {
  for (let i = 0; i < patterns.length; i++) {
    const pattern = trimmed(patterns[i]);
    const parts = components(name);
    for (let from = 0; from < parts.length; from++) {
      for (let to = from + 1; to <= parts.length; to++) {
        if (globMatches(pattern, parts.slice(from, to).join('/'))) return true;
      }
    }
  }
  return false;
}

export class Extractor {
  status: i32 = 0;
  private umask: i32 = processIds().umask;
  private warned: bool = false;
  /** Directories get their times and modes when everything in them is there. */
  private directories: Array<Member> = [];

  constructor(
    private context: Context,
    private name: string,
    private settings: TarOptions,
    private reader: TarReader,
  ) {}

  private fail(text: string): void {
    complain(this.context, this.name, text);
    this.status = 2;
  }

  private wanted(operands: Array<string>, found: Array<bool>, name: string): bool {
    if (isExcluded(this.settings.exclude, name)) return false;
    if (operands.length == 0) return true;
    const plain = trimmed(name);
    for (let i = 0; i < operands.length; i++) {
      const operand = trimmed(operands[i]);
      if (
        plain == operand ||
        plain.startsWith(`${operand}/`) ||
        (this.settings.wildcards && globMatches(operand, plain))
      ) {
        found[i] = true;
        return true;
      }
    }
    return false;
  }

  run(operands: Array<string>, list: bool): void {
    const found = new Array<bool>(operands.length).fill(false);
    for (let member = this.reader.next(); member != null; member = this.reader.next()) {
      if (this.context.stdout.error != 0) return;
      if (!this.wanted(operands, found, member.name)) continue;
      if (list) {
        this.show(member, this.settings.verbose > 0);
        continue;
      }
      const path = this.place(member.name);
      if (path == '') continue;
      if (this.settings.verbose > 0) this.show(member, this.settings.verbose > 1);
      if (this.settings.toStdout) this.toStdout(member);
      else this.extract(member, path);
    }
    if (this.reader.fault != '') this.fail(this.reader.fault);
    for (let i = this.directories.length - 1; i >= 0; i--) {
      const member = this.directories[i];
      this.attributes(member, member.name);
    }
    for (let i = 0; i < operands.length; i++) if (!found[i]) this.fail(`${operands[i]}: Not found in archive`);
    if (this.status != 0) complain(this.context, this.name, 'Exiting with failure status due to previous errors');
  }

  /** Where a member goes, relative to the directory extracted to; empty: nowhere. */
  private place(name: string): string {
    let path = name;
    if (!this.settings.absolute && path.startsWith('/')) {
      if (!this.warned) complain(this.context, this.name, "Removing leading `/' from member names");
      this.warned = true;
      while (path.startsWith('/')) path = path.substring(1);
      if (path == '') path = '.';
    }
    const parts = path.split('/');
    if (!this.settings.absolute && parts.includes('..')) {
      this.fail(`${name}: Member name contains '..'`);
      return '';
    }
    if (this.settings.strip == 0) return path;
    const kept = components(path);
    if (kept.length <= this.settings.strip) return '';
    return kept.slice(this.settings.strip).join('/');
  }

  private show(member: Member, long: bool): void {
    const out = this.context.stdout;
    if (!long) {
      out.line(member.name);
      return;
    }
    const type = member.type == 53 ? S_IFDIR : member.type == 50 ? S_IFLNK : S_IFREG;
    let mode = modeText(type | member.mode);
    if (member.type == 49) mode = `h${mode.substring(1)}`;
    const user = this.settings.numericOwner || member.user == '' ? member.uid.toString() : member.user;
    const group = this.settings.numericOwner || member.group == '' ? member.gid.toString() : member.group;
    const owner = `${user}/${group}`;
    const size = member.size.toString();
    const width = max(19 - owner.length, size.length + 1);
    let line = `${mode} ${owner}${size.padStart(width)} ${strftime('%Y-%m-%d %H:%M', member.mtime)} ${member.name}`;
    if (member.type == 50) line += ` -> ${member.link}`;
    else if (member.type == 49) line += ` link to ${member.link}`;
    out.line(line);
  }

  private toStdout(member: Member): void {
    if (member.type != 48 && member.type != 55) return;
    const block = new StaticArray<u8>(BLOCK);
    for (;;) {
      const got = this.reader.read(changetype<usize>(block), BLOCK);
      if (got == 0) return;
      this.context.stdout.bytes(changetype<usize>(block), got);
    }
  }

  private extract(member: Member, path: string): void {
    const context = this.context;
    const full = absolute(context, trimmed(path));
    if (member.type == 53) {
      let errno = makeDirectory(full);
      if (errno == -EEXIST) {
        const there = statOf(context, full, false);
        // a link to a directory stays; a file in its place goes
        if (there != null && !there.isDirectory && !isDirectory(context, full)) {
          removeFile(full);
          errno = makeDirectory(full);
        } else errno = 0;
      } else if (errno == -ENOENT) errno = makeDirectories(context, trimmed(path), '');
      if (errno < 0) {
        this.fail(`${path}: Cannot mkdir: ${errorText(errno)}`);
        return;
      }
      member.name = path;
      this.directories.push(member);
      return;
    }
    const there = statOf(context, full, false);
    if (there != null) {
      if (this.settings.skipOld) return;
      if (this.settings.keepOld) {
        this.fail(`${path}: Cannot open: File exists`);
        return;
      }
      const errno = there.isDirectory ? removeDirectory(full) : removeFile(full);
      if (errno < 0) {
        this.fail(`${path}: Cannot open: ${errorText(errno)}`);
        return;
      }
    } else if (!isDirectory(context, dirName(full))) {
      makeDirectories(context, dirName(full), '');
    }
    switch (member.type) {
      case 48:
      case 55:
        this.file(member, path, full);
        break;
      case 49: {
        const from = this.place(member.link);
        const errno = from == '' ? -ENOENT : linkFile(absolute(context, from), full);
        if (errno < 0) this.fail(`${path}: Cannot hard link to '${member.link}': ${errorText(errno)}`);
        break;
      }
      case 50: {
        const errno = makeSymbolicLink(member.link, full);
        if (errno < 0) this.fail(`${path}: Cannot create symlink to '${member.link}': ${errorText(errno)}`);
        else this.attributes(member, path);
        break;
      }
      default:
        this.fail(`${path}: Cannot mknod: Operation not supported`);
    }
  }

  private file(member: Member, path: string, full: string): void {
    const fd = openFile(full, WRITE | CREATE | EXCLUSIVE);
    if (fd < 0) {
      this.fail(`${path}: Cannot open: ${errorText(fd)}`);
      return;
    }
    const block = new StaticArray<u8>(BLOCK);
    const base = changetype<usize>(block);
    let errno = 0;
    while (errno >= 0) {
      const got = this.reader.read(base, BLOCK);
      if (got == 0) break;
      for (let done = 0; done < got && errno >= 0; ) {
        errno = writeFile(fd, base + done, got - done);
        if (errno > 0) done += errno;
      }
    }
    const closed = closeFile(fd);
    if (errno < 0 || closed < 0) this.fail(`${path}: Cannot write: ${errorText(errno < 0 ? errno : closed)}`);
    else this.attributes(member, path);
  }

  private attributes(member: Member, path: string): void {
    const full = absolute(this.context, trimmed(path));
    const isLink = member.type == 50;
    let errno = 0;
    if (this.settings.keepOwner) {
      let uid: i64 = member.uid;
      let gid: i64 = member.gid;
      if (!this.settings.numericOwner) {
        const byUser: i64 = member.user == '' ? -1 : userId(member.user);
        const byGroup: i64 = member.group == '' ? -1 : groupId(member.group);
        if (byUser >= 0) uid = byUser;
        if (byGroup >= 0) gid = byGroup;
      }
      errno = changeOwner(full, false, <i32>uid, <i32>gid);
      if (errno < 0) this.fail(`${path}: Cannot change ownership to uid ${uid}, gid ${gid}: ${errorText(errno)}`);
    }
    if (!isLink) {
      errno = changeMode(full, true, this.settings.keepMode ? member.mode : member.mode & 0o777 & ~this.umask);
      if (errno < 0) this.fail(`${path}: Cannot change mode: ${errorText(errno)}`);
    }
    if (this.settings.touch) return;
    errno = setTimes(full, !isLink, realTime(), member.mtime, TIME_ATIME | TIME_MTIME);
    if (errno < 0) this.fail(`${path}: Cannot utime: ${errorText(errno)}`);
  }
}
