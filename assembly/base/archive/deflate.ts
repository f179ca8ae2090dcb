/** Compresses to one gzip member (RFC 1951, 1952): the same bytes give the same bytes, with no name and no time in it. */
import { Text } from '../io/text';
import { Writer } from '../io/writer';
import { crc32 } from './crc32';

const BLOCK: i32 = 65536;
const WINDOW: i32 = 32768;
const HASH: i32 = 1 << 15;
const MATCH_MAX: i32 = 258;
const ORDER: StaticArray<u8> = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The lengths, at most `most`, of a Huffman code for these counts. */
function codeLengths(counts: StaticArray<u32>, size: i32, most: i32, lengths: StaticArray<u8>): void {
  const weights = new StaticArray<u32>(size);
  for (let i = 0; i < size; i++) weights[i] = counts[i];
  for (;;) {
    // two queues: leaves by weight, and nodes as they are made, which are in order by themselves
    const leaves: i32[] = [];
    for (let i = 0; i < size; i++) {
      lengths[i] = 0;
      if (weights[i] > 0) leaves.push(i);
    }
    if (leaves.length == 0) return;
    if (leaves.length == 1) {
      lengths[leaves[0]] = 1;
      return;
    }
    sortLeaves(leaves, weights);
    const count = leaves.length;
    const sums = new StaticArray<u32>(2 * count);
    const parents = new StaticArray<i32>(2 * count);
    for (let i = 0; i < count; i++) sums[i] = weights[leaves[i]];
    let leaf = 0;
    let node = count;
    for (let next = count; next < 2 * count - 1; next++) {
      let sum: u32 = 0;
      for (let i = 0; i < 2; i++) {
        const isLeaf = leaf < count && (node >= next || sums[leaf] <= sums[node]);
        const child = isLeaf ? leaf++ : node++;
        sum += sums[child];
        parents[child] = next;
      }
      sums[next] = sum;
    }
    const depths = new StaticArray<i32>(2 * count);
    let deepest = 0;
    for (let i = 2 * count - 3; i >= 0; i--) {
      depths[i] = depths[parents[i]] + 1;
      if (i < count) {
        lengths[leaves[i]] = <u8>depths[i];
        deepest = max(deepest, depths[i]);
      }
    }
    if (deepest <= most) return;
    // flatter counts make a flatter code
    for (let i = 0; i < size; i++) if (weights[i] > 0) weights[i] = (weights[i] >> 1) | 1;
  }
}

/** Shell sort by weight, and by symbol where weights are equal. */
function sortLeaves(leaves: Array<i32>, weights: StaticArray<u32>): void {
  for (let gap = leaves.length >> 1; gap > 0; gap >>= 1) {
    for (let i = gap; i < leaves.length; i++) {
      const item = leaves[i];
      let at = i;
      while (at >= gap) {
        const other = leaves[at - gap];
        if (weights[other] < weights[item] || (weights[other] == weights[item] && other < item)) break;
        leaves[at] = other;
        at -= gap;
      }
      leaves[at] = item;
    }
  }
}

/** The codes of lengths, their bits turned round as the format wants them. */
function codes(lengths: StaticArray<u8>, size: i32, result: StaticArray<u16>): void {
  const counts = new StaticArray<i32>(17);
  for (let i = 0; i < size; i++) counts[lengths[i]]++;
  counts[0] = 0;
  const next = new StaticArray<i32>(17);
  for (let i = 1; i < 16; i++) next[i] = (next[i - 1] + counts[i - 1]) << 1;
  for (let i = 0; i < size; i++) {
    const length = lengths[i];
    if (length == 0) continue;
    let code = next[length]++;
    let turned = 0;
    for (let bit = 0; bit < <i32>length; bit++) {
      turned = (turned << 1) | (code & 1);
      code >>= 1;
    }
    result[i] = <u16>turned;
  }
}

function lengthSymbol(length: i32): i32 {
  if (length == MATCH_MAX) return 285;
  const value = length - 3;
  if (value < 8) return 257 + value;
  const bits = 29 - clz(value);
  return 257 + (bits << 2) + (value >> bits);
}

function distanceSymbol(distance: i32): i32 {
  const value = distance - 1;
  if (value < 4) return value;
  const bits = 30 - clz(value);
  return (bits << 1) + (value >> bits);
}

