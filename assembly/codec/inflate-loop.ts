/**
 * The symbol loop of deflate, where the time goes. Up to three literals or one match per turn; the next table entry is
 * loaded before the bits are refilled, so that the load is on its way early. Copies write in whole words past the end of
 * the match; CHUNK_OVERRUN covers what a last match adds and what its copy overshoots.
 */
import { RUN_OUTPUT } from '../../src/core/abi/codec';
import { E_CORRUPT, E_TRUNCATED, OK } from '../../src/core/abi/status';
import { Decoder, tablesOf } from './decoder-state';
import { CONTINUE_LATER, MODE_END, MODE_HEADER } from './inflate-mode';
import { PATTERN_SHUFFLE, PATTERN_STRIDE } from './pattern';
import {
  ENTRY_END,
  ENTRY_EXCEPTIONAL,
  ENTRY_INVALID,
  ENTRY_LITERAL,
  LITLEN_BITS,
  LITLEN_TABLE,
  OFFSET_BITS,
  OFFSET_EXCEPTIONAL,
  OFFSET_TABLE,
} from './tables';

const LITLEN_MASK: u32 = (1 << LITLEN_BITS) - 1;
const OFFSET_MASK: u32 = (1 << OFFSET_BITS) - 1;
/** A turn looks at most this far ahead. */
const INPUT_MARGIN: usize = 32;

const WENT_ON: u32 = 0;
const BLOCK_ENDED: u32 = 1;
const BROKEN: u32 = 2;

