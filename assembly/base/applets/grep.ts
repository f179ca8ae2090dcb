/** grep, egrep, fgrep */
import { Context } from '../applet';
import { complain, complainOf } from '../io/messages';
import { parseDecimal, wasNumber } from '../io/number';
import { closeInput, inputOf, openError, openInput } from '../io/open';
import { absolute, baseName, join } from '../io/paths';
import { Reader } from '../io/reader';
import { unit } from '../io/text';
import { sortNames, statOf } from '../io/walk';
import { EXTENDED, IGNORE_CASE, PAREN_LITERAL, WHOLE_LINE, WHOLE_WORD } from '../regex/parser';
import { Regex } from '../regex/regex';
import { EISDIR } from '../wasi/errno';
import { readDirectory } from '../wasi/files';
import { globMatches } from './glob';
import { END, Options, STOP } from './options';

class Search {
  regexes: Array<Regex> = [];
  invert: bool = false;
  count: bool = false;
  listed: bool = false;
  unlisted: bool = false;
  numbers: bool = false;
  offsets: bool = false;
  only: bool = false;
  quiet: bool = false;
  silent: bool = false;
  text: bool = false;
  names: bool = false;
  zeroNames: bool = false;
  delimiter: i32 = 10;
  before: i32 = 0;
  after: i32 = 0;
  most: i64 = i64.MAX_VALUE;
  recursive: bool = false;
  follow: bool = false;
  skipDirectories: bool = false;
  label: string = '(standard input)';
  include: Array<string> = [];
  exclude: Array<string> = [];
  excludeDirectories: Array<string> = [];
  matched: bool = false;
  failed: bool = false;
  /** Something was shown: the next group of lines is separated from it. */
  shown: bool = false;
  start: i32 = 0;
  end: i32 = 0;

  constructor(
    public context: Context,
    public name: string,
  ) {}

  get done(): bool {
    return (this.quiet && this.matched) || this.context.stdout.error != 0;
  }

  test(line: string): bool {
    for (let i = 0; i < this.regexes.length; i++) {
      if (this.regexes[i].test(line)) return true;
      if (this.regexes[i].exhausted) this.tooHard();
    }
    return false;
  }

  private tooHard(): void {
    if (!this.failed) complain(this.context, this.name, 'a back-reference needs too many steps');
    this.failed = true;
  }

  /** The leftmost, longest match of all patterns. */
  find(line: string, from: i32): bool {
    let found = false;
    for (let i = 0; i < this.regexes.length; i++) {
      const regex = this.regexes[i];
      if (!regex.match(line, from)) continue;
      if (!found || regex.start < this.start || (regex.start == this.start && regex.end > this.end)) {
        this.start = regex.start;
        this.end = regex.end;
        found = true;
      }
    }
    return found;
  }

  private prefix(file: string, number: i64, offset: i64, separator: i32): void {
    const out = this.context.stdout;
    if (this.names) {
      out.write(file);
      out.byte(this.zeroNames ? 0 : separator);
    }
    if (this.numbers) {
      out.write(number.toString());
      out.byte(separator);
    }
    if (this.offsets) {
      out.write(offset.toString());
      out.byte(separator);
    }
  }

  private show(file: string, line: string, number: i64, offset: i64, separator: i32): void {
    const out = this.context.stdout;
    if (this.only && separator == 58) {
      let from = 0;
      while (from <= line.length && !this.invert && this.find(line, from)) {
        if (this.end > this.start) {
          this.prefix(file, number, offset + this.start, separator);
          out.write(line.substring(this.start, this.end));
          out.byte(this.delimiter);
          from = this.end;
        } else {
          from = this.start + 1;
        }
      }
      return;
    }
    if (this.only) return;
    this.prefix(file, number, offset, separator);
    out.write(line);
    out.byte(this.delimiter);
  }

