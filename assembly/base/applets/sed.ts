/** sed */
import { Context } from '../applet';
import { complain } from '../io/messages';
import { inBase, parseDecimal } from '../io/number';
import { closeInput, inputOf, openInput } from '../io/open';
import { Reader } from '../io/reader';
import { Text, toLower, toUpper, unit } from '../io/text';
import { Regex } from '../regex/regex';
import { END, Options, STOP } from './options';
import {
  Address,
  AT_LAST,
  AT_LINE,
  AT_MORE,
  AT_MULTIPLE,
  AT_REGEX,
  AT_STEP,
  AT_ZERO,
  Command,
  NO_ADDRESS,
  PIECE_CASE,
  PIECE_TEXT,
} from './sed-command';
import { Files, Input, Output } from './sed-input';
import { Script } from './sed-script';

/** What a cycle goes on with. */
const NEXT_CYCLE: i32 = 0;
/** As NEXT_CYCLE, with what is left in the pattern space. */
const AGAIN: i32 = 1;
const QUIT: i32 = 2;
/** Quits without printing. */
const LEAVE: i32 = 3;
const NEXT_SILENT: i32 = 4;

/** What is written after a cycle: a text, or a file's content, or a line of it. */
class Appended {
  constructor(
    public kind: i32,
    public text: string,
  ) {}
}

class Editor {
  pattern: string = '';
  hold: string = '';
  status: i32 = 0;
  width: i32 = 70;
  private appended: Array<Appended> = [];
  private replaced: bool = false;
  private last: Regex | null = null;
  private lineReaders: Map<string, Reader> = new Map();

  constructor(
    private context: Context,
    private name: string,
    private commands: Array<Command>,
    private input: Input,
    private files: Files,
    private silent: bool,
    private delimiter: i32,
  ) {}

  run(): void {
    let again = false;
    for (;;) {
      if (!again) {
        const line = this.input.next();
        if (line == null) break;
        this.pattern = line;
      }
      const end = this.cycle();
      again = end == AGAIN;
      if (!this.silent && (end == NEXT_CYCLE || end == QUIT)) this.print();
      this.flushAppended();
      if (end == QUIT || end == LEAVE || this.context.stdout.error != 0) break;
    }
    this.input.close();
  }

  private get out(): Output {
    return this.input.output;
  }

  private print(): void {
    this.out.line(this.pattern, this.input.terminated);
  }

  private matches(regex: Regex | null): bool {
    const used = regex == null ? this.last : regex;
    if (used == null) {
      complain(this.context, this.name, 'no previous regular expression');
      this.status = 1;
      return false;
    }
    this.last = used;
    return used.test(this.pattern);
  }

  private at(address: Address): bool {
    const line = this.input.number;
    switch (address.kind) {
      case AT_LINE:
        return line == address.line;
      case AT_LAST:
        return this.input.isLast;
      case AT_REGEX:
        return this.matches(address.regex);
      case AT_STEP:
        return address.step <= 0
          ? line == address.line
          : line >= address.line && (line - address.line) % address.step == 0;
      default:
        return true;
    }
  }

  private selected(command: Command): bool {
    if (command.second.kind == NO_ADDRESS) return command.first.kind == NO_ADDRESS || this.at(command.first);
    const line = this.input.number;
    const second = command.second;
    if (!command.active) {
      if (command.first.kind == AT_ZERO) {
        // only once, from the first line on
        if (command.until != 0 || line != 1) return false;
        command.until = 1;
        command.active = !this.at(second);
        return true;
      }
      if (!this.at(command.first)) return false;
      command.active = true;
      if (second.kind == AT_LINE) command.until = second.line;
      else if (second.kind == AT_MORE) command.until = line + second.line;
      else if (second.kind == AT_MULTIPLE) {
        command.until = second.line <= 0 ? line : ((line + second.line - 1) / second.line) * second.line;
      } else {
        if (second.kind == AT_LAST && this.input.isLast) command.active = false;
        return true;
      }
      if (command.until <= line) command.active = false;
      return true;
    }
    if (second.kind == AT_REGEX || second.kind == AT_LAST) {
      if (this.at(second)) command.active = false;
      return true;
    }
    if (line >= command.until) command.active = false;
    // a range whose end is behind us already: nothing of it is left
    return line <= command.until || this.at(command.first);
  }

