/** find */
import { Context } from '../applet';
import { Conversion } from '../io/conversion';
import { cannot, complain, complainOf } from '../io/messages';
import { modeText, typeLetter } from '../io/modes';
import { absolute, baseName, dirName, join } from '../io/paths';
import { Text, unit } from '../io/text';
import { groupName, userName } from '../io/users';
import { sortNames, statError, statOf } from '../io/walk';
import { realTime } from '../wasi/clock';
import { linkTarget, readDirectory, readLink, removeDirectory, removeFile } from '../wasi/files';
import { Stat } from '../wasi/stat';
import {
  ACCESS,
  AGE,
  AND,
  COMMA,
  DELETE,
  EMPTY,
  EXEC,
  EXEC_MANY,
  Expression,
  FALSE,
  GROUP,
  INODE,
  LINK_NAME,
  LINKS,
  LS,
  NAME,
  NEWER,
  NO_GROUP,
  NO_USER,
  NOT,
  OR,
  PATH,
  PERM,
  PRINT,
  PRINT0,
  PRINTF,
  PRUNE,
  QUIT,
  REGEX,
  SIZE,
  Term,
  TYPE,
  USER,
} from './find-expression';
import { globMatches } from './glob';
import { expandEscapes } from './printf';
import { runCommand } from './run-command';
import { strftime } from './strftime';

const NANOS: i64 = 1000000000;
/** Arguments that go to one command of `-exec ... +`: so many, or so many bytes. */
const MANY_MAX: i32 = 5000;

class Finder {
  status: i32 = 0;
  quit: bool = false;
  prune: bool = false;
  /** 0 never, 1 operands, 2 always. */
  follow: i32 = 0;
  now: i64 = realTime();
  start: string = '';
  depth: i32 = 0;

  constructor(
    public context: Context,
    public name: string,
    public expression: Expression,
    public term: Term,
  ) {}

  visit(path: string, depth: i32, device: u64): void {
    if (this.quit || this.context.stdout.error != 0) return;
    const follow = this.follow == 2 || (this.follow == 1 && depth == 0);
    let stat = statOf(this.context, path, follow);
    if (stat == null && follow) stat = statOf(this.context, path, false);
    if (stat == null) {
      complainOf(this.context, this.name, `'${path}'`, statError());
      this.status = 1;
      return;
    }
    const expression = this.expression;
    const isCounted = depth >= expression.least;
    this.prune = false;
    if (isCounted && !expression.depthFirst) this.judge(path, stat, depth);
    const isEntered =
      stat.isDirectory &&
      !(this.prune && !expression.depthFirst) &&
      depth < expression.most &&
      !(expression.sameDevice && depth > 0 && stat.dev != device);
    if (isEntered && !this.quit) {
      const names: string[] = [];
      const errno = readDirectory(absolute(this.context, path), names);
      if (errno < 0) {
        complainOf(this.context, this.name, `'${path}'`, errno);
        this.status = 1;
      }
      sortNames(names);
      for (let i = 0; i < names.length; i++)
        this.visit(join(path, names[i]), depth + 1, depth == 0 ? stat.dev : device);
    }
    if (isCounted && expression.depthFirst && !this.quit) this.judge(path, stat, depth);
  }

  private judge(path: string, stat: Stat, depth: i32): void {
    this.depth = depth;
    this.holds(this.term, path, stat);
  }

  private compare(term: Term, value: i64): bool {
    return term.sign == 0 ? value == term.value : term.sign > 0 ? value > term.value : value < term.value;
  }

  private timeOf(stat: Stat, letter: string): i64 {
    return letter == 'a' ? stat.atime : letter == 'c' ? stat.ctime : stat.mtime;
  }