  lines(file: string, reader: Reader): void {
    const out = this.context.stdout;
    const binary = !this.text && this.delimiter != 0 && reader.holdsZero();
    let count: i64 = 0;
    let number: i64 = 0;
    let offset: i64 = 0;
    let trailing = 0;
    let lastShown: i64 = 0;
    const kept: string[] = [];
    const keptOffsets: i64[] = [];
    const plain = this.quiet || this.listed || this.unlisted || this.count;
    while (count < this.most && !this.done) {
      const line = reader.line(this.delimiter);
      if (line == null) break;
      number++;
      if (this.test(line) != this.invert) {
        count++;
        this.matched = true;
        if (this.quiet || this.listed || this.unlisted) break;
        if (!plain && binary) {
          complain(this.context, this.name, `${file}: binary file matches`);
          break;
        }
        if (!plain) {
          const context = this.before > 0 || this.after > 0;
          if (context && this.shown && lastShown < number - kept.length - 1) out.write('--\n');
          for (let i = 0; i < kept.length; i++) {
            this.show(file, kept[i], number - kept.length + i, keptOffsets[i], 45);
          }
          kept.length = 0;
          keptOffsets.length = 0;
          this.show(file, line, number, offset, 58);
          lastShown = number;
          this.shown = true;
          trailing = this.after;
        }
      } else if (!plain && !binary) {
        if (trailing > 0) {
          trailing--;
          this.show(file, line, number, offset, 45);
          lastShown = number;
        } else if (this.before > 0) {
          if (kept.length == this.before) {
            kept.shift();
            keptOffsets.shift();
          }
          kept.push(line);
          keptOffsets.push(offset);
        }
      }
      offset += line.length + 1;
    }
    // lines of context behind the last match that counts
    while (trailing > 0 && !this.done) {
      const line = reader.line(this.delimiter);
      if (line == null) break;
      trailing--;
      this.show(file, line, ++number, offset, 45);
      offset += line.length + 1;
    }
    if (this.quiet) return;
    if (this.listed ? count > 0 : this.unlisted && count == 0) {
      out.write(file);
      out.byte(this.zeroNames ? 0 : 10);
    } else if (this.count && !this.listed && !this.unlisted) {
      if (this.names) {
        out.write(file);
        out.byte(this.zeroNames ? 0 : 58);
      }
      out.line(count.toString());
    }
  }

  fail(path: string, errno: i32): void {
    if (!this.silent) complainOf(this.context, this.name, path, errno);
    this.failed = true;
  }

  file(path: string): void {
    const reader = openInput(this.context, path);
    if (reader == null) {
      this.fail(path, openError());
      return;
    }
    this.lines(path == '-' ? this.label : path, reader);
    if (reader.error != 0) {
      if (reader.error == EISDIR && !this.silent) complain(this.context, this.name, `${path}: Is a directory`);
      else if (reader.error != EISDIR) this.fail(path, reader.error);
      if (reader.error == EISDIR) this.failed = true;
      reader.error = 0;
    }
    closeInput(this.context, this.name, path, reader);
  }

  private wanted(name: string): bool {
    for (let i = 0; i < this.exclude.length; i++) if (globMatches(this.exclude[i], name)) return false;
    for (let i = 0; i < this.include.length; i++) if (globMatches(this.include[i], name)) return true;
    return this.include.length == 0;
  }