export class GzipWriter extends Writer {
  /** The window before the block, and the block. */
  private data: StaticArray<u8> = new StaticArray<u8>(WINDOW + BLOCK);
  private start: i32 = 0;
  private end: i32 = 0;
  private heads: StaticArray<i32> = new StaticArray<i32>(HASH);
  private chain: StaticArray<i32> = new StaticArray<i32>(WINDOW + BLOCK);
  private bits: u64 = 0;
  private bitCount: i32 = 0;
  private out: Text = new Text(BLOCK);
  private crc: u32 = 0;
  private total: u32 = 0;

  /** `level` 1 to 9: how long is looked for matches. */
  constructor(
    private to: Writer,
    private level: i32,
  ) {
    super();
    const header: StaticArray<u8> = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level == 9 ? 2 : level == 1 ? 4 : 0, 3];
    this.out.block(changetype<usize>(header), 10);
  }

  protected sink(from: usize, length: i32): i32 {
    this.crc = crc32(this.crc, from, length);
    this.total += length;
    let at = 0;
    while (at < length) {
      const count = min(length - at, WINDOW + BLOCK - this.end);
      memory.copy(changetype<usize>(this.data) + this.end, from + at, count);
      this.end += count;
      at += count;
      if (this.end == WINDOW + BLOCK) this.block(false);
    }
    return -this.to.error;
  }

  /** Writes what is left and the end of the member. */
  close(): bool {
    this.flush();
    this.block(true);
    this.put(0, (8 - (this.bitCount & 7)) & 7);
    const trailer = new StaticArray<u32>(2);
    trailer[0] = this.crc;
    trailer[1] = this.total;
    this.drain();
    this.to.bytes(changetype<usize>(trailer), 8);
    return this.to.error == 0;
  }

  private put(value: u32, count: i32): void {
    this.bits |= (<u64>value) << this.bitCount;
    this.bitCount += count;
    while (this.bitCount >= 8) {
      this.out.byte(<i32>(this.bits & 255));
      this.bits >>= 8;
      this.bitCount -= 8;
    }
  }

  private drain(): void {
    this.to.bytes(changetype<usize>(this.out.bytes), this.out.length);
    this.out.clear();
  }

  private hash(at: i32): i32 {
    const p = changetype<usize>(this.data) + at;
    const value = <u32>load<u16>(p) | ((<u32>load<u8>(p, 2)) << 16);
    return <i32>((value * 0x9e3779b1) >> 17);
  }

  /** One block of what is there; then the window moves on. */
  private block(isLast: bool): void {
    const data = changetype<usize>(this.data);
    const start = this.start;
    const end = this.end;
    for (let i = 0; i < HASH; i++) this.heads[i] = -1;
    for (let i = max(start - WINDOW, 0); i < start && i + 2 < end; i++) this.remember(i);
    // symbols: literals as they are, matches as length and distance
    const tokens = new StaticArray<u32>(end - start + 1);
    let count = 0;
    const literals = new StaticArray<u32>(286);
    const distances = new StaticArray<u32>(30);
    literals[256] = 1;
    const tries = this.level <= 1 ? 4 : this.level < 6 ? 16 : this.level < 9 ? 64 : 512;
    for (let at = start; at < end; ) {
      let best = 2;
      let from = 0;
      if (at + 3 <= end) {
        const most = min(MATCH_MAX, end - at);
        let candidate = unchecked(this.heads[this.hash(at)]);
        for (let i = 0; i < tries && candidate >= 0 && at - candidate <= WINDOW; i++) {
          if (best < most && load<u8>(data + candidate + best) == load<u8>(data + at + best)) {
            let length = 0;
            while (length < most && load<u8>(data + candidate + length) == load<u8>(data + at + length)) length++;
            if (length > best) {
              best = length;
              from = candidate;
              if (length == most) break;
            }
          }
          candidate = unchecked(this.chain[candidate]);
        }
      }
      if (best >= 3) {
        tokens[count++] = 0x80000000 | ((<u32>(at - from)) << 9) | best;
        literals[lengthSymbol(best)]++;
        distances[distanceSymbol(at - from)]++;
        for (let i = 0; i < best; i++, at++) if (at + 3 <= end) this.remember(at);
      } else {
        const byte = load<u8>(data + at);
        tokens[count++] = byte;
        literals[byte]++;
        if (at + 3 <= end) this.remember(at);
        at++;
      }
    }
    this.emit(tokens, count, literals, distances, isLast);
    this.drain();
    if (isLast) return;
    memory.copy(data, data + end - WINDOW, WINDOW);
    this.start = this.end = WINDOW;
  }

  private remember(at: i32): void {
    const hash = this.hash(at);
    this.chain[at] = this.heads[hash];
    this.heads[hash] = at;
  }

  private emit(
    tokens: StaticArray<u32>,
    count: i32,
    literals: StaticArray<u32>,
    distances: StaticArray<u32>,
    isLast: bool,
  ): void {
    const lengths = new StaticArray<u8>(286 + 30);
    const literalLengths = new StaticArray<u8>(286);
    const distanceLengths = new StaticArray<u8>(30);
    codeLengths(literals, 286, 15, literalLengths);
    codeLengths(distances, 30, 15, distanceLengths);
    // one code of length 1 must be there even where nothing has a distance
    if (distanceLengths[0] == 0) {
      let isAny = false;
      for (let i = 0; i < 30; i++) if (distanceLengths[i] != 0) isAny = true;
      if (!isAny) distanceLengths[0] = 1;
    }
    let literalCount = 286;
    while (literalCount > 257 && literalLengths[literalCount - 1] == 0) literalCount--;
    let distanceCount = 30;
    while (distanceCount > 1 && distanceLengths[distanceCount - 1] == 0) distanceCount--;
    for (let i = 0; i < literalCount; i++) lengths[i] = literalLengths[i];
    for (let i = 0; i < distanceCount; i++) lengths[literalCount + i] = distanceLengths[i];
    this.put(isLast ? 1 : 0, 1);
    this.put(2, 2);
    this.put(literalCount - 257, 5);
    this.put(distanceCount - 1, 5);
    this.writeLengths(lengths, literalCount + distanceCount);
    const literalCodes = new StaticArray<u16>(286);
    const distanceCodes = new StaticArray<u16>(30);
    codes(literalLengths, 286, literalCodes);
    codes(distanceLengths, 30, distanceCodes);
    for (let i = 0; i < count; i++) {
      const token = tokens[i];
      if ((token & 0x80000000) == 0) {
        this.put(literalCodes[token], literalLengths[token]);
        continue;
      }
      const length = <i32>(token & 511);
      const distance = <i32>((token & 0x7fffffff) >> 9);
      const l = lengthSymbol(length);
      this.put(literalCodes[l], literalLengths[l]);
      if (l >= 265 && l < 285) {
        const bits = (l - 261) >> 2;
        this.put((length - 3) & ((1 << bits) - 1), bits);
      }
      const d = distanceSymbol(distance);
      this.put(distanceCodes[d], distanceLengths[d]);
      if (d >= 4) {
        const bits = (d >> 1) - 1;
        this.put((distance - 1) & ((1 << bits) - 1), bits);
      }
    }
    this.put(literalCodes[256], literalLengths[256]);
  }

  /** The lengths of both codes, themselves coded: zeros and repetitions are counted. */
  private writeLengths(lengths: StaticArray<u8>, count: i32): void {
    const symbols: i32[] = [];
    const extras: i32[] = [];
    const counts = new StaticArray<u32>(19);
    for (let i = 0; i < count; ) {
      const value = lengths[i];
      let run = 1;
      while (i + run < count && lengths[i + run] == value) run++;
      let symbol = <i32>value;
      let extra = 0;
      let taken = 1;
      if (value == 0 && run >= 3) {
        taken = min(run, 138);
        symbol = taken < 11 ? 17 : 18;
        extra = taken < 11 ? taken - 3 : taken - 11;
      } else if (i > 0 && lengths[i - 1] == value && run >= 3) {
        taken = min(run, 6);
        symbol = 16;
        extra = taken - 3;
      }
      symbols.push(symbol);
      extras.push(extra);
      counts[symbol]++;
      i += taken;
    }
    const own = new StaticArray<u8>(19);
    codeLengths(counts, 19, 7, own);
    const ownCodes = new StaticArray<u16>(19);
    codes(own, 19, ownCodes);
    let sent = 19;
    while (sent > 4 && own[ORDER[sent - 1]] == 0) sent--;
    this.put(sent - 4, 4);
    for (let i = 0; i < sent; i++) this.put(own[ORDER[i]], 3);
    for (let i = 0; i < symbols.length; i++) {
      this.put(ownCodes[symbols[i]], own[symbols[i]]);
      if (symbols[i] >= 16) this.put(extras[i], symbols[i] == 16 ? 2 : symbols[i] == 17 ? 3 : 7);
    }
  }
}
