/** ls */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { modeText, typeLetter } from '../io/modes';
import { absolute, join } from '../io/paths';
import { compare, unit } from '../io/text';
import { MONTHS, momentOf, padded } from '../io/times';
import { groupName, userName } from '../io/users';
import { sortNames, statError, statOf } from '../io/walk';
import { realTime } from '../wasi/clock';
import { errorText } from '../wasi/errno';
import { isTerminal, linkTarget, readDirectory, readLink } from '../wasi/files';
import { Stat } from '../wasi/stat';
import { humanSize } from './human-size';
import { END, Options, STOP } from './options';
import { strftime } from './strftime';

const NANOS: i64 = 1000000000;

class Item {
  target: string = '';

  constructor(
    public name: string,
    public path: string,
    public stat: Stat,
  ) {}
}

class Listing {
  all: i32 = 0;
  long: bool = false;
  columns: bool = false;
  directories: bool = false;
  recursive: bool = false;
  reverse: bool = false;
  /** n name, t time, S size, U none, X extension, v version */
  order: i32 = 110;
  time: i32 = 109;
  timeStyle: string = '';
  human: bool = false;
  inode: bool = false;
  blocks: bool = false;
  numeric: bool = false;
  owner: bool = true;
  group: bool = true;
  /** F, p (directories only) or 0 */
  mark: i32 = 0;
  follow: bool = false;
  followOperands: bool = false;
  quote: bool = false;
  commas: bool = false;
  groupFirst: bool = false;
  end: string = '\n';
  status: i32 = 0;
  users: Map<u32, string> = new Map();
  groups: Map<u32, string> = new Map();
  now: i64 = realTime();

  constructor(
    public context: Context,
    public name: string,
  ) {}

  timeOf(stat: Stat): i64 {
    return this.time == 117 ? stat.atime : this.time == 99 ? stat.ctime : stat.mtime;
  }

  item(name: string, path: string, follow: bool): Item | null {
    let stat = statOf(this.context, path, follow);
    if (stat == null && follow) stat = statOf(this.context, path, false);
    if (stat == null) {
      complain(this.context, this.name, `cannot access '${path}': ${errorText(statError())}`);
      this.status = 2;
      return null;
    }
    const item = new Item(name, path, stat);
    if (stat.isLink && this.long && readLink(absolute(this.context, path)) == 0) item.target = linkTarget;
    return item;
  }

  sort(items: Array<Item>): void {
    if (this.order == 85) return;
    sorting = this;
    items.sort((a, b) => compareItems(a, b));
  }

  show(items: Array<Item>): void {
    this.sort(items);
    if (this.long) this.showLong(items);
    else if (this.columns || this.commas) this.showColumns(items);
    else for (let i = 0; i < items.length; i++) this.context.stdout.write(this.shown(items[i], 0, 0) + this.end);
  }

  private prefix(item: Item, inodes: i32, blocks: i32): string {
    let text = '';
    if (this.inode) text += `${item.stat.ino.toString().padStart(inodes)} `;
    if (this.blocks) text += `${this.blocksOf(item.stat).padStart(blocks)} `;
    return text;
  }

  private blocksOf(stat: Stat): string {
    const bytes = stat.isFile || stat.isDirectory ? ((stat.size + 4095) / 4096) * 4096 : 0;
    return this.human ? humanSize(bytes) : (bytes / 1024).toString();
  }

  private shown(item: Item, inodes: i32, blocks: i32): string {
    const name = this.quote ? `"${item.name}"` : item.name;
    return this.prefix(item, inodes, blocks) + name + this.marker(item.stat);
  }

  private marker(stat: Stat): string {
    if (this.mark == 0) return '';
    if (stat.isDirectory) return '/';
    if (this.mark == 112) return '';
    switch (typeLetter(stat.mode)) {
      case 108: // l
        return this.long ? '' : '@';
      case 112: // p
        return '|';
      case 115: // s
        return '=';
      case 45: // -
        return stat.mode & 0o111 ? '*' : '';
      default:
        return '';
    }
  }

  private showColumns(items: Array<Item>): void {
    const out = this.context.stdout;
    if (items.length == 0) return;
    let inodes = 0;
    let blocks = 0;
    for (let i = 0; i < items.length; i++) {
      inodes = max(inodes, items[i].stat.ino.toString().length);
      blocks = max(blocks, this.blocksOf(items[i].stat).length);
    }
    const texts: string[] = [];
    for (let i = 0; i < items.length; i++) texts.push(this.shown(items[i], inodes, blocks));
    if (this.commas) {
      out.line(texts.join(', '));
      return;
    }
    let rows = 1;
    const width = 80;
    const widths: i32[] = [];
    for (; rows < texts.length; rows++) {
      widths.length = 0;
      let total = 0;
      for (let start = 0; start < texts.length; start += rows) {
        let most = 0;
        for (let i = start; i < min(start + rows, texts.length); i++) most = max(most, texts[i].length);
        widths.push(most);
        total += most + 2;
      }
      if (total - 2 < width) break;
    }
    for (let row = 0; row < rows; row++) {
      let line = '';
      for (let i = row; i < texts.length; i += rows) {
        line +=
          i + rows < texts.length ? texts[i].padEnd((rows == 1 ? texts[i].length : widths[i / rows]) + 2) : texts[i];
      }
      out.line(line);
    }
  }

