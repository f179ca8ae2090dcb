/** stat, du, df */
import { Context } from '../applet';
import { Conversion } from '../io/conversion';
import { cannot, complain } from '../io/messages';
import { modeText, typeLetter } from '../io/modes';
import { inBase, parseDecimal, wasNumber } from '../io/number';
import { absolute, join } from '../io/paths';
import { Text, unit } from '../io/text';
import { groupName, userName } from '../io/users';
import { sortNames, statError, statOf } from '../io/walk';
import { errorText } from '../wasi/errno';
import { linkTarget, readDirectory, readLink } from '../wasi/files';
import { Stat } from '../wasi/stat';
import { globMatches } from './glob';
import { humanSize } from './human-size';
import { END, Options, operandFault, STOP } from './options';
import { expandEscapes } from './printf';
import { strftime } from './strftime';

const NANOS: i64 = 1000000000;
const TIME = '%Y-%m-%d %H:%M:%S.%N %z';

function typeName(stat: Stat): string {
  switch (typeLetter(stat.mode)) {
    case 100: // d
      return 'directory';
    case 108: // l
      return 'symbolic link';
    case 99: // c
      return 'character special file';
    case 98: // b
      return 'block special file';
    case 112: // p
      return 'fifo';
    case 115: // s
      return 'socket';
    default:
      return stat.size == 0 ? 'regular empty file' : 'regular file';
  }
}

function blocks(stat: Stat): u64 {
  return stat.isFile || stat.isDirectory ? ((stat.size + 4095) / 4096) * 8 : 0;
}

function named(name: string): string {
  return name == '' ? 'UNKNOWN' : name;
}

/** What a letter of stat's format stands for; a NUL where there is no such letter. */
function item(context: Context, letter: i32, path: string, stat: Stat): string {
  switch (letter) {
    case 97: // a
      return (stat.mode & 0o7777).toString(8);
    case 65: // A
      return modeText(stat.mode);
    case 98: // b
      return blocks(stat).toString();
    case 66: // B
      return '512';
    case 100: // d
      return stat.dev.toString();
    case 68: // D
      return inBase(stat.dev, 16);
    case 102: // f
      return stat.mode.toString(16);
    case 70: // F
      return typeName(stat);
    case 103: // g
      return stat.gid.toString();
    case 71: // G
      return named(groupName(stat.gid));
    case 104: // h
      return stat.nlink.toString();
    case 105: // i
      return stat.ino.toString();
    case 109: // m
      return '/';
    case 110: // n
      return path;
    case 78: // N
      return stat.isLink && readLink(absolute(context, path)) == 0 ? `'${path}' -> '${linkTarget}'` : `'${path}'`;
    case 111: // o
      return '4096';
    case 115: // s
      return stat.size.toString();
    case 116: // t
      return inBase(stat.rdev >> 8, 16);
    case 84: // T
      return inBase(stat.rdev & 255, 16);
    case 117: // u
      return stat.uid.toString();
    case 85: // U
      return named(userName(stat.uid));
    case 119: // w
      return '-';
    case 87: // W
      return '0';
    case 120: // x
      return strftime(TIME, stat.atime);
    case 88: // X
      return (stat.atime / NANOS).toString();
    case 121: // y
      return strftime(TIME, stat.mtime);
    case 89: // Y
      return (stat.mtime / NANOS).toString();
    case 122: // z
      return strftime(TIME, stat.ctime);
    case 90: // Z
      return (stat.ctime / NANOS).toString();
    default:
      return '\0';
  }
}

function formatted(context: Context, format: string, path: string, stat: Stat): string {
  let result = '';
  for (let i = 0; i < format.length; i++) {
    if (unit(format, i) != 37) {
      result += format.charAt(i);
      continue;
    }
    if (i + 1 < format.length && unit(format, i + 1) == 37) {
      result += '%';
      i++;
      continue;
    }
    const conversion = Conversion.parse(format, i + 1, false);
    if (conversion.letter == 0) return `${result}%`;
    const text = item(context, conversion.letter, path, stat);
    result += text == '\0' ? '?' : conversion.pad(text, conversion.zero);
    i = conversion.end - 1;
  }
  return result;
}

export function stat(context: Context, args: Array<string>): i32 {
  let follow = false;
  let format = '';
  let end = '\n';
  let terse = false;
  const options = new Options(context, args, 'Lc:tf', 'dereference=L,format:=c,printf:=p,terse=t,file-system=f');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 76) follow = true;
    else if (o == 99) format = options.value;
    else if (o == 112) {
      const text = new Text();
      expandEscapes(options.value, text, false);
      format = text.toString();
      end = '';
    } else if (o == 116) terse = true;
    else {
      complain(context, args[0], 'file systems (-f) have no figures here');
      return 1;
    }
  }
  if (options.operands.length == 0) return operandFault(context, args, options.operands, -1);
  if (terse) format = '%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o';
  let status = 0;
  for (let i = 0; i < options.operands.length; i++) {
    const path = options.operands[i];
    const found = statOf(context, path, follow);
    if (found == null) {
      complain(context, args[0], `cannot statx '${path}': ${errorText(statError())}`);
      status = 1;
      continue;
    }
    if (format != '') {
      context.stdout.write(formatted(context, format, path, found) + end);
      continue;
    }
    const name = found.isLink && readLink(absolute(context, path)) == 0 ? `${path} -> ${linkTarget}` : path;
    context.stdout.write(
      formatted(
        context,
        '\tBlocks: %-10b IO Block: %-6o %F\nDevice: %Dh/%dd\tInode: %-11i Links: %h\n' +
          'Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: -\n',
        path,
        found,
      ).replace('\t', `  File: ${name}\n  Size: ${found.size.toString().padEnd(10)}\t`),
    );
  }
  return status;
}