  private cycle(): i32 {
    const commands = this.commands;
    let pc = 0;
    while (pc < commands.length) {
      if (this.context.stdout.error != 0 || this.status != 0) return LEAVE;
      const command = commands[pc];
      if (this.selected(command) == command.negated) {
        pc = command.letter == 123 ? command.target : pc + 1;
        continue;
      }
      pc++;
      switch (command.letter) {
        case 61: // =
          this.out.raw(`${this.input.number}\n`);
          break;
        case 97: // a
          this.appended.push(new Appended(97, command.text));
          break;
        case 98: // b
          pc = command.target;
          break;
        case 99: // c
          if (command.second.kind == NO_ADDRESS || !command.active || command.negated) this.out.raw(command.text);
          return NEXT_SILENT;
        case 100: // d
          return NEXT_SILENT;
        case 68: {
          // D
          const newline = this.pattern.indexOf('\n');
          if (newline < 0) return NEXT_SILENT;
          this.pattern = this.pattern.substring(newline + 1);
          return AGAIN;
        }
        case 70: // F
          this.out.raw(`${this.input.fileName}\n`);
          break;
        case 103: // g
          this.pattern = this.hold;
          break;
        case 71: // G
          this.pattern = `${this.pattern}\n${this.hold}`;
          break;
        case 104: // h
          this.hold = this.pattern;
          break;
        case 72: // H
          this.hold = `${this.hold}\n${this.pattern}`;
          break;
        case 105: // i
          this.out.raw(command.text);
          break;
        case 108: // l
          this.out.raw(visible(this.pattern, command.number >= 0 ? command.number : this.width));
          break;
        case 110: {
          // n
          if (this.input.isLast) return QUIT;
          if (!this.silent) this.print();
          this.flushAppended();
          const line = this.input.next();
          if (line == null) return LEAVE;
          this.pattern = line;
          break;
        }
        case 78: {
          // N
          if (this.input.isLast) return QUIT;
          this.flushAppended();
          const line = this.input.next();
          if (line == null) return QUIT;
          this.pattern = `${this.pattern}\n${line}`;
          break;
        }
        case 112: // p
          this.print();
          break;
        case 80: {
          // P
          const newline = this.pattern.indexOf('\n');
          if (newline < 0) this.print();
          else this.out.line(this.pattern.substring(0, newline), true);
          break;
        }
        case 113: // q
        case 81: // Q
          this.exit = max(command.number, 0);
          return command.letter == 113 ? QUIT : LEAVE;
        case 114: // r
        case 82: // R
          this.appended.push(new Appended(command.letter, command.text));
          break;
        case 115: // s
          this.substitute(command);
          break;
        case 116: // t
          if (this.replaced) {
            this.replaced = false;
            pc = command.target;
          }
          break;
        case 84: // T
          if (!this.replaced) pc = command.target;
          this.replaced = false;
          break;
        case 119: // w
          this.writeTo(command.text, this.pattern, this.input.terminated);
          break;
        case 87: {
          // W
          const newline = this.pattern.indexOf('\n');
          this.writeTo(command.text, newline < 0 ? this.pattern : this.pattern.substring(0, newline), true);
          break;
        }
        case 120: {
          // x
          const swap = this.pattern;
          this.pattern = this.hold;
          this.hold = swap;
          break;
        }
        case 121: {
          // y
          const map = command.map!;
          const text = new Text(this.pattern.length);
          for (let i = 0; i < this.pattern.length; i++) text.byte(map[unit(this.pattern, i)]);
          this.pattern = text.toString();
          break;
        }
        case 122: // z
          this.pattern = '';
          break;
      }
    }
    return NEXT_CYCLE;
  }

  /** The status q asked for. */
  exit: i32 = 0;

  private writeTo(path: string, text: string, terminated: bool): void {
    const output = path == '/dev/stdout' && !this.input.inPlace ? this.out : this.files.output(path);
    if (output != null) output.line(text, terminated);
  }

  private flushAppended(): void {
    for (let i = 0; i < this.appended.length; i++) {
      const item = this.appended[i];
      if (item.kind == 97) {
        this.out.raw(item.text);
      } else if (item.kind == 114) {
        const reader = openInput(this.context, item.text);
        if (reader == null) continue;
        this.out.raw(reader.all());
        reader.error = 0;
        closeInput(this.context, this.name, item.text, reader);
      } else {
        this.oneLine(item.text);
      }
    }
    this.appended.length = 0;
    this.replaced = false;
  }

  private oneLine(path: string): void {
    if (!this.lineReaders.has(path)) {
      const opened = openInput(this.context, path);
      if (opened == null) return;
      this.lineReaders.set(path, opened);
    }
    const line = this.lineReaders.get(path).line(this.delimiter);
    if (line != null) this.out.line(line, true);
  }

  private substitute(command: Command): void {
    const regex = command.regex == null ? this.last : command.regex;
    if (regex == null) {
      complain(this.context, this.name, 'no previous regular expression');
      this.status = 1;
      return;
    }
    this.last = regex;
    const source = this.pattern;
    if (!regex.test(source)) {
      if (regex.exhausted) {
        complain(this.context, this.name, 'a back-reference needs too many steps');
        this.status = 1;
      }
      return;
    }
    const result = new Text(source.length + 64);
    let at = 0;
    let from = 0;
    let count = 0;
    let previous = -1;
    let isDone = false;
    while (from <= source.length && regex.match(source, from)) {
      const start = regex.start;
      const end = regex.end;
      // nothing right behind a match is not another one
      if (start == end && start == previous) {
        from = end + 1;
        continue;
      }
      count++;
      previous = end;
      if (count >= command.occurrence) {
        result.part(source, at, start);
        this.replace(command, regex, source, result);
        at = end;
        isDone = true;
        if (!command.global) break;
      }
      from = end == start ? end + 1 : end;
    }
    if (!isDone) return;
    result.part(source, at, source.length);
    this.pattern = result.toString();
    this.replaced = true;
    for (let i = 0; i < command.print; i++) this.print();
    if (command.file != '') this.writeTo(command.file, this.pattern, this.input.terminated);
  }

