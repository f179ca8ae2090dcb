/** Runs an awk program. */
import { Context } from '../../applet';
import { complain } from '../../io/messages';
import { openError, openInput } from '../../io/open';
import { Reader } from '../../io/reader';
import { compare, unit } from '../../io/text';
import { Writer } from '../../io/writer';
import { Regex } from '../../regex/regex';
import { errorText } from '../../wasi/errno';
import { callBuiltin, format } from './builtins';
import { ARRAY, Cell, UNSET } from './cell';
import { unescaped } from './lexer';
import { Record, readRecord, regexOf } from './record';
import { Streams } from './streams';
import * as t from './tree';
import { Node, Program, Routine } from './tree';

export const FINE: i32 = 0;
export const BREAK: i32 = 1;
export const CONTINUE: i32 = 2;
export const NEXT: i32 = 3;
export const NEXT_FILE: i32 = 4;
export const EXIT: i32 = 5;
export const RETURN: i32 = 6;
const CALLS_MAX: i32 = 1200;

export class Machine {
  globals: Array<Cell> = [];
  record: Record = new Record();
  streams: Streams;
  status: i32 = 0;
  /** What is to happen that began within an expression: EXIT, NEXT, an error. */
  pending: i32 = FINE;
  private frame: Array<Cell> = [];
  private result: Cell = new Cell();
  private calls: i32 = 0;
  private reader: Reader | null = null;
  private argument: i32 = 1;
  private anyFile: bool = false;
  private ended: bool = false;
  /** An error ended it: no END is run. */
  private isFatal: bool = false;

  constructor(
    public context: Context,
    public name: string,
    private program: Program,
    private slots: Map<string, i32>,
  ) {
    this.streams = new Streams(context, name);
    for (let i = 0; i < program.globals.length; i++) this.globals.push(new Cell());
    this.set(t.V_FS, ' ');
    this.set(t.V_OFS, ' ');
    this.set(t.V_ORS, '\n');
    this.set(t.V_RS, '\n');
    this.set(t.V_SUBSEP, '\x1c');
    this.set(t.V_CONVFMT, '%.6g');
    this.set(t.V_OFMT, '%.6g');
    this.globals[t.V_RLENGTH].setNumber(-1);
    this.globals[t.V_RSTART].setNumber(0);
    this.globals[t.V_NR].setNumber(0);
    this.globals[t.V_FNR].setNumber(0);
  }

  private set(slot: i32, text: string): void {
    this.globals[slot].setText(text);
  }

  text(slot: i32): string {
    return this.globals[slot].toText('%.6g');
  }

  get convfmt(): string {
    return this.text(t.V_CONVFMT);
  }

  fatal(message: string): void {
    if (this.isFatal) return;
    this.isFatal = true;
    complain(this.context, this.name, message);
    this.pending = EXIT;
    this.status = 2;
  }

  /** `name=value`, of -v and of the operands. */
  assign(text: string): void {
    const equals = text.indexOf('=');
    const name = text.substring(0, equals);
    const value = unescaped(text.substring(equals + 1));
    if (!this.slots.has(name)) return;
    const slot = this.slots.get(name);
    if (slot == t.V_NF) this.record.setLength(<i32>Cell.outside(value).toNumber());
    else this.globals[slot].setOutside(value);
  }

  run(): i32 {
    const program = this.program;
    let end = FINE;
    for (let i = 0; i < program.begin.length && end != EXIT; i++) end = this.execute(program.begin[i]);
    if (end != EXIT && (program.rules.length > 0 || program.end.length > 0)) end = this.records();
    if (!this.isFatal) {
      // exit leads here, too
      this.pending = FINE;
      end = FINE;
      for (let i = 0; i < program.end.length && end != EXIT; i++) end = this.execute(program.end[i]);
    }
    this.finish();
    return this.status;
  }

  private finish(): void {
    const reader = this.reader;
    if (reader != null && reader !== this.context.stdin) reader.close();
    if (!this.streams.closeAll() && this.status == 0) this.status = 2;
  }

  private records(): i32 {
    while (this.context.stdout.error == 0) {
      const line = this.nextRecord();
      if (line == null) break;
      this.record.setWhole(line, this.text(t.V_FS));
      const end = this.rules();
      if (end == EXIT) return EXIT;
      if (end == NEXT_FILE) this.skipFile();
    }
    return this.pending == EXIT ? EXIT : FINE;
  }

