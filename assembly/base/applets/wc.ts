/** wc */
import { Context } from '../applet';
import { closeInput, inputOf } from '../io/open';
import { absolute } from '../io/paths';
import { Stat, statFile, statPath } from '../wasi/stat';
import { END, Options, STOP } from './options';

const BLOCK: i32 = 65536;

class Counts {
  lines: i64 = 0;
  words: i64 = 0;
  bytes: i64 = 0;
  longest: i64 = 0;
}

export function wc(context: Context, args: Array<string>): i32 {
  let lines = false;
  let words = false;
  let bytes = false;
  let chars = false;
  let longest = false;
  const options = new Options(context, args, 'lwcmL', 'lines=l,words=w,bytes=c,chars=m,max-line-length=L');
  for (let o = options.next(); o != END; o = options.next()) {
    if (o == STOP) return options.status;
    if (o == 108) lines = true;
    else if (o == 119) words = true;
    else if (o == 99) bytes = true;
    else if (o == 109) chars = true;
    else longest = true;
  }
  if (!(lines || words || bytes || chars || longest)) lines = words = bytes = true;
  const paths = options.operands;
  const columns = i32(lines) + i32(words) + i32(bytes) + i32(chars) + i32(longest);
  // as GNU's: as wide as the sizes of the files need, 7 where one is no regular file
  let width = 1;
  if (columns > 1 || paths.length > 1) {
    let total: u64 = 0;
    let known = true;
    for (let i = 0; i < max(paths.length, 1); i++) {
      const isInput = paths.length == 0 || paths[i] == '-';
      const stat = new Stat();
      if (isInput) {
        if (context.stdin.descriptor < 0 || statFile(context.stdin.descriptor, stat) < 0) known = false;
      } else if (statPath(absolute(context, paths[i]), true, stat) < 0) continue;
      if (stat.isFile) total += stat.size;
      else known = false;
    }
    width = known ? total.toString().length : 7;
  }
  const all = new Counts();
  let status = 0;
  const list = paths.length > 0 ? paths : ['-'];
  for (let i = 0; i < list.length; i++) {
    const reader = inputOf(context, args[0], list[i]);
    if (reader == null) {
      status = 1;
      continue;
    }
    const counts = new Counts();
    const block = new StaticArray<u8>(BLOCK);
    let inWord = false;
    let column: i64 = 0;
    for (;;) {
      const got = reader.chunk(changetype<usize>(block), BLOCK);
      if (got == 0) break;
      counts.bytes += got;
      for (let k = 0; k < got; k++) {
        const c = unchecked(block[k]);
        if (c == 10) counts.lines++;
        if (longest) {
          if (c == 10 || c == 13 || c == 12) {
            counts.longest = max(counts.longest, column);
            column = 0;
          } else if (c == 9) column += 8 - (column & 7);
          else if (c >= 32 && c < 127) column++;
        }
        if (c == 32 || (c >= 9 && c <= 13)) {
          inWord = false;
        } else if (!inWord && c > 32 && c != 127) {
          inWord = true;
          counts.words++;
        }
      }
    }
    counts.longest = max(counts.longest, column);
    if (!closeInput(context, args[0], list[i], reader)) status = 1;
    show(context, counts, paths.length > 0 ? list[i] : '', width, lines, words, chars, bytes, longest);
    all.lines += counts.lines;
    all.words += counts.words;
    all.bytes += counts.bytes;
    all.longest = max(all.longest, counts.longest);
  }
  if (list.length > 1) show(context, all, 'total', width, lines, words, chars, bytes, longest);
  return status;
}

function show(
  context: Context,
  counts: Counts,
  name: string,
  width: i32,
  lines: bool,
  words: bool,
  chars: bool,
  bytes: bool,
  longest: bool,
): void {
  const parts: string[] = [];
  if (lines) parts.push(counts.lines.toString().padStart(width));
  if (words) parts.push(counts.words.toString().padStart(width));
  if (chars) parts.push(counts.bytes.toString().padStart(width));
  if (bytes) parts.push(counts.bytes.toString().padStart(width));
  if (longest) parts.push(counts.longest.toString().padStart(width));
  if (name != '') parts.push(name);
  context.stdout.line(parts.join(' '));
}
