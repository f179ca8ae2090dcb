/** Runs an awk program. */
import { Context } from '../../applet';
import { complain } from '../../io/messages';
import { openError, openInput } from '../../io/open';
import { Reader } from '../../io/reader';
import { unit } from '../../io/text';
import { Writer } from '../../io/writer';
import { errorText } from '../../wasi/errno';
import { format } from './builtins';
import { Cell } from './cell';
import { BREAK, CONTINUE, Evaluator, EXIT, FINE, NEXT, NEXT_FILE, RETURN } from './evaluator';
import { unescaped } from './lexer';
import { readRecord } from './record';
import * as t from './tree';
import { Node, Program } from './tree';

export class Machine extends Evaluator {
  private reader: Reader | null = null;
  private argument: i32 = 1;
  private anyFile: bool = false;
  private ended: bool = false;

  constructor(
    context: Context,
    name: string,
    program: Program,
    private slots: Map<string, i32>,
  ) {
    super(context, name, program);
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

  execute(node: Node): i32 {
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
