/**
 * Members of a tar: ustar (POSIX.1-1988), pax records for what does not fit (POSIX.1-2001), GNU's long names when they are
 * read. A header is 512 bytes:
 *
 *     0 name 100   100 mode 8   108 uid 8   116 gid 8   124 size 12   136 mtime 12   148 checksum 8   156 type 1
 *     157 link 100   257 magic 6   263 version 2   265 user 32   297 group 32   329 major 8   337 minor 8   345 prefix 155
 */
import { parseDecimal, wasNumber } from '../io/number';
import { Reader } from '../io/reader';
import { fromBytes, Text, unit } from '../io/text';
import { Writer } from '../io/writer';

export const BLOCK: i32 = 512;
const NANOS: i64 = 1000000000;
/** Names and records longer than this are no names. */
const LONG_MAX: i64 = 1 << 20;

export class Member {
  name: string = '';
  link: string = '';
  /** Permissions only. */
  mode: i32 = 0;
  uid: u32 = 0;
  gid: u32 = 0;
  size: i64 = 0;
  /** Nanoseconds since the epoch. */
  mtime: i64 = 0;
  /** As in the header: '0' file, '1' link, '2' symbolic link, '5' directory, ... */
  type: i32 = 48;
  user: string = '';
  group: string = '';
}

export class TarReader {
  fault: string = '';
  private block: StaticArray<u8> = new StaticArray<u8>(BLOCK);
  private globals: Map<string, string> = new Map();
  private isAny: bool = false;
  /** Of the current member: bytes not yet read, and what fills its last block. */
  left: i64 = 0;
  private padding: i32 = 0;

  constructor(private reader: Reader) {}

  private text(at: i32, size: i32): string {
    const base = changetype<usize>(this.block) + at;
    let length = 0;
    while (length < size && load<u8>(base + length) != 0) length++;
    return fromBytes(base, length);
  }

  /** Octal, or with the first bit set: the number itself, big-endian. */
  private number(at: i32, size: i32): i64 {
    const base = changetype<usize>(this.block) + at;
    let value: i64 = 0;
    if (load<u8>(base) & 0x80) {
      value = load<u8>(base) & 0x40 ? -1 : 0;
      for (let i = 0; i < size; i++) value = (value << 8) | (i == 0 ? load<u8>(base) & 0x7f : load<u8>(base + i));
      return value;
    }
    for (let i = 0; i < size; i++) {
      const c = load<u8>(base + i);
      if (c >= 48 && c <= 55) value = value * 8 + (c - 48);
      else if (c != 32 || value != 0) break;
    }
    return value;
  }

  private isZero(): bool {
    for (let i = 0; i < BLOCK; i++) if (this.block[i] != 0) return false;
    return true;
  }

  private hasChecksum(): bool {
    let sum = 0;
    for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : this.block[i];
    return <i64>sum == this.number(148, 8);
  }

  /** Goes behind what is left of the current member. */
  private skip(): void {
    let rest = this.left + this.padding;
    const scratch = new StaticArray<u8>(16384);
    while (rest > 0) {
      const got = this.reader.chunk(changetype<usize>(scratch), <i32>min<i64>(rest, 16384));
      if (got == 0) {
        this.fault = 'Unexpected EOF in archive';
        return;
      }
      rest -= got;
    }
    this.left = this.padding = 0;
  }

  /** Up to `length` bytes of the member; 0 at its end. */
  read(target: usize, length: i32): i32 {
    if (this.left == 0) return 0;
    const got = this.reader.chunk(target, <i32>min<i64>(this.left, length));
    if (got == 0) this.fault = 'Unexpected EOF in archive';
    this.left = got == 0 ? 0 : this.left - got;
    return got;
  }

  private content(): string {
    const text = new Text();
    if (this.left > LONG_MAX) {
      this.fault = 'a header is too long';
      return '';
    }
    while (this.left > 0) {
      const size = <i32>min<i64>(this.left, 16384);
      const got = this.read(text.room(size), size);
      if (got == 0) break;
      text.length += got;
    }
    this.skip();
    return text.toString();
  }