  private user(uid: u32): string {
    if (this.numeric) return uid.toString();
    if (!this.users.has(uid)) {
      const name = userName(uid);
      this.users.set(uid, name == '' ? uid.toString() : name);
    }
    return this.users.get(uid);
  }

  private groupOf(gid: u32): string {
    if (this.numeric) return gid.toString();
    if (!this.groups.has(gid)) {
      const name = groupName(gid);
      this.groups.set(gid, name == '' ? gid.toString() : name);
    }
    return this.groups.get(gid);
  }

  private sizeOf(stat: Stat): string {
    const letter = typeLetter(stat.mode);
    if (letter == 99 || letter == 98) return `${stat.rdev >> 8}, ${stat.rdev & 255}`;
    return this.human ? humanSize(stat.size) : stat.size.toString();
  }

  private showLong(items: Array<Item>): void {
    const out = this.context.stdout;
    let links = 0;
    let users = 0;
    let groups = 0;
    let sizes = 0;
    let inodes = 0;
    let blocks = 0;
    for (let i = 0; i < items.length; i++) {
      const stat = items[i].stat;
      links = max(links, stat.nlink.toString().length);
      users = max(users, this.user(stat.uid).length);
      groups = max(groups, this.groupOf(stat.gid).length);
      sizes = max(sizes, this.sizeOf(stat).length);
      inodes = max(inodes, stat.ino.toString().length);
      blocks = max(blocks, this.blocksOf(stat).length);
    }
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      const stat = item.stat;
      let line = this.prefix(item, inodes, blocks);
      line += `${modeText(stat.mode)} ${stat.nlink.toString().padStart(links)} `;
      if (this.owner)
        line += this.numeric ? `${this.user(stat.uid).padStart(users)} ` : `${this.user(stat.uid).padEnd(users)} `;
      if (this.group) {
        line += this.numeric
          ? `${this.groupOf(stat.gid).padStart(groups)} `
          : `${this.groupOf(stat.gid).padEnd(groups)} `;
      }
      line += `${this.sizeOf(stat).padStart(sizes)} ${this.timeText(this.timeOf(stat))} `;
      line += (this.quote ? `"${item.name}"` : item.name) + this.marker(stat);
      if (stat.isLink) line += ` -> ${item.target}`;
      out.write(line + this.end);
      if (out.error != 0) return;
    }
  }

  private timeText(time: i64): string {
    const seconds = time / NANOS;
    if (this.timeStyle == 'full-iso') return strftime('%Y-%m-%d %H:%M:%S.%N %z', time);
    if (this.timeStyle == 'long-iso') return strftime('%Y-%m-%d %H:%M', time);
    if (this.timeStyle == 'iso') return strftime(this.isRecent(time) ? '%m-%d %H:%M' : '%Y-%m-%d ', time);
    if (this.timeStyle.startsWith('+')) return strftime(this.timeStyle.substring(1), time);
    const moment = momentOf(seconds);
    const day = `${MONTHS[moment.month - 1].substring(0, 3)} ${padded(moment.day, 2, ' ')}`;
    if (this.isRecent(time)) return `${day} ${padded(moment.hour, 2)}:${padded(moment.minute, 2)}`;
    return `${day}  ${moment.year}`;
  }

  private isRecent(time: i64): bool {
    return time <= this.now && time > this.now - (31556952 / 2) * NANOS;
  }

  directory(path: string, title: bool): void {
    const out = this.context.stdout;
    const names: string[] = [];
    const errno = readDirectory(absolute(this.context, path), names);
    if (errno < 0) {
      complain(this.context, this.name, `cannot open directory '${path}': ${errorText(errno)}`);
      this.status = 2;
      return;
    }
    const items: Item[] = [];
    let total: u64 = 0;
    if (this.all == 2) {
      names.push('.');
      names.push('..');
    }
    for (let i = 0; i < names.length; i++) {
      if (this.all == 0 && unit(names[i], 0) == 46) continue;
      const item = this.item(names[i], join(path, names[i]), this.follow);
      if (item == null) continue;
      items.push(item);
      if (item.stat.isFile || item.stat.isDirectory) total += ((item.stat.size + 4095) / 4096) * 4096;
    }
    if (title) out.line(`${path}:`);
    if (this.long || this.blocks) out.line(`total ${this.human ? humanSize(total) : (total / 1024).toString()}`);
    this.show(items);
    if (!this.recursive) return;
    for (let i = 0; i < items.length && out.error == 0; i++) {
      if (!items[i].stat.isDirectory || items[i].name == '.' || items[i].name == '..') continue;
      out.byte(10);
      this.directory(items[i].path, true);
    }
  }
}

