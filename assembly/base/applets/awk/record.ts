/** The current record and its fields: each is made of the other when it is asked for. */

import { Reader } from '../../io/reader';
import { isSpace, Text, unit } from '../../io/text';
import { Regex } from '../../regex/regex';
import { Cell } from './cell';
import { REGEX_FLAGS } from './expression-parser';

/** Expressions compiled from texts, by these; forgotten when there are many. */
const kept: Map<string, Regex> = new Map();
const KEPT_MAX: i32 = 200;

export function regexOf(pattern: string): Regex {
  if (kept.has(pattern)) return kept.get(pattern);
  if (kept.size >= KEPT_MAX) kept.clear();
  const regex = new Regex(pattern, REGEX_FLAGS);
  kept.set(pattern, regex);
  return regex;
}

/** The parts of a text by a separator as FS has it. */
export function splitText(text: string, separator: string, parts: Array<string>): void {
  parts.length = 0;
  if (separator == ' ') {
    let at = 0;
    while (at < text.length) {
      while (at < text.length && isSpace(unit(text, at))) at++;
      const start = at;
      while (at < text.length && !isSpace(unit(text, at))) at++;
      if (at > start) parts.push(text.substring(start, at));
    }
    return;
  }
  if (text.length == 0) return;
  if (separator.length == 0) {
    for (let i = 0; i < text.length; i++) parts.push(text.charAt(i));
    return;
  }
  if (separator.length == 1 && separator != '\\') {
    const c = unit(separator, 0);
    let start = 0;
    for (let i = 0; i < text.length; i++) {
      if (unit(text, i) != c) continue;
      parts.push(text.substring(start, i));
      start = i + 1;
    }
    parts.push(text.substring(start));
    return;
  }
  splitByRegex(text, regexOf(separator), parts);
}

export function splitByRegex(text: string, regex: Regex, parts: Array<string>): void {
  parts.length = 0;
  if (text.length == 0) return;
  let start = 0;
  let from = 0;
  while (from <= text.length && regex.error == '' && regex.match(text, from)) {
    if (regex.end == regex.start) {
      from = regex.end + 1;
      continue;
    }
    parts.push(text.substring(start, regex.start));
    start = from = regex.end;
  }
  parts.push(text.substring(start));
}

export class Record {
  private whole: Cell = new Cell();
  private fields: Array<Cell> = [];
  private count: i32 = 0;
  private isSplit: bool = true;
  private isJoined: bool = true;
  private parts: Array<string> = [];
  private separator: string = ' ';

  /** `separator` is FS as it is now: what it becomes later holds for the next record. */
  setWhole(text: string, separator: string): void {
    this.whole.setOutside(text);
    this.separator = separator;
    this.isSplit = false;
    this.isJoined = true;
  }

  private split(): void {
    if (this.isSplit) return;
    this.isSplit = true;
    splitText(this.whole.text, this.separator, this.parts);
    this.count = this.parts.length;
    for (let i = 0; i < this.count; i++) this.cell(i).setOutside(this.parts[i]);
  }

  private cell(index: i32): Cell {
    while (this.fields.length <= index) this.fields.push(new Cell());
    return this.fields[index];
  }

  get length(): i32 {
    this.split();
    return this.count;
  }

  setLength(count: i32): void {
    this.split();
    for (let i = this.count; i < count; i++) this.cell(i).setText('');
    this.count = count;
    this.isJoined = false;
  }

  /** The record again, of its fields, with OFS between them. */
  private join(between: string, format: string): void {
    if (this.isJoined) return;
    this.isJoined = true;
    const text = new Text();
    for (let i = 0; i < this.count; i++) {
      if (i > 0) text.text(between);
      text.text(this.fields[i].toText(format));
    }
    this.whole.setOutside(text.toString());
  }

  get(index: i32, between: string, format: string): Cell {
    if (index == 0) {
      this.join(between, format);
      return this.whole;
    }
    this.split();
    return index <= this.count ? this.fields[index - 1] : new Cell();
  }

  set(index: i32, value: Cell): void {
    this.split();
    if (index > this.count) this.setLength(index);
    this.cell(index - 1).set(value);
    this.isJoined = false;
  }
}

/** The next record by RS; null at the end. */
export function readRecord(reader: Reader, separator: string): string | null {
  if (separator.length == 1) return reader.line(unit(separator, 0));
  if (separator.length == 0) {
    // paragraphs: what is between empty lines
    while (reader.peek() == 10) reader.byte();
    const text = new Text();
    let isAny = false;
    for (let line = reader.line(); line != null; line = reader.line()) {
      if (line.length == 0) break;
      if (isAny) text.byte(10);
      text.text(line);
      isAny = true;
    }
    while (reader.peek() == 10) reader.byte();
    return isAny ? text.toString() : null;
  }
  return readByRegex(reader, regexOf(separator));
}

/** Texts read too far ahead belong to the next record of the same reader. */
class Ahead {
  text: string = '';
  at: i32 = 0;

  constructor(public reader: Reader) {}
}

const aheads: Array<Ahead> = [];

function readByRegex(reader: Reader, regex: Regex): string | null {
  let ahead: Ahead | null = null;
  for (let i = 0; i < aheads.length; i++) if (aheads[i].reader === reader) ahead = aheads[i];
  if (ahead == null) {
    ahead = new Ahead(reader);
    ahead.text = reader.all();
    aheads.push(ahead);
  }
  const text = ahead.text;
  if (ahead.at >= text.length) {
    aheads.splice(aheads.indexOf(ahead), 1);
    return null;
  }
  const start = ahead.at;
  let from = start;
  while (from <= text.length && regex.error == '' && regex.match(text, from)) {
    if (regex.end > regex.start) {
      ahead.at = regex.end;
      return text.substring(start, regex.start);
    }
    from = regex.end + 1;
  }
  ahead.at = text.length;
  // the newline a text file ends with is no part of its last record
  return text.endsWith('\n') ? text.substring(start, text.length - 1) : text.substring(start);
}