  /** The next member; null at the end, or with a fault. */
  next(): Member | null {
    let longName = '';
    let longLink = '';
    let records: Map<string, string> | null = null;
    while (this.fault == '') {
      this.skip();
      if (this.fault != '') return null;
      const got = this.reader.exactly(changetype<usize>(this.block), BLOCK);
      if (got == 0 && this.isAny) return null;
      if (got < BLOCK) {
        this.fault = this.isAny || got > 0 ? 'Unexpected EOF in archive' : 'This does not look like a tar archive';
        return null;
      }
      if (this.isZero()) return null;
      if (!this.hasChecksum()) {
        this.fault = 'This does not look like a tar archive';
        return null;
      }
      this.isAny = true;
      const type = this.block[156] == 0 ? 48 : <i32>this.block[156];
      const size = this.number(124, 12);
      if (size < 0) {
        this.fault = 'a member has a negative size';
        return null;
      }
      this.left = size;
      this.padding = <i32>((BLOCK - (size & (BLOCK - 1))) & (BLOCK - 1));
      if (type == 76 || type == 75) {
        const text = this.content();
        const end = text.indexOf('\0');
        if (type == 76) longName = end < 0 ? text : text.substring(0, end);
        else longLink = end < 0 ? text : text.substring(0, end);
        continue;
      }
      if (type == 120 || type == 103) {
        const found = type == 103 ? this.globals : new Map<string, string>();
        this.records(this.content(), found);
        if (type == 120) records = found;
        continue;
      }
      return this.member(type, size, longName, longLink, records);
    }
    return null;
  }

  private records(text: string, into: Map<string, string>): void {
    for (let at = 0; at < text.length; ) {
      const space = text.indexOf(' ', at);
      const length = space < 0 ? 0 : <i32>parseDecimal(text.substring(at, space));
      const equals = space < 0 ? -1 : text.indexOf('=', space);
      if (space < 0 || !wasNumber() || length <= 0 || at + length > text.length || equals < 0 || equals > at + length) {
        this.fault = 'Malformed extended header';
        return;
      }
      into.set(text.substring(space + 1, equals), text.substring(equals + 1, at + length - 1));
      at += length;
    }
  }

  private member(
    type: i32,
    size: i64,
    longName: string,
    longLink: string,
    records: Map<string, string> | null,
  ): Member {
    const member = new Member();
    const isUstar = this.text(257, 5) == 'ustar';
    const isGnu = this.text(257, 8) == 'ustar  ';
    const prefix = isUstar && !isGnu ? this.text(345, 155) : '';
    const name = this.text(0, 100);
    member.name = longName != '' ? longName : prefix != '' ? `${prefix}/${name}` : name;
    member.link = longLink != '' ? longLink : this.text(157, 100);
    member.mode = <i32>this.number(100, 8) & 0o7777;
    member.uid = <u32>this.number(108, 8);
    member.gid = <u32>this.number(116, 8);
    member.size = size;
    member.mtime = this.number(136, 12) * NANOS;
    member.type = type;
    if (isUstar) {
      member.user = this.text(265, 32);
      member.group = this.text(297, 32);
    }
    this.replace(member, this.globals);
    if (records != null) this.replace(member, records);
    // before ustar, a directory was a file with a slash at its end
    if (member.type == 48 && member.name.endsWith('/')) member.type = 53;
    return member;
  }

  private replace(member: Member, records: Map<string, string>): void {
    if (records.has('path')) member.name = records.get('path');
    if (records.has('linkpath')) member.link = records.get('linkpath');
    if (records.has('uname')) member.user = records.get('uname');
    if (records.has('gname')) member.group = records.get('gname');
    if (records.has('uid')) member.uid = <u32>parseDecimal(records.get('uid'));
    if (records.has('gid')) member.gid = <u32>parseDecimal(records.get('gid'));
    if (records.has('mtime')) member.mtime = timeOf(records.get('mtime'));
    if (records.has('size')) {
      member.size = parseDecimal(records.get('size'));
      this.left = member.size;
      this.padding = <i32>((BLOCK - (member.size & (BLOCK - 1))) & (BLOCK - 1));
    }
  }
}