  private rules(): i32 {
    const rules = this.program.rules;
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i];
      const first = rule.first;
      const last = rule.last;
      let holds = true;
      if (last != null && rule.inRange) {
        rule.inRange = !this.truth(last);
      } else if (first != null) {
        holds = this.truth(first);
        if (holds && last != null) rule.inRange = !this.truth(last);
      }
      if (this.pending != FINE) {
        const pending = this.pending;
        if (pending != EXIT) this.pending = FINE;
        return pending;
      }
      if (!holds) continue;
      const body = rule.body;
      if (body == null) {
        this.context.stdout.write(this.fieldText(0));
        this.context.stdout.write(this.text(t.V_ORS));
        continue;
      }
      const end = this.execute(body);
      if (end == EXIT || end == NEXT || end == NEXT_FILE) return end;
    }
    return FINE;
  }

  private skipFile(): void {
    const reader = this.reader;
    if (reader != null && reader !== this.context.stdin) reader.close();
    else if (reader != null) reader.all();
    this.reader = null;
  }

  /** Opens the next input among the operands; false when there is none left. */
  private nextFile(): bool {
    const operands = this.arrayOf(this.globals[t.V_ARGV]);
    const count = <i32>this.globals[t.V_ARGC].toNumber();
    while (this.argument < count) {
      const key = this.argument.toString();
      this.argument++;
      const operand = operands.has(key) ? operands.get(key).toText('%d') : '';
      if (operand == '') continue;
      if (isAssignment(operand)) {
        this.assign(operand);
        continue;
      }
      this.anyFile = true;
      const reader = openInput(this.context, operand);
      if (reader == null) {
        complain(this.context, this.name, `cannot open "${operand}" (${errorText(openError())})`);
        this.status = 2;
        continue;
      }
      this.reader = reader;
      this.globals[t.V_FILENAME].setText(operand == '-' ? '' : operand);
      this.globals[t.V_FNR].setNumber(0);
      return true;
    }
    if (this.anyFile) return false;
    this.anyFile = true;
    this.reader = this.context.stdin;
    return true;
  }

  /** The main input's next record, counted. */
  nextRecord(): string | null {
    while (!this.ended) {
      if (this.reader == null && !this.nextFile()) {
        this.ended = true;
        break;
      }
      const reader = this.reader!;
      const line = readRecord(reader, this.text(t.V_RS));
      if (line != null) {
        this.count(true);
        return line;
      }
      if (reader.error != 0) {
        complain(this.context, this.name, `${this.text(t.V_FILENAME)}: ${errorText(reader.error)}`);
        this.status = 2;
        reader.error = 0;
      }
      if (reader !== this.context.stdin) reader.close();
      this.reader = null;
    }
    return null;
  }

  count(ofFile: bool): void {
    this.globals[t.V_NR].setNumber(this.globals[t.V_NR].toNumber() + 1);
    if (ofFile) this.globals[t.V_FNR].setNumber(this.globals[t.V_FNR].toNumber() + 1);
  }

  // statements

  private execute(node: Node): i32 {
    const end = this.executeKind(node);
    if (this.pending != FINE && end != EXIT) {
      const pending = this.pending;
      // NEXT within a function ends all the calls on the way
      if (this.calls == 0 && pending != EXIT) this.pending = FINE;
      return pending;
    }
    return end;
  }

  private executeKind(node: Node): i32 {
    switch (node.kind) {
      case t.BLOCK: {
        const list = node.list;
        for (let i = 0; i < list.length; i++) {
          const end = this.execute(list[i]);
          if (end != FINE) return end;
        }
        return FINE;
      }
      case t.SIMPLE:
        this.evaluate(node.a!);
        return FINE;
      case t.PRINT:
      case t.PRINTF:
        this.print(node);
        return FINE;
      case t.IF: {
        if (this.truth(node.a!)) return this.execute(node.b!);
        const other = node.c;
        return other == null ? FINE : this.execute(other);
      }
      case t.WHILE:
      case t.DO:
      case t.FOR:
        return this.loop(node);
      case t.FOR_IN: {
        const array = this.arrayOf(this.holder(node.c!));
        const keys = array.keys();
        for (let i = 0; i < keys.length; i++) {
          if (!array.has(keys[i])) continue;
          this.store(node.a!, Cell.outside(keys[i]));
          const end = this.execute(node.b!);
          if (end == BREAK) break;
          if (end != FINE && end != CONTINUE) return end;
        }
        return FINE;
      }
      case t.BREAK:
        return BREAK;
      case t.CONTINUE:
        return CONTINUE;
      case t.NEXT:
      case t.NEXT_FILE: {
        const end = node.kind == t.NEXT ? NEXT : NEXT_FILE;
        if (this.calls > 0) this.pending = end;
        return end;
      }
      case t.EXIT: {
        const value = node.a;
        if (value != null) this.status = <i32>(<i64>this.number(value) & 255);
        this.pending = EXIT;
        return EXIT;
      }
      case t.RETURN: {
        const value = node.a;
        const result = new Cell();
        if (value != null) result.set(this.evaluate(value));
        this.result = result;
        return RETURN;
      }
      case t.DELETE:
        this.remove(node.a!);
        return FINE;
      default:
        return FINE;
    }
  }

  private loop(node: Node): i32 {
    if (node.kind == t.FOR) this.execute(node.list[0]);
    const condition = node.a;
    let isFirst = node.kind == t.DO;
    while (this.pending == FINE && this.context.stdout.error == 0) {
      if (!isFirst && condition != null && !this.truth(condition)) break;
      isFirst = false;
      if (this.pending != FINE) break;
      const end = this.execute(node.b!);
      if (end == BREAK) break;
      if (end != FINE && end != CONTINUE) return end;
      if (node.kind == t.FOR) this.execute(node.list[1]);
    }
    return this.context.stdout.error != 0 ? EXIT : FINE;
  }

  private remove(node: Node): void {
    if (node.kind != t.INDEX) {
      this.arrayOf(this.holder(node)).clear();
      return;
    }
    const array = this.arrayOf(this.holder(node.a!));
    const key = this.key(node.list);
    if (array.has(key)) array.delete(key);
  }

  private print(node: Node): void {
    let writer: Writer | null = this.context.stdout;
    let text = '';
    if (node.kind == t.PRINTF) {
      const values: Cell[] = [];
      for (let i = 1; i < node.list.length; i++) values.push(this.copy(node.list[i]));
      text = format(this, this.string(node.list[0]), values);
    } else if (node.list.length == 0) {
      text = this.fieldText(0) + this.text(t.V_ORS);
    } else {
      const ofmt = this.text(t.V_OFMT);
      for (let i = 0; i < node.list.length; i++) {
        if (i > 0) text += this.text(t.V_OFS);
        text += this.evaluate(node.list[i]).toText(ofmt);
      }
      text += this.text(t.V_ORS);
    }
    if (this.pending == EXIT) return;
    const target = node.b;
    if (target != null) {
      const path = this.string(target);
      writer = this.streams.output(node.value, path);
      if (writer == null) {
        this.isFatal = true;
        this.pending = EXIT;
        this.status = 2;
        return;
      }
    }
    writer.write(text);
  }

  // variables

  /** The cell of a name. */
  holder(node: Node): Cell {
    return node.kind == t.LOCAL ? this.frame[node.slot] : this.globals[node.slot];
  }

  arrayOf(cell: Cell): Map<string, Cell> {
    const known = cell.array;
    if (known != null) return known;
    if (cell.kind != UNSET && cell.kind != ARRAY) this.fatal('a scalar is used as an array');
    let array: Map<string, Cell> | null = null;
    const origin = cell.origin;
    if (origin != null) array = this.arrayOf(origin);
    else array = new Map<string, Cell>();
    cell.array = array;
    cell.kind = ARRAY;
    return array;
  }

  key(list: Array<Node>): string {
    let key = this.subscript(list[0]);
    for (let i = 1; i < list.length; i++) key += this.text(t.V_SUBSEP) + this.subscript(list[i]);
    return key;
  }

  private subscript(node: Node): string {
    return this.evaluate(node).toText(this.convfmt);
  }

  private fieldIndex(node: Node): i32 {
    const value = this.number(node.a!);
    if (value >= 0 && value <= 1e7) return <i32>value;
    this.fatal(value < 0 ? 'a field has a negative number' : 'a field has too great a number');
    return 0;
  }

  fieldText(index: i32): string {
    return this.record.get(index, this.text(t.V_OFS), this.convfmt).toText(this.convfmt);
  }

  store(node: Node, value: Cell): void {
    if (this.pending == EXIT) return;
    switch (node.kind) {
      case t.FIELD: {
        const index = this.fieldIndex(node);
        if (index == 0) this.record.setWhole(value.toText(this.convfmt), this.text(t.V_FS));
        else this.record.set(index, value);
        break;
      }
      case t.INDEX: {
        const array = this.arrayOf(this.holder(node.a!));
        const key = this.key(node.list);
        if (array.has(key)) {
          array.get(key).set(value);
        } else {
          const cell = new Cell();
          cell.set(value);
          array.set(key, cell);
        }
        break;
      }
      default: {
        const cell = this.holder(node);
        if (cell.kind == ARRAY) {
          this.fatal(`array ${node.text} is used as a scalar`);
          return;
        }
        if (node.kind == t.GLOBAL && node.slot == t.V_NF) {
          this.record.setLength(<i32>min(max(value.toNumber(), 0), 1e7));
          return;
        }
        cell.set(value);
      }
    }
  }

  // expressions

  evaluate(node: Node): Cell {
    switch (node.kind) {
      case t.NUMBER:
        return Cell.ofNumber(node.number);
      case t.STRING:
        return Cell.ofText(node.text);
      case t.GLOBAL:
        if (node.slot == t.V_NF) return Cell.ofNumber(this.record.length);
        if (this.globals[node.slot].kind == ARRAY) this.fatal(`array ${node.text} is used as a scalar`);
        return this.globals[node.slot];
      case t.LOCAL:
        if (this.frame[node.slot].kind == ARRAY) this.fatal(`array ${node.text} is used as a scalar`);
        return this.frame[node.slot];
      case t.FIELD:
        return this.record.get(this.fieldIndex(node), this.text(t.V_OFS), this.convfmt);
      case t.INDEX: {
        const array = this.arrayOf(this.holder(node.a!));
        const key = this.key(node.list);
        if (array.has(key)) return array.get(key);
        const cell = new Cell();
        array.set(key, cell);
        return cell;
      }
      case t.ASSIGN:
        return this.assignment(node);
      case t.TERNARY:
        return this.evaluate(this.truth(node.a!) ? node.b! : node.c!);
      case t.CONCAT:
        return Cell.ofText(this.string(node));
      case t.CALL:
        return this.call(node);
      case t.BUILTIN:
        return callBuiltin(this, node);
      case t.INCREMENT: {
        const old = this.number(node.a!);
        const value = Cell.ofNumber(old + node.value);
        this.store(node.a!, value);
        return node.b == null ? value : Cell.ofNumber(old);
      }
      case t.GETLINE:
        return Cell.ofNumber(this.getline(node));
      case t.GROUP:
        if (node.list.length > 1) return Cell.ofText(this.key(node.list));
        return this.evaluate(node.list[0]);
      case t.REGEX:
      case t.OR:
      case t.AND:
      case t.IN:
      case t.MATCH:
      case t.COMPARE:
      case t.NOT:
        return Cell.ofNumber(this.truth(node) ? 1 : 0);
      default:
        return Cell.ofNumber(this.number(node));
    }
  }

  /** A value that stays what it is while others are computed. */
  copy(node: Node): Cell {
    const cell = new Cell();
    cell.set(this.evaluate(node));
    return cell;
  }

  private assignment(node: Node): Cell {
    if (node.value == 0) {
      const value = this.copy(node.b!);
      this.store(node.a!, value);
      return value;
    }
    const right = this.number(node.b!);
    const value = Cell.ofNumber(this.arithmetic(node.value, this.number(node.a!), right));
    this.store(node.a!, value);
    return value;
  }

  private arithmetic(operator: i32, a: f64, b: f64): f64 {
    switch (operator) {
      case 43: // +
        return a + b;
      case 45: // -
        return a - b;
      case 42: // *
        return a * b;
      case 94: // ^
        return a ** b;
    }
    if (b == 0) {
      this.fatal(`division by zero${operator == 37 ? ' in %' : ''}`);
      return 0;
    }
    return operator == 47 ? a / b : a % b;
  }

  number(node: Node): f64 {
    switch (node.kind) {
      case t.NUMBER:
        return node.number;
      case t.ARITHMETIC: {
        const a = this.number(node.a!);
        return this.arithmetic(node.value, a, this.number(node.b!));
      }
      case t.NEGATE:
        return -this.number(node.a!);
      case t.PLUS:
        return this.number(node.a!);
      case t.GROUP:
        if (node.list.length == 1) return this.number(node.list[0]);
        break;
    }
    return this.evaluate(node).toNumber();
  }

  string(node: Node): string {
    if (node.kind == t.STRING) return node.text;
    if (node.kind == t.CONCAT) {
      const a = this.string(node.a!);
      return a + this.string(node.b!);
    }
    return this.evaluate(node).toText(this.convfmt);
  }

  truth(node: Node): bool {
    switch (node.kind) {
      case t.REGEX:
        return this.matches(node.regex!, this.fieldText(0));
      case t.OR:
        return this.truth(node.a!) || this.truth(node.b!);
      case t.AND:
        return this.truth(node.a!) && this.truth(node.b!);
      case t.NOT:
        return !this.truth(node.a!);
      case t.IN: {
        const key = this.key(node.list);
        return this.arrayOf(this.holder(node.b!)).has(key);
      }
      case t.MATCH: {
        const text = this.string(node.a!);
        return this.matches(this.regex(node.b!), text) != (node.value == 1);
      }
      case t.COMPARE:
        return this.compares(node);
      case t.GROUP:
        if (node.list.length == 1) return this.truth(node.list[0]);
        break;
    }
    return this.evaluate(node).toBool();
  }

  private compares(node: Node): bool {
    const a = this.copy(node.a!);
    const b = this.evaluate(node.b!);
    if (a.isNumeric && b.isNumeric) {
      const x = a.toNumber();
      const y = b.toNumber();
      switch (node.value) {
        case t.LESS:
          return x < y;
        case t.LESS_EQUAL:
          return x <= y;
        case t.EQUAL:
          return x == y;
        case t.NOT_EQUAL:
          return x != y;
        case t.GREATER:
          return x > y;
        default:
          return x >= y;
      }
    }
    const order = compare(a.toText(this.convfmt), b.toText(this.convfmt));
    switch (node.value) {
      case t.LESS:
        return order < 0;
      case t.LESS_EQUAL:
        return order <= 0;
      case t.EQUAL:
        return order == 0;
      case t.NOT_EQUAL:
        return order != 0;
      case t.GREATER:
        return order > 0;
      default:
        return order >= 0;
    }
  }

  private matches(regex: Regex, text: string): bool {
    return regex.error == '' && regex.test(text);
  }

  /** What an operand says as an expression: itself, or what its text is one of. */
  regex(node: Node): Regex {
    if (node.kind == t.GROUP && node.list.length == 1) return this.regex(node.list[0]);
    if (node.kind == t.REGEX) return node.regex!;
    const text = this.string(node);
    const known = node.regex;
    if (known != null && node.cached == text) return known;
    const regex = regexOf(text);
    if (regex.error != '') this.fatal(`${regex.error}: /${text}/`);
    node.regex = regex;
    node.cached = text;
    return regex;
  }

  private call(node: Node): Cell {
    const called: Routine = this.program.functions[node.slot];
    if (node.list.length > called.parameters) {
      this.fatal(`function ${called.name} is called with too many arguments`);
      return new Cell();
    }
    if (this.calls >= CALLS_MAX) {
      this.fatal(`function ${called.name} calls itself too often`);
      return new Cell();
    }
    const frame: Cell[] = [];
    for (let i = 0; i < called.parameters; i++) frame.push(new Cell());
    for (let i = 0; i < node.list.length; i++) {
      const argument = node.list[i];
      const isName = argument.kind == t.GLOBAL || argument.kind == t.LOCAL;
      const cell: Cell =
        isName && !(argument.kind == t.GLOBAL && argument.slot == t.V_NF)
          ? this.holder(argument)
          : this.evaluate(argument);
      if (cell.kind == ARRAY) {
        frame[i] = cell;
      } else {
        frame[i].set(cell);
        if (isName && cell.kind == UNSET) frame[i].origin = cell;
      }
    }
    const outer = this.frame;
    this.frame = frame;
    this.calls++;
    this.result = new Cell();
    this.execute(called.body!);
    this.calls--;
    this.frame = outer;
    const result = this.result;
    this.result = new Cell();
    return result;
  }

  /** 1 a record, 0 the end, -1 an error. */
  private getline(node: Node): f64 {
    const target = node.a;
    let line: string | null = null;
    if (node.value == 0) {
      line = this.nextRecord();
      if (line == null) return 0;
    } else {
      const name = this.string(node.b!);
      let reader: Reader | null = null;
      if (node.value == 60) reader = this.streams.file(name);
      else reader = this.streams.command(name);
      if (reader == null) return -1;
      line = readRecord(reader, this.text(t.V_RS));
      if (line == null) {
        if (reader.error == 0) return 0;
        reader.error = 0;
        return -1;
      }
      if (node.value == 124) this.count(false);
    }
    if (target == null) this.record.setWhole(line, this.text(t.V_FS));
    else this.store(target, Cell.outside(line));
    return 1;
  }
}

/** `name=value`? */
export function isAssignment(text: string): bool {
  const equals = text.indexOf('=');
  if (equals <= 0) return false;
  for (let i = 0; i < equals; i++) {
    const c = unit(text, i);
    const isWord = (c | 32) >= 97 && (c | 32) <= 122 ? true : c == 95 || (i > 0 && c >= 48 && c <= 57);
    if (!isWord) return false;
  }
  return true;
}