  private holds(term: Term, path: string, stat: Stat): bool {
    const out = this.context.stdout;
    switch (term.kind) {
      case AND:
        return this.holds(term.left!, path, stat) && !this.quit && this.holds(term.right!, path, stat);
      case OR:
        return this.holds(term.left!, path, stat) || (!this.quit && this.holds(term.right!, path, stat));
      case COMMA:
        this.holds(term.left!, path, stat);
        return this.holds(term.right!, path, stat);
      case NOT:
        return !this.holds(term.left!, path, stat);
      case FALSE:
        return false;
      case NAME:
        return globMatches(term.text, baseName(path), term.fold);
      case PATH:
        return globMatches(term.text, path, term.fold);
      case REGEX:
        return term.regex!.test(path);
      case LINK_NAME:
        return (
          stat.isLink && readLink(absolute(this.context, path)) == 0 && globMatches(term.text, linkTarget, term.fold)
        );
      case TYPE: {
        let mode = stat.mode;
        if (term.fold) {
          const other = statOf(this.context, path, this.follow != 2);
          if (other != null) mode = other.mode;
        }
        const letter = typeLetter(mode);
        return term.text.includes(letter == 45 ? 'f' : String.fromCharCode(letter));
      }
      case SIZE:
        return this.compare(term, (<i64>stat.size + term.unit - 1) / term.unit);
      case AGE: {
        const age = this.now - this.timeOf(stat, term.text);
        const units = age / (term.unit * NANOS);
        // minutes count up, days count whole ones
        if (term.unit == 60 && term.sign > 0) return age > term.value * 60 * NANOS;
        if (term.unit == 60 && term.sign < 0) return age < term.value * 60 * NANOS;
        return this.compare(term, units);
      }
      case NEWER:
        return this.timeOf(stat, term.text) > term.value;
      case PERM: {
        const mode = stat.mode & 0o7777;
        const wanted = <i32>term.value;
        if (term.sign == 0) return mode == wanted;
        return term.sign == 1 ? (mode & wanted) == wanted : wanted == 0 || (mode & wanted) != 0;
      }
      case USER:
        return this.compare(term, stat.uid);
      case GROUP:
        return this.compare(term, stat.gid);
      case LINKS:
        return this.compare(term, stat.nlink);
      case INODE:
        return this.compare(term, stat.ino);
      case NO_USER:
        return userName(stat.uid) == '';
      case NO_GROUP:
        return groupName(stat.gid) == '';
      case ACCESS: {
        const followed = statOf(this.context, path, true);
        const mode = followed == null ? 0 : followed.mode;
        return term.value != 0o111 || (mode & 0o111) != 0 || (followed != null && followed.isDirectory);
      }
      case EMPTY: {
        if (stat.isFile) return stat.size == 0;
        const names: string[] = [];
        return stat.isDirectory && readDirectory(absolute(this.context, path), names) == 0 && names.length == 0;
      }
      case PRINT:
        out.line(path);
        return true;
      case PRINT0:
        out.write(path);
        out.byte(0);
        return true;
      case PRINTF:
        this.printf(term.text, path, stat);
        return true;
      case LS: {
        const link = stat.isLink && readLink(absolute(this.context, path)) == 0 ? ` -> ${linkTarget}` : '';
        this.printf('%9i %6k %M %3n %-8u %-8g %8s %Tb %Te %TY %p', path, stat);
        out.line(link);
        return true;
      }
      case PRUNE:
        this.prune = true;
        return true;
      case QUIT:
        this.quit = true;
        return true;
      case DELETE: {
        if (path == '.') return true;
        const full = absolute(this.context, path);
        const errno = stat.isDirectory ? removeDirectory(full) : removeFile(full);
        if (errno == 0) return true;
        cannot(this.context, this.name, 'delete', path, errno);
        this.status = 1;
        return false;
      }
      case EXEC: {
        const words: string[] = [];
        const shown = term.inDirectory ? `./${baseName(path)}` : path;
        for (let i = 0; i < term.words.length; i++) words.push(term.words[i].split('{}').join(shown));
        return this.run(words, term.inDirectory ? dirName(path) : '') == 0;
      }
      case EXEC_MANY:
        term.pending.push(path);
        if (term.pending.length >= MANY_MAX) this.runPending(term);
        return true;
      default:
        return true;
    }
  }

  private run(words: Array<string>, directory: string): i32 {
    const context = this.context;
    context.stdout.flush();
    if (directory == '') return runCommand(context, words);
    const cwd = absolute(context, directory);
    return runCommand(new Context(context.stdin, context.stdout, context.stderr, cwd, context.env), words);
  }

  runPending(term: Term): void {
    if (term.pending.length == 0) return;
    const words = term.words.concat(term.pending);
    term.pending = [];
    if (this.run(words, '') != 0) this.status = 1;
  }