  /** An operand, or what is below it. */
  path(path: string, shown: string, operand: bool): void {
    if (this.done) return;
    if (path == '-') {
      this.file(path);
      return;
    }
    const stat = statOf(this.context, path, operand || this.follow);
    if (stat != null && stat.isDirectory) {
      if (this.skipDirectories) return;
      if (!this.recursive) {
        if (!this.silent) complain(this.context, this.name, `${path}: Is a directory`);
        this.failed = true;
        return;
      }
      const base = baseName(path);
      for (let i = 0; i < this.excludeDirectories.length; i++) {
        if (globMatches(this.excludeDirectories[i], base) && !(operand && base == '.')) return;
      }
      const names: string[] = [];
      const errno = readDirectory(absolute(this.context, path), names);
      if (errno < 0) {
        this.fail(path, errno);
        return;
      }
      sortNames(names);
      for (let i = 0; i < names.length; i++) {
        this.path(join(path, names[i]), shown == '' ? names[i] : join(shown, names[i]), false);
      }
      return;
    }
    if (!operand && stat != null && !stat.isFile) return;
    if (!this.wanted(baseName(path))) return;
    this.file(operand || shown == '' ? path : shown);
  }
}

/** As a basic expression that matches just this text. */
function literally(text: string): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    result += '.[\\*^$'.includes(c) ? `\\${c}` : c;
  }
  return result;
}

function hasBackReference(pattern: string): bool {
  for (let i = 0; i + 1 < pattern.length; i++) {
    if (unit(pattern, i) != 92) continue;
    i++;
    if (unit(pattern, i) >= 49 && unit(pattern, i) <= 57) return true;
  }
  return false;
}

/** One expression for all that have no back-references, one for each of the others. */
function compile(search: Search, patterns: Array<string>, kind: i32, flags: i32): bool {
  const together: string[] = [];
  const alone: string[] = [];
  for (let i = 0; i < patterns.length; i++) {
    const pattern = kind == 70 ? literally(patterns[i]) : patterns[i];
    if (kind != 70 && hasBackReference(pattern)) {
      alone.push(pattern);
      continue;
    }
    // each is judged by itself, so that no two bad ones make a good one
    if (patterns.length > 1 && kind != 70 && !addRegex(search, pattern, flags, false)) return false;
    together.push(pattern);
  }
  const or = kind == 69 ? '|' : '\\|';
  if (together.length > 0 && !addRegex(search, together.join(or), flags, true)) return false;
  for (let i = 0; i < alone.length; i++) if (!addRegex(search, alone[i], flags, true)) return false;
  return true;
}

function addRegex(search: Search, pattern: string, flags: i32, keep: bool): bool {
  const regex = new Regex(pattern, flags);
  if (regex.error != '') {
    complain(search.context, search.name, regex.error);
    return false;
  }
  if (keep) search.regexes.push(regex);
  return true;
}

function count(search: Search, text: string): i32 {
  const value = parseDecimal(text);
  if (wasNumber() && value >= 0) return <i32>min<i64>(value, 1 << 30);
  complain(search.context, search.name, `${text}: invalid context length argument`);
  return -1;
}