class Usage {
  all: bool = false;
  human: bool = false;
  summary: bool = false;
  bytes: bool = false;
  apparent: bool = false;
  unit: u64 = 1024;
  depth: i32 = i32.MAX_VALUE;
  follow: bool = false;
  end: string = '\n';
  exclude: Array<string> = [];
  status: i32 = 0;
  seen: Set<string> = new Set();

  constructor(
    public context: Context,
    public name: string,
  ) {}

  size(bytes: u64): string {
    return this.human ? humanSize(bytes) : ((bytes + this.unit - 1) / this.unit).toString();
  }

  private excluded(name: string): bool {
    for (let i = 0; i < this.exclude.length; i++) if (globMatches(this.exclude[i], name)) return true;
    return false;
  }

  of(path: string, depth: i32): u64 {
    const stat = statOf(this.context, path, this.follow);
    if (stat == null) {
      cannot(this.context, this.name, 'access', path, statError());
      this.status = 1;
      return 0;
    }
    if (stat.nlink > 1 && !stat.isDirectory) {
      const key = `${stat.dev}:${stat.ino}`;
      if (this.seen.has(key)) return 0;
      this.seen.add(key);
    }
    let total = this.apparent ? stat.size : blocks(stat) * 512;
    if (stat.isDirectory) {
      const names: string[] = [];
      const errno = readDirectory(absolute(this.context, path), names);
      if (errno < 0) {
        complain(this.context, this.name, `cannot read directory '${path}': ${errorText(errno)}`);
        this.status = 1;
      }
      sortNames(names);
      for (let i = 0; i < names.length; i++) {
        if (!this.excluded(names[i])) total += this.of(join(path, names[i]), depth + 1);
      }
    }
    if ((stat.isDirectory || this.all || depth == 0) && depth <= this.depth) {
      this.context.stdout.write(`${this.size(total)}\t${path}${this.end}`);
    }
    return total;
  }
}

export function du(context: Context, args: Array<string>): i32 {
  const usage = new Usage(context, args[0]);
  let sum = false;
  const options = new Options(
    context,
    args,
    'ashkmbcd:LDHPlxS0B:',
    'all=a,summarize=s,human-readable=h,bytes=b,apparent-size=A,total=c,max-depth:=d,dereference=L,null=0,block-size:=B,exclude:=E,count-links=l,one-file-system=x',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 97: // a
        usage.all = true;
        break;
      case 115: // s
        usage.depth = 0;
        break;
      case 104: // h
        usage.human = true;
        break;
      case 107: // k
        usage.unit = 1024;
        break;
      case 109: // m
        usage.unit = 1 << 20;
        break;
      case 98: // b
        usage.apparent = true;
        usage.unit = 1;
        break;
      case 65: // A
        usage.apparent = true;
        break;
      case 99: // c
        sum = true;
        break;
      case 100: // d
        usage.depth = <i32>parseDecimal(options.value);
        if (!wasNumber()) {
          complain(context, args[0], `invalid maximum depth '${options.value}'`);
          return 1;
        }
        break;
      case 76: // L
        usage.follow = true;
        break;
      case 48: // 0
        usage.end = '\0';
        break;
      case 66: // B
        usage.unit = options.value == '1' ? 1 : options.value == 'M' || options.value == '1M' ? 1 << 20 : 1024;
        break;
      case 69: // E
        usage.exclude.push(options.value);
        break;
    }
  }
  const operands = options.operands.length > 0 ? options.operands : ['.'];
  let total: u64 = 0;
  for (let i = 0; i < operands.length; i++) total += usage.of(operands[i], 0);
  if (sum) context.stdout.write(`${usage.size(total)}\ttotal${usage.end}`);
  return usage.status;
}

/** The one file system of a container: what it holds is not known from the inside, only that it is there. */
export function df(context: Context, args: Array<string>): i32 {
  const options = new Options(
    context,
    args,
    'hkPTimaHlt:x:',
    'human-readable=h,portability=P,print-type=T,inodes=i,all=a,local=l,output?=o',
  );
  for (let o = options.next(); o != END; o = options.next()) if (o == STOP) return options.status;
  for (let i = 0; i < options.operands.length; i++) {
    if (statOf(context, options.operands[i], true) != null) continue;
    complain(context, args[0], `${options.operands[i]}: ${errorText(statError())}`);
    return 1;
  }
  context.stdout.line('Filesystem     1K-blocks  Used Available Use% Mounted on');
  context.stdout.line('wctr                   -     -         -    - /');
  return 0;
}