  private printf(format: string, path: string, stat: Stat): void {
    const expanded = new Text();
    const more = expandEscapes(format, expanded, false);
    const text = expanded.toString();
    let result = '';
    for (let i = 0; i < text.length; i++) {
      if (unit(text, i) != 37) {
        result += text.charAt(i);
        continue;
      }
      if (i + 1 < text.length && unit(text, i + 1) == 37) {
        result += '%';
        i++;
        continue;
      }
      const conversion = Conversion.parse(text, i + 1, false);
      i = conversion.end - 1;
      let which = 0;
      const letter = conversion.letter;
      if ((letter == 84 || letter == 65 || letter == 67) && conversion.end < text.length) {
        which = unit(text, conversion.end);
        i++;
      }
      result += conversion.string(this.field(letter, which, path, stat));
    }
    this.context.stdout.write(result);
    if (!more) this.context.stdout.flush();
  }

  private field(letter: i32, which: i32, path: string, stat: Stat): string {
    switch (letter) {
      case 112: // p
        return path;
      case 102: // f
        return baseName(path);
      case 104: // h
        return path.includes('/') ? dirName(path) : '.';
      case 80: {
        // P
        if (path == this.start) return '';
        return path.substring(this.start.endsWith('/') ? this.start.length : this.start.length + 1);
      }
      case 72: // H
        return this.start;
      case 115: // s
        return stat.size.toString();
      case 107: // k
        return (((stat.size + 4095) / 4096) * 4).toString();
      case 98: // b
        return (((stat.size + 4095) / 4096) * 8).toString();
      case 109: // m
        return (stat.mode & 0o7777).toString(8);
      case 77: // M
        return modeText(stat.mode);
      case 117: {
        // u
        const name = userName(stat.uid);
        return name == '' ? stat.uid.toString() : name;
      }
      case 103: {
        // g
        const name = groupName(stat.gid);
        return name == '' ? stat.gid.toString() : name;
      }
      case 85: // U
        return stat.uid.toString();
      case 71: // G
        return stat.gid.toString();
      case 110: // n
        return stat.nlink.toString();
      case 105: // i
        return stat.ino.toString();
      case 100: // d
        return this.depth.toString();
      case 68: // D
        return stat.dev.toString();
      case 121: {
        // y
        const type = typeLetter(stat.mode);
        return type == 45 ? 'f' : String.fromCharCode(type);
      }
      case 89: {
        // Y
        const followed = statOf(this.context, path, true);
        if (followed == null) return 'N';
        const type = typeLetter(followed.mode);
        return type == 45 ? 'f' : String.fromCharCode(type);
      }
      case 108: // l
        return stat.isLink && readLink(absolute(this.context, path)) == 0 ? linkTarget : '';
      case 116: // t
        return strftime('%a %b %e %H:%M:%S.%N0 %Y', stat.mtime);
      case 84: // T
      case 65: // A
      case 67: {
        // C
        const time = letter == 84 ? stat.mtime : letter == 65 ? stat.atime : stat.ctime;
        if (which == 64) return strftime('%s.%N0', time);
        if (which == 43) return strftime('%Y-%m-%d+%H:%M:%S.%N0', time);
        if (which == 83) return strftime('%S.%N0', time);
        if (which == 84) return strftime('%H:%M:%S.%N0', time);
        return strftime(`%${String.fromCharCode(which)}`, time);
      }
      default:
        return `%${String.fromCharCode(letter)}`;
    }
  }
}

export function findFiles(context: Context, args: Array<string>): i32 {
  let first = 1;
  let follow = 0;
  for (; first < args.length; first++) {
    if (args[first] == '-L') follow = 2;
    else if (args[first] == '-H') follow = 1;
    else if (args[first] == '-P') follow = 0;
    else if (!args[first].startsWith('-O')) break;
  }
  const starts: string[] = [];
  for (; first < args.length; first++) {
    const word = args[first];
    if ((word.startsWith('-') && word.length > 1) || word == '(' || word == '!' || word == ')' || word == ',') break;
    starts.push(word);
  }
  if (starts.length == 0) starts.push('.');
  const words = args.slice(first);
  if (words.length > 0 && words[0] == '-follow') follow = 2;
  const expression = new Expression(
    context,
    words.filter((word) => word != '-follow'),
    realTime(),
  );
  const term = expression.parse();
  if (expression.error != '') {
    complain(context, args[0], expression.error);
    return 1;
  }
  const finder = new Finder(context, args[0], expression, term);
  finder.follow = follow;
  for (let i = 0; i < starts.length && !finder.quit; i++) {
    finder.start = starts[i];
    finder.visit(starts[i], 0, 0);
  }
  for (let i = 0; i < expression.many.length; i++) finder.runPending(expression.many[i]);
  return finder.status;
}
