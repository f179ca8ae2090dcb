/** The variables of an awk program, and what its expressions come to. */
import { Context } from '../../applet';
import { complain } from '../../io/messages';
import { Reader } from '../../io/reader';
import { compare } from '../../io/text';
import { Regex } from '../../regex/regex';
import { callBuiltin } from './builtins';
import { ARRAY, Cell, UNSET } from './cell';
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

export class Evaluator {
  globals: Array<Cell> = [];
  record: Record = new Record();
  streams: Streams;
  status: i32 = 0;
  /** What is to happen that began within an expression: EXIT, NEXT, an error. */
  pending: i32 = FINE;
  /** Of the function that runs; the innermost call's. */
  protected frame: Array<Cell> = [];
  protected result: Cell = new Cell();
  protected calls: i32 = 0;
  /** An error ended it: no END is run. */
  protected isFatal: bool = false;

  constructor(
    public context: Context,
    public name: string,
    protected program: Program,
  ) {
    this.streams = new Streams(context, name);
    for (let i = 0; i < program.globals.length; i++) this.globals.push(new Cell());
  }

  /** Runs a statement: what it ended with. */
  execute(_node: Node): i32 {
    return FINE;
  }

  /** The main input's next record, counted; null at its end. */
  nextRecord(): string | null {
    return null;
  }

  count(_ofFile: bool): void {}

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