/** What is being sorted: a comparison has no place for it. */
let sorting: Listing | null = null;

function compareItems(a: Item, b: Item): i32 {
  const listing = sorting!;
  let result = 0;
  if (listing.groupFirst && a.stat.isDirectory != b.stat.isDirectory) return a.stat.isDirectory ? -1 : 1;
  if (listing.order == 116) {
    const x = listing.timeOf(a.stat);
    const y = listing.timeOf(b.stat);
    result = x > y ? -1 : x < y ? 1 : 0;
  } else if (listing.order == 83) {
    result = a.stat.size > b.stat.size ? -1 : a.stat.size < b.stat.size ? 1 : 0;
  } else if (listing.order == 88) {
    result = compare(extension(a.name), extension(b.name));
  }
  if (result == 0) result = compare(a.name, b.name);
  return listing.reverse ? -result : result;
}

function extension(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.substring(dot);
}

export function ls(context: Context, args: Array<string>): i32 {
  const l = new Listing(context, args[0]);
  const options = new Options(
    context,
    args,
    'aAlC1dRrtSUXfhinsFpLHgocumqQNxkBGvw:T:D',
    'all=a,almost-all=A,directory=d,recursive=R,reverse=r,human-readable=h,inode=i,numeric-uid-gid=n,size=s,classify?=F,' +
      'dereference=L,dereference-command-line=H,no-group=G,full-time=E,time-style:=Y,sort:=O,color?=N,quote-name=Q,zero=0,' +
      'group-directories-first=P,time:=M,format:=W,literal=N,hide-control-chars=N,indicator-style:=I,file-type=F',
    2,
  );
  l.columns = context.stdout.descriptor >= 0 && isTerminal(context.stdout.descriptor);
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 97: // a
        l.all = 2;
        break;
      case 65: // A
        if (l.all == 0) l.all = 1;
        break;
      case 108: // l
        l.long = true;
        break;
      case 67: // C
      case 120: // x
        l.columns = true;
        l.long = false;
        break;
      case 49: // 1
        l.columns = false;
        break;
      case 109: // m
        l.commas = true;
        break;
      case 100: // d
        l.directories = true;
        break;
      case 82: // R
        l.recursive = true;
        break;
      case 114: // r
        l.reverse = true;
        break;
      case 116: // t
      case 83: // S
      case 85: // U
      case 88: // X
        l.order = o;
        break;
      case 79: // O
        l.order =
          options.value == 'time'
            ? 116
            : options.value == 'size'
              ? 83
              : options.value == 'none'
                ? 85
                : options.value == 'extension'
                  ? 88
                  : 110;
        break;
      case 102: // f
        l.order = 85;
        l.all = 2;
        break;
      case 104: // h
        l.human = true;
        break;
      case 105: // i
        l.inode = true;
        break;
      case 110: // n
        l.numeric = l.long = true;
        break;
      case 115: // s
        l.blocks = true;
        break;
      case 70: // F
      case 112: // p
        l.mark = o;
        break;
      case 76: // L
        l.follow = l.followOperands = true;
        break;
      case 72: // H
        l.followOperands = true;
        break;
      case 103: // g
        l.long = true;
        l.owner = false;
        break;
      case 111: // o
        l.long = true;
        l.group = false;
        break;
      case 71: // G
        l.group = false;
        break;
      case 99: // c
      case 117: // u
        l.time = o;
        break;
      case 77: // M
        l.time =
          options.value.startsWith('a') || options.value == 'use' ? 117 : options.value.startsWith('c') ? 99 : 109;
        break;
      case 81: // Q
        l.quote = true;
        break;
      case 69: // E
        l.long = true;
        l.timeStyle = 'full-iso';
        break;
      case 89: // Y
        l.timeStyle = options.value;
        break;
      case 80: // P
        l.groupFirst = true;
        break;
      case 48: // 0
        l.end = '\0';
        break;
      case 73: // I
        l.mark = options.value == 'slash' ? 112 : options.value == 'none' ? 0 : 70;
        break;
    }
  }
  // -u and -c alone sort by that time, too
  if (l.time != 109 && !l.long && l.order == 110) l.order = 116;
  const operands = options.operands.length > 0 ? sortNames(options.operands) : ['.'];
  const files: Item[] = [];
  const directories: Item[] = [];
  for (let i = 0; i < operands.length; i++) {
    // a link to a directory is listed itself with -l, -d, -F
    const follow = l.followOperands || !(l.long || l.directories || l.mark == 70);
    const item = l.item(operands[i], operands[i], follow);
    if (item == null) continue;
    if (item.stat.isDirectory && !l.directories) directories.push(item);
    else files.push(item);
  }
  if (files.length > 0) l.show(files);
  l.sort(directories);
  const title = operands.length > 1 || l.recursive;
  for (let i = 0; i < directories.length; i++) {
    if (i > 0 || files.length > 0) context.stdout.byte(10);
    l.directory(directories[i].path, title);
  }
  return l.status;
}