/** OK: the block ended (d.mode says what follows); RUN_OUTPUT, CONTINUE_LATER, E_*. */
export function symbolLoop(d: Decoder): i32 {
  const tables = tablesOf(d);
  const inputEnd = d.inputEnd;
  // After the end of input come zeros; a turn that starts 8 bytes behind it has certainly used bits that are not there.
  const limit = d.last ? inputEnd + 8 : inputEnd - INPUT_MARGIN;
  const outEnd = d.chunkEnd;
  const history = d.history;
  let at = d.inputAt;
  let out = d.out;
  let bits = d.bits;
  let count: u64 = d.bitCount;
  let ended: u32 = WENT_ON;

  if (at < limit && out < outEnd) {
    bits |= load<u64>(at) << count;
    at += 7;
    at -= (<u32>count >> 3) & 7;
    count |= 56;
    let entry: u64 = load<u32>(tables + ((<u32>bits & LITLEN_MASK) << 2), LITLEN_TABLE);
    do {
      let before = bits;
      bits >>= entry;
      count -= entry;
      if (<u32>entry & ENTRY_LITERAL) {
        store<u8>(out, <u8>(entry >> 16));
        out++;
        entry = load<u32>(tables + ((<u32>bits & LITLEN_MASK) << 2), LITLEN_TABLE);
        before = bits;
        bits >>= entry;
        count -= entry;
        if (<u32>entry & ENTRY_LITERAL) {
          store<u8>(out, <u8>(entry >> 16));
          out++;
          entry = load<u32>(tables + ((<u32>bits & LITLEN_MASK) << 2), LITLEN_TABLE);
          before = bits;
          bits >>= entry;
          count -= entry;
          if (<u32>entry & ENTRY_LITERAL) {
            store<u8>(out, <u8>(entry >> 16));
            out++;
            entry = load<u32>(tables + ((<u32>bits & LITLEN_MASK) << 2), LITLEN_TABLE);
            bits |= load<u64>(at) << count;
            at += 7;
            at -= (<u32>count >> 3) & 7;
            count |= 56;
            continue;
          }
        }
      }
      if (<u32>entry & ENTRY_EXCEPTIONAL) {
        if (<u32>entry & ENTRY_END) {
          ended = <u32>entry & ENTRY_INVALID ? BROKEN : BLOCK_ENDED;
          break;
        }
        const width = (<u32>entry >> 8) & 63;
        const index = <u32>(entry >> 16) + (<u32>bits & (((<u32>1) << width) - 1));
        entry = load<u32>(tables + (index << 2), LITLEN_TABLE);
        before = bits;
        bits >>= entry;
        count -= entry;
        if (<u32>entry & ENTRY_LITERAL) {
          store<u8>(out, <u8>(entry >> 16));
          out++;
          entry = load<u32>(tables + ((<u32>bits & LITLEN_MASK) << 2), LITLEN_TABLE);
          bits |= load<u64>(at) << count;
          at += 7;
          at -= (<u32>count >> 3) & 7;
          count |= 56;
          continue;
        }
        if (<u32>entry & ENTRY_END) {
          ended = <u32>entry & ENTRY_INVALID ? BROKEN : BLOCK_ENDED;
          break;
        }
      }
      const length: u32 = ((<u32>entry >> 16) & 0x1ff) + (<u32>(before >> (entry >> 8)) & (<u32>entry >> 25));

      let far = load<u64>(tables + ((<u32>bits & OFFSET_MASK) << 3), OFFSET_TABLE);
      if (<i64>far >= <i64>OFFSET_EXCEPTIONAL) {
        bits |= load<u64>(at) << count;
        at += 7;
        at -= (<u32>count >> 3) & 7;
        count |= 56;
        bits >>= OFFSET_BITS;
        count -= OFFSET_BITS;
        if (<u32>far == 1) {
          ended = BROKEN;
          break;
        }
        const width = (<u32>far >> 8) & 63;
        const index = <u32>((far >> 16) & 0xffff) + (<u32>bits & (((<u32>1) << width) - 1));
        far = load<u64>(tables + (index << 3), OFFSET_TABLE);
      } else if ((<u32>count & 63) < OFFSET_BITS + 13 + LITLEN_BITS) {
        bits |= load<u64>(at) << count;
        at += 7;
        at -= (<u32>count >> 3) & 7;
        count |= 56;
      }
      before = bits;
      bits >>= far;
      count -= far;
      const offset: u32 = ((<u32>far >> 16) & 0xffff) + (<u32>(before >> (far >> 8)) & <u32>(far >> 32));
      // An invalid symbol has offset 0, which the subtraction turns into the greatest one.
      if (offset - 1 >= <u32>(out - history)) {
        ended = BROKEN;
        break;
      }
      let from = out - offset;
      let to = out;
      out += length;
      entry = load<u32>(tables + ((<u32>bits & LITLEN_MASK) << 2), LITLEN_TABLE);
      bits |= load<u64>(at) << count;
      at += 7;
      at -= (<u32>count >> 3) & 7;
      count |= 56;
      if (offset >= 8) {
        store<u64>(to, load<u64>(from));
        store<u64>(to, load<u64>(from, 8), 8);
        store<u64>(to, load<u64>(from, 16), 16);
        store<u64>(to, load<u64>(from, 24), 24);
        store<u64>(to, load<u64>(from, 32), 32);
        if (length > 40) {
          from += 40;
          to += 40;
          do {
            store<u64>(to, load<u64>(from));
            store<u64>(to, load<u64>(from, 8), 8);
            store<u64>(to, load<u64>(from, 16), 16);
            store<u64>(to, load<u64>(from, 24), 24);
            from += 32;
            to += 32;
          } while (to < out);
        }
      } else {
        const pattern = v128.swizzle(v128.load(from), v128.load(PATTERN_SHUFFLE + (offset << 4)));
        const stride: u32 = load<u8>(PATTERN_STRIDE + offset);
        do {
          v128.store(to, pattern);
          to += stride;
          v128.store(to, pattern);
          to += stride;
        } while (to < out);
      }
    } while (at < limit && out < outEnd);
  }

  // Give back whole bytes, so that nothing read ahead outlives the input buffer's contents.
  const left: u32 = <u32>count & 63;
  at -= left >> 3;
  d.inputAt = at;
  d.bitCount = left & 7;
  d.bits = bits & (((<u64>1) << (left & 7)) - 1);
  d.out = out;
  if (at > inputEnd) return E_TRUNCATED;
  if (ended == BROKEN) return E_CORRUPT;
  if (ended == BLOCK_ENDED) {
    d.mode = d.finalBlock ? MODE_END : MODE_HEADER;
    return OK;
  }
  if (out >= outEnd) return RUN_OUTPUT;
  return d.last ? E_TRUNCATED : CONTINUE_LATER;
}
