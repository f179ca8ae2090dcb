/** Decompresses deflate (RFC 1951) in gzip members (RFC 1952), as a stream. */

import { Reader } from '../io/reader';
import { EINVAL } from '../wasi/errno';
import { crc32 } from './crc32';

const WINDOW: i32 = 32768;
const HEADER: i32 = 0;
const BLOCK: i32 = 1;
const STORED: i32 = 2;
const CODES: i32 = 3;
const TRAILER: i32 = 4;
const DONE: i32 = 5;

const LENGTH_BASE: StaticArray<u16> = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS: StaticArray<u8> = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
];
const DISTANCE_BASE: StaticArray<u16> = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_BITS: StaticArray<u8> = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const ORDER: StaticArray<u8> = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A canonical Huffman code: how many codes of each length, and the symbols in the order of their codes. */
class Code {
  counts: StaticArray<u16> = new StaticArray<u16>(16);
  symbols: StaticArray<u16>;

  constructor(size: i32) {
    this.symbols = new StaticArray<u16>(size);
  }

  /** False for lengths that no code has. */
  build(lengths: StaticArray<u8>, from: i32, count: i32): bool {
    for (let i = 0; i < 16; i++) this.counts[i] = 0;
    for (let i = 0; i < count; i++) this.counts[lengths[from + i]]++;
    let left = 1;
    for (let i = 1; i < 16; i++) {
      left = (left << 1) - this.counts[i];
      if (left < 0) return false;
    }
    const offsets = new StaticArray<u16>(16);
    for (let i = 1; i < 15; i++) offsets[i + 1] = offsets[i] + this.counts[i];
    for (let i = 0; i < count; i++) {
      const length = lengths[from + i];
      if (length != 0) this.symbols[offsets[length]++] = <u16>i;
    }
    return true;
  }
}

/** The bytes of a gzip stream. What is wrong with it is in `fault`. */
export class GunzipReader extends Reader {
  fault: string = '';
  private state: i32 = HEADER;
  private isFirst: bool = true;
  private isLast: bool = false;
  private bits: u32 = 0;
  private bitCount: i32 = 0;
  private left: i32 = 0;
  private distance: i32 = 0;
  private window: StaticArray<u8> = new StaticArray<u8>(WINDOW);
  private at: i32 = 0;
  private crc: u32 = 0;
  private total: u32 = 0;
  private literals: Code = new Code(288);
  private distances: Code = new Code(32);
  private lengths: StaticArray<u8> = new StaticArray<u8>(320);

  constructor(private from: Reader) {
    super();
  }

  private fail(text: string): void {
    if (this.fault == '') this.fault = text;
    this.state = DONE;
  }

  private byteIn(): i32 {
    const c = this.from.byte();
    if (c < 0) this.fail('unexpected end of file');
    return max(c, 0);
  }

  private need(count: i32): u32 {
    while (this.bitCount < count && this.state != DONE) {
      this.bits |= (<u32>this.byteIn()) << this.bitCount;
      this.bitCount += 8;
    }
    const value = this.bits & ((1 << count) - 1);
    this.bits >>= count;
    this.bitCount -= count;
    return value;
  }

