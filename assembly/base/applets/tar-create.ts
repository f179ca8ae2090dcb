/** tar c */
import { Context } from '../applet';
import { Member, TarWriter } from '../archive/tar-format';
import { complain } from '../io/messages';
import { changedMode } from '../io/modes';
import { absolute, join, trimmed } from '../io/paths';
import { groupName, userName } from '../io/users';
import { sortNames, statError, statOf } from '../io/walk';
import { Writer } from '../io/writer';
import { errorText } from '../wasi/errno';
import { closeFile, linkTarget, openFile, READ, readDirectory, readFile, readLink } from '../wasi/files';
import { Stat } from '../wasi/stat';
import { isExcluded, TarOptions } from './tar-extract';

const BLOCK: i32 = 65536;

export class Creator {
  status: i32 = 0;
  /** The archive itself, which is not put into it. */
  archive: string = '';
  private writer: TarWriter;
  private seen: Map<string, string> = new Map();
  private warned: bool = false;
  private block: StaticArray<u8> = new StaticArray<u8>(BLOCK);

  constructor(
    private context: Context,
    private name: string,
    private settings: TarOptions,
    private target: Writer,
    private listing: Writer,
  ) {
    this.writer = new TarWriter(target);
  }

  private fail(text: string): void {
    complain(this.context, this.name, text);
    this.status = 2;
  }

  run(operands: Array<string>): void {
    for (let i = 0; i < operands.length && this.target.error == 0; i++) this.add(operands[i]);
    this.writer.finish();
    if (this.status != 0) complain(this.context, this.name, 'Exiting with failure status due to previous errors');
  }

  private add(path: string): void {
    if (isExcluded(this.settings.exclude, path) || this.target.error != 0) return;
    const full = absolute(this.context, path);
    if (full == this.archive) {
      complain(this.context, this.name, `${path}: file is the archive; not dumped`);
      return;
    }
    const stat = statOf(this.context, path, this.settings.follow);
    if (stat == null) {
      this.fail(`${path}: Cannot stat: ${errorText(statError())}`);
      return;
    }
    let name = path;
    if (!this.settings.absolute && name.startsWith('/')) {
      if (!this.warned) complain(this.context, this.name, "Removing leading `/' from member names");
      this.warned = true;
      while (name.startsWith('/')) name = name.substring(1);
      if (name == '') name = './';
    }
    const member = this.member(name, stat);
    if (stat.isDirectory) {
      this.directory(path, member);
      return;
    }
    if (stat.isLink) {
      const errno = readLink(full);
      if (errno < 0) {
        this.fail(`${path}: Cannot readlink: ${errorText(errno)}`);
        return;
      }
      member.type = 50;
      member.link = linkTarget;
    } else if (!stat.isFile) {
      complain(this.context, this.name, `${path}: this kind of file is not put into archives`);
      return;
    } else if (stat.nlink > 1) {
      const key = `${stat.dev}:${stat.ino}`;
      if (this.seen.has(key)) {
        member.type = 49;
        member.link = this.seen.get(key);
      } else {
        this.seen.set(key, member.name);
      }
    }
    if (member.type == 48) this.file(path, full, member, stat);
    else this.header(member);
  }

  private header(member: Member): void {
    this.writer.header(member);
    if (this.settings.verbose > 0) this.listing.line(member.name);
  }

  private member(name: string, stat: Stat): Member {
    const settings = this.settings;
    const member = new Member();
    member.name = name;
    member.mode = stat.mode & 0o7777;
    if (settings.mode != '') member.mode = changedMode(settings.mode, stat.mode, 0) & 0o7777;
    member.uid = settings.uid >= 0 ? <u32>settings.uid : stat.uid;
    member.gid = settings.gid >= 0 ? <u32>settings.gid : stat.gid;
    if (!settings.numericOwner) {
      member.user = settings.uid >= 0 ? settings.user : userName(stat.uid);
      member.group = settings.gid >= 0 ? settings.group : groupName(stat.gid);
    }
    member.mtime = settings.hasMtime ? settings.mtime : stat.mtime;
    return member;
  }

  private directory(path: string, member: Member): void {
    member.type = 53;
    member.name = trimmed(member.name) == '/' ? '/' : `${trimmed(member.name)}/`;
    this.header(member);
    if (!this.settings.recursive) return;
    const names: string[] = [];
    const errno = readDirectory(absolute(this.context, path), names);
    if (errno < 0) {
      this.fail(`${path}: Cannot open: ${errorText(errno)}`);
      return;
    }
    sortNames(names);
    for (let i = 0; i < names.length; i++) this.add(join(path, names[i]));
  }

  /** The size in the header holds: a file that shrinks is filled up with zeros, one that grows is cut. */
  private file(path: string, full: string, member: Member, stat: Stat): void {
    const fd = openFile(full, READ);
    if (fd < 0) {
      this.fail(`${path}: Cannot open: ${errorText(fd)}`);
      return;
    }
    member.size = stat.size;
    this.header(member);
    const base = changetype<usize>(this.block);
    let left = member.size;
    while (left > 0) {
      let got = readFile(fd, base, <i32>min<i64>(left, BLOCK));
      if (got <= 0) {
        this.fail(`${path}: ${got < 0 ? `Read error: ${errorText(got)}` : 'File shrank; padding with zeros'}`);
        got = <i32>min<i64>(left, BLOCK);
        memory.fill(base, 0, got);
      }
      this.writer.data(base, got);
      left -= got;
    }
    this.writer.pad(member.size);
    closeFile(fd);
  }
}