export function grep(context: Context, args: Array<string>): i32 {
  const search = new Search(context, args[0]);
  const called = baseName(args[0]);
  let kind = called == 'egrep' ? 69 : called == 'fgrep' ? 70 : 71;
  let flags = 0;
  let patterns: string[] = [];
  let given = false;
  let names = 0;
  const options = new Options(
    context,
    args,
    'EFGPiyvclLnoqsrRwxe:f:HhabzZA:B:C:m:UTd:D:0123456789',
    'extended-regexp=E,fixed-strings=F,basic-regexp=G,perl-regexp=P,ignore-case=i,no-ignore-case=I,invert-match=v,count=c,' +
      'files-with-matches=l,files-without-match=L,line-number=n,only-matching=o,quiet=q,silent=q,no-messages=s,recursive=r,' +
      'dereference-recursive=R,word-regexp=w,line-regexp=x,regexp:=e,file:=f,with-filename=H,no-filename=h,text=a,' +
      'byte-offset=b,null-data=z,null=Z,after-context:=A,before-context:=B,context:=C,max-count:=m,include:=J,exclude:=K,' +
      'exclude-dir:=M,color?=N,colour?=N,label:=O,line-buffered=U,binary-files:=Q,directories:=d,devices:=D,initial-tab=T',
    2,
  );
  let digits = '';
  for (let o = options.next(); o != END; o = options.next()) {
    const value = options.value;
    switch (o) {
      case STOP:
        return options.status;
      case 69: // E
      case 70: // F
      case 71: // G
        kind = o;
        break;
      case 80: // P
        complain(context, args[0], 'Perl regular expressions are not supported; -E has most of what is needed');
        return 2;
      case 105: // i
      case 121: // y
        flags |= IGNORE_CASE;
        break;
      case 73: // I
        flags &= ~IGNORE_CASE;
        break;
      case 118: // v
        search.invert = true;
        break;
      case 99: // c
        search.count = true;
        break;
      case 108: // l
        search.listed = true;
        break;
      case 76: // L
        search.unlisted = true;
        break;
      case 110: // n
        search.numbers = true;
        break;
      case 98: // b
        search.offsets = true;
        break;
      case 111: // o
        search.only = true;
        break;
      case 113: // q
        search.quiet = true;
        break;
      case 115: // s
        search.silent = true;
        break;
      case 82: // R
        search.recursive = search.follow = true;
        break;
      case 114: // r
        search.recursive = true;
        break;
      case 119: // w
        flags |= WHOLE_WORD;
        break;
      case 120: // x
        flags |= WHOLE_LINE;
        break;
      case 101: // e
        patterns = patterns.concat(value.split('\n'));
        given = true;
        break;
      case 102: {
        // f
        const reader = inputOf(context, args[0], value);
        if (reader == null) return 2;
        for (let line = reader.line(); line != null; line = reader.line()) patterns.push(line);
        closeInput(context, args[0], value, reader);
        given = true;
        break;
      }
      case 72: // H
        names = 1;
        break;
      case 104: // h
        names = -1;
        break;
      case 97: // a
        search.text = true;
        break;
      case 81: // Q
        search.text = value == 'text';
        break;
      case 122: // z
        search.delimiter = 0;
        break;
      case 90: // Z
        search.zeroNames = true;
        break;
      case 65: // A
        search.after = count(search, value);
        if (search.after < 0) return 2;
        break;
      case 66: // B
        search.before = count(search, value);
        if (search.before < 0) return 2;
        break;
      case 67: // C
        search.before = search.after = count(search, value);
        if (search.before < 0) return 2;
        break;
      case 109: // m
        search.most = parseDecimal(value);
        if (!wasNumber()) {
          complain(context, args[0], 'invalid max count');
          return 2;
        }
        if (search.most < 0) search.most = i64.MAX_VALUE;
        break;
      case 100: // d
        search.skipDirectories = value == 'skip';
        if (value == 'recurse') search.recursive = true;
        break;
      case 74: // J
        search.include.push(value);
        break;
      case 75: // K
        search.exclude.push(value);
        break;
      case 77: // M
        search.excludeDirectories.push(value);
        break;
      case 79: // O
        search.label = value;
        break;
    }
    if (o >= 48 && o <= 57) {
      digits += String.fromCharCode(o);
      search.before = search.after = <i32>parseDecimal(digits);
    }
  }
  let operands = options.operands;
  if (!given) {
    if (operands.length == 0) {
      complain(context, args[0], 'no pattern given');
      return 2;
    }
    patterns = operands[0].split('\n');
    operands = operands.slice(1);
  }
  if (kind == 69) flags |= EXTENDED | PAREN_LITERAL;
  if (!compile(search, patterns, kind, flags)) return 2;
  const implied = operands.length == 0;
  if (implied) operands = [search.recursive ? '.' : '-'];
  search.names = names != 0 ? names > 0 : operands.length > 1 || search.recursive;
  if (search.most == 0) return 1;
  for (let i = 0; i < operands.length && !search.done; i++) {
    search.path(operands[i], implied ? '' : operands[i], true);
  }
  if (search.quiet && search.matched) return 0;
  return search.failed ? 2 : search.matched ? 0 : 1;
}