  private replace(command: Command, regex: Regex, source: string, result: Text): void {
    // U and L until E; u and l for one byte
    let mode = 0;
    let once = 0;
    for (let i = 0; i < command.pieces.length; i++) {
      const piece = command.pieces[i];
      if (piece.kind == PIECE_CASE) {
        if (piece.value == 117 || piece.value == 108) once = piece.value;
        else mode = piece.value == 69 ? 0 : piece.value;
        if (piece.value == 69) once = 0;
        continue;
      }
      const text = piece.kind == PIECE_TEXT ? piece.text : regex.group(source, piece.value);
      if (mode == 0 && once == 0) {
        result.text(text);
        continue;
      }
      for (let k = 0; k < text.length; k++) {
        const how = once != 0 ? once : mode;
        const c = unit(text, k);
        result.byte((how | 32) == 117 ? toUpper(c) : how == 0 ? c : toLower(c));
        once = 0;
      }
    }
  }
}

/** As the command l shows it. */
function visible(text: string, width: i32): string {
  const most = width <= 1 ? i32.MAX_VALUE : width - 1;
  const names = 'abtnvfr';
  let result = '';
  let line = '';
  for (let i = 0; i < text.length; i++) {
    const c = unit(text, i);
    let item: string;
    if (c == 92) item = '\\\\';
    else if (c >= 7 && c <= 13) item = `\\${names.charAt(c - 7)}`;
    else if (c < 32 || c > 126) item = `\\${inBase(c, 8, 3)}`;
    else item = String.fromCharCode(c);
    if (line.length + item.length > most) {
      result += `${line}\\\n`;
      line = '';
    }
    line += item;
  }
  return `${result}${line}$\n`;
}

export function sed(context: Context, args: Array<string>): i32 {
  let extended = false;
  let silent = false;
  let separate = false;
  let suffix: string | null = null;
  let script = '';
  let given = false;
  let width = 70;
  let delimiter = 10;
  const options = new Options(
    context,
    args,
    'nEre:f:i?szul:',
    'quiet=n,silent=n,regexp-extended=E,expression:=e,file:=f,in-place?=i,separate=s,null-data=z,unbuffered=u,line-length:=l,' +
      'posix=p,debug=D,sandbox=S,follow-symlinks=F',
  );
  for (let o = options.next(); o != END; o = options.next()) {
    switch (o) {
      case STOP:
        return options.status;
      case 110: // n
        silent = true;
        break;
      case 69: // E
      case 114: // r
        extended = true;
        break;
      case 101: // e
        script = given ? `${script}\n${options.value}` : options.value;
        given = true;
        break;
      case 102: {
        // f
        const reader = inputOf(context, args[0], options.value);
        if (reader == null) return 1;
        let text = reader.all();
        closeInput(context, args[0], options.value, reader);
        if (text.endsWith('\n')) text = text.substring(0, text.length - 1);
        script = given ? `${script}\n${text}` : text;
        given = true;
        break;
      }
      case 105: // i
        suffix = options.value;
        separate = true;
        break;
      case 115: // s
        separate = true;
        break;
      case 122: // z
        delimiter = 0;
        break;
      case 108: // l
        width = <i32>parseDecimal(options.value);
        break;
    }
  }
  let operands = options.operands;
  if (!given) {
    if (operands.length == 0) {
      complain(context, args[0], 'no script given');
      return 1;
    }
    script = operands[0];
    operands = operands.slice(1);
  }
  const parsed = new Script(extended);
  parsed.parse(script);
  if (parsed.error != '') {
    complain(context, args[0], parsed.error.startsWith('char') ? `-e expression #1, ${parsed.error}` : parsed.error);
    return 1;
  }
  const files = new Files(context, args[0], delimiter);
  for (let i = 0; i < parsed.commands.length; i++) {
    const command = parsed.commands[i];
    const path = command.letter == 119 || command.letter == 87 ? command.text : command.file;
    if (path != '' && path != '/dev/stdout' && files.output(path) == null) return 4;
  }
  const input = new Input(context, args[0], operands.length > 0 ? operands : ['-'], separate, suffix, delimiter);
  const editor = new Editor(context, args[0], parsed.commands, input, files, silent || parsed.silent, delimiter);
  editor.width = width;
  editor.run();
  if (!files.close()) {
    complain(context, args[0], "couldn't write a file");
    return 4;
  }
  return editor.exit != 0 ? editor.exit : editor.status != 0 ? editor.status : input.status;
}