/** Seconds with a fraction, as nanoseconds. */
function timeOf(text: string): i64 {
  const point = text.indexOf('.');
  const whole = parseDecimal(point < 0 ? text : text.substring(0, point));
  const fraction = point < 0 ? 0 : parseDecimal(text.substring(point + 1, point + 10).padEnd(9, '0'));
  return whole * NANOS + (text.startsWith('-') ? -fraction : fraction);
}

export class TarWriter {
  private block: StaticArray<u8> = new StaticArray<u8>(BLOCK);
  private written: i64 = 0;

  constructor(private writer: Writer) {}

  private put(text: string, at: i32, size: i32): void {
    for (let i = 0; i < text.length && i < size; i++) this.block[at + i] = <u8>unit(text, i);
  }

  private octal(value: i64, at: i32, size: i32): void {
    this.put(value.toString(8).padStart(size - 1, '0'), at, size);
  }

  /** Where a name is cut for the prefix: of its slash; -1 where it does not fit. */
  private cut(name: string): i32 {
    if (name.length <= 100) return 0;
    for (let at = min(name.length - 1, 155); at > 0; at--) {
      if (unit(name, at) == 47 && name.length - at - 1 <= 100 && name.length - at - 1 > 0) return at;
    }
    return -1;
  }

  header(member: Member): void {
    const cut = this.cut(member.name);
    let records = '';
    if (cut < 0) records += record('path', member.name);
    if (member.link.length > 100) records += record('linkpath', member.link);
    if (member.size >= 0x200000000) records += record('size', member.size.toString());
    if (member.uid > 0o7777777) records += record('uid', member.uid.toString());
    if (member.gid > 0o7777777) records += record('gid', member.gid.toString());
    if (records != '') {
      const extended = new Member();
      extended.name = 'PaxHeaders/0';
      extended.mode = 0o644;
      extended.size = records.length;
      extended.type = 120;
      this.emit(extended, 0);
      this.writer.write(records);
      this.written += records.length;
      this.pad(records.length);
    }
    this.emit(member, max(cut, 0));
  }

  private emit(member: Member, cut: i32): void {
    memory.fill(changetype<usize>(this.block), 0, BLOCK);
    if (cut > 0) {
      this.put(member.name.substring(0, cut), 345, 155);
      this.put(member.name.substring(cut + 1), 0, 100);
    } else {
      this.put(member.name, 0, 100);
    }
    this.octal(member.mode, 100, 8);
    this.octal(member.uid > 0o7777777 ? 0 : member.uid, 108, 8);
    this.octal(member.gid > 0o7777777 ? 0 : member.gid, 116, 8);
    this.octal(member.size >= 0x200000000 ? 0 : member.size, 124, 12);
    this.octal(max<i64>(member.mtime / NANOS, 0), 136, 12);
    this.block[156] = <u8>member.type;
    this.put(member.link, 157, 100);
    this.put('ustar\x0000', 257, 8);
    this.put(member.user, 265, 31);
    this.put(member.group, 297, 31);
    this.put('        ', 148, 8);
    let sum = 0;
    for (let i = 0; i < BLOCK; i++) sum += this.block[i];
    this.put(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
    this.writer.bytes(changetype<usize>(this.block), BLOCK);
    this.written += BLOCK;
  }

  data(from: usize, length: i32): void {
    this.writer.bytes(from, length);
    this.written += length;
  }

  /** Fills up the last block of so many bytes. */
  pad(size: i64): void {
    const rest = <i32>(size & (BLOCK - 1));
    if (rest == 0) return;
    memory.fill(changetype<usize>(this.block), 0, BLOCK);
    this.data(changetype<usize>(this.block), BLOCK - rest);
  }

  /** Two blocks of zeros, and up to a whole record of twenty blocks. */
  finish(): void {
    memory.fill(changetype<usize>(this.block), 0, BLOCK);
    for (let i = 0; i < 2 || this.written % (20 * BLOCK) != 0; i++) this.data(changetype<usize>(this.block), BLOCK);
  }
}

/** A pax record: its own length first. */
function record(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + rest.toString().length;
  if (length.toString().length != rest.toString().length) length = rest + length.toString().length;
  return `${length} ${key}=${value}\n`;
}