  private decode(code: Code): i32 {
    let value = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length < 16; length++) {
      value |= <i32>this.need(1);
      if (this.state == DONE) return 0;
      const count = <i32>unchecked(code.counts[length]);
      if (value - count < first) return unchecked(code.symbols[index + (value - first)]);
      index += count;
      first = (first + count) << 1;
      value <<= 1;
    }
    this.fail('invalid compressed data--format violated');
    return 0;
  }

  private header(): void {
    if (this.from.peek() < 0 && !this.isFirst) {
      this.state = DONE;
      return;
    }
    // zeros may fill up what is behind the last member, as on tapes
    if (!this.isFirst && this.from.peek() == 0) {
      while (this.from.peek() == 0) this.from.byte();
      if (this.from.peek() < 0) this.state = DONE;
      else this.fail('decompression OK, trailing garbage ignored');
      return;
    }
    const a = this.byteIn();
    const b = this.byteIn();
    if (this.state == DONE) return;
    if (a != 0x1f || b != 0x8b) {
      this.fail(this.isFirst ? 'not in gzip format' : 'decompression OK, trailing garbage ignored');
      return;
    }
    this.isFirst = false;
    if (this.byteIn() != 8) {
      this.fail('unknown method');
      return;
    }
    const flags = this.byteIn();
    for (let i = 0; i < 6; i++) this.byteIn();
    if (flags & 4) {
      let extra = this.byteIn();
      extra |= this.byteIn() << 8;
      while (extra-- > 0 && this.state != DONE) this.byteIn();
    }
    if (flags & 8) while (this.state != DONE && this.byteIn() != 0);
    if (flags & 16) while (this.state != DONE && this.byteIn() != 0);
    if (flags & 2) {
      this.byteIn();
      this.byteIn();
    }
    this.crc = this.total = 0;
    this.bits = this.bitCount = 0;
    if (this.state != DONE) this.state = BLOCK;
  }

  private block(): void {
    if (this.isLast) {
      this.isLast = false;
      this.state = TRAILER;
      return;
    }
    this.isLast = this.need(1) != 0;
    const type = this.need(2);
    if (this.state == DONE) return;
    if (type == 0) {
      this.bits = this.bitCount = 0;
      let length = this.byteIn();
      length |= this.byteIn() << 8;
      let check = this.byteIn();
      check |= this.byteIn() << 8;
      if (this.state == DONE) return;
      if (length != (~check & 0xffff)) {
        this.fail('invalid compressed data--format violated');
        return;
      }
      this.left = length;
      this.state = STORED;
    } else if (type == 1) {
      const lengths = this.lengths;
      for (let i = 0; i < 288; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
      this.literals.build(lengths, 0, 288);
      for (let i = 0; i < 30; i++) lengths[i] = 5;
      this.distances.build(lengths, 0, 30);
      this.state = CODES;
    } else if (type == 2) {
      this.dynamic();
    } else {
      this.fail('invalid compressed data--format violated');
    }
  }

  private dynamic(): void {
    const lengths = this.lengths;
    const literalCount = <i32>this.need(5) + 257;
    const distanceCount = <i32>this.need(5) + 1;
    const count = <i32>this.need(4) + 4;
    for (let i = 0; i < 19; i++) lengths[ORDER[i]] = i < count ? <u8>this.need(3) : 0;
    let isFine = literalCount <= 286 && distanceCount <= 30 && this.literals.build(lengths, 0, 19);
    const all = literalCount + distanceCount;
    const read = new StaticArray<u8>(320);
    for (let i = 0; i < all && isFine && this.state != DONE; ) {
      const symbol = this.decode(this.literals);
      if (symbol < 16) {
        read[i++] = <u8>symbol;
        continue;
      }
      if (symbol == 16 && i == 0) {
        isFine = false;
        break;
      }
      const value: u8 = symbol == 16 ? read[i - 1] : 0;
      let times = symbol == 16 ? 3 + <i32>this.need(2) : symbol == 17 ? 3 + <i32>this.need(3) : 11 + <i32>this.need(7);
      if (i + times > all) {
        isFine = false;
        break;
      }
      while (times-- > 0) read[i++] = value;
    }
    isFine =
      isFine && this.literals.build(read, 0, literalCount) && this.distances.build(read, literalCount, distanceCount);
    if (this.state == DONE) return;
    if (isFine) this.state = CODES;
    else this.fail('invalid compressed data--format violated');
  }

  private trailer(): void {
    this.bits = this.bitCount = 0;
    let crc: u32 = 0;
    let total: u32 = 0;
    for (let i = 0; i < 4; i++) crc |= (<u32>this.byteIn()) << (8 * i);
    for (let i = 0; i < 4; i++) total |= (<u32>this.byteIn()) << (8 * i);
    if (this.state == DONE) return;
    if (crc != this.crc) this.fail('invalid compressed data--crc error');
    else if (total != this.total) this.fail('invalid compressed data--length error');
    else this.state = HEADER;
  }

  protected source(target: usize, length: i32): i32 {
    let done = 0;
    while (done < length && this.state != DONE) {
      switch (this.state) {
        case HEADER:
          // what was made so far counts as the member's that is complete
          this.header();
          break;
        case BLOCK:
          this.block();
          break;
        case STORED:
        case CODES:
          done = this.produce(target, done, length);
          break;
        case TRAILER:
          this.crc = crc32(this.crc, target + this.counted, done - this.counted);
          this.counted = done;
          this.trailer();
          break;
      }
    }
    this.crc = crc32(this.crc, target + this.counted, done - this.counted);
    this.counted = 0;
    if (this.fault != '' && done == 0 && !this.fault.startsWith('decompression OK')) return -EINVAL;
    return done;
  }

  /** How much of the current target is in the checksum. */
  private counted: i32 = 0;

  private put(target: usize, done: i32, byte: i32): void {
    store<u8>(target + done, byte);
    this.window[this.at] = <u8>byte;
    this.at = (this.at + 1) & (WINDOW - 1);
    this.total++;
  }

  private produce(target: usize, from: i32, length: i32): i32 {
    let done = from;
    while (done < length && this.state != DONE) {
      if (this.left > 0) {
        this.left--;
        const byte =
          this.state == STORED ? this.byteIn() : unchecked(this.window[(this.at - this.distance) & (WINDOW - 1)]);
        if (this.state == DONE) break;
        this.put(target, done++, byte);
        continue;
      }
      if (this.state == STORED) {
        this.state = BLOCK;
        break;
      }
      const symbol = this.decode(this.literals);
      if (this.state == DONE) break;
      if (symbol < 256) {
        this.put(target, done++, symbol);
        continue;
      }
      if (symbol == 256) {
        this.state = BLOCK;
        break;
      }
      const index = symbol - 257;
      if (index >= 29) {
        this.fail('invalid compressed data--format violated');
        break;
      }
      this.left = LENGTH_BASE[index] + <i32>this.need(LENGTH_BITS[index]);
      const far = this.decode(this.distances);
      if (this.state == DONE) break;
      if (far >= 30) {
        this.fail('invalid compressed data--format violated');
        break;
      }
      this.distance = DISTANCE_BASE[far] + <i32>this.need(DISTANCE_BITS[far]);
      if (<u32>this.distance > this.total && this.total < <u32>WINDOW)
        this.fail('invalid compressed data--format violated');
    }
    return done;
  }
}
