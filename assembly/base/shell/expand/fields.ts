/** Field splitting (XCU 2.6.5) of an expanded word. */
import { TextBuffer } from '../text-buffer';
import { BREAK, EMPTY, IS_SPLIT } from './units';

/** Appends the fields, still flagged, of an expanded word. `separators` is IFS. */
export function splitFields(text: string, separators: string, fields: Array<string>): void {
  const length = text.length;
  const field = new TextBuffer();
  let isThere = false;
  for (let at = 0; at < length; ) {
    const unit = text.charCodeAt(at);
    if (unit == BREAK) {
      if (isThere) fields.push(field.take());
      isThere = false;
      at++;
    } else if (unit == EMPTY) {
      isThere = true;
      at++;
    } else if ((unit & IS_SPLIT) != 0 && isSeparator(unit & 0xff, separators)) {
      // white space around a separator belongs to it; alone, it is one
      let hasMark = false;
      const before = isThere;
      while (at < length) {
        const next = text.charCodeAt(at);
        if ((next & IS_SPLIT) == 0 || !isSeparator(next & 0xff, separators)) break;
        if (!isWhite(next & 0xff)) {
          if (hasMark) break;
          hasMark = true;
        }
        at++;
      }
      if (before || hasMark) fields.push(field.take());
      isThere = false;
    } else {
      field.push(unit);
      isThere = true;
      at++;
    }
  }
  if (isThere) fields.push(field.take());
}

export function isSeparator(byte: i32, separators: string): bool {
  for (let i = 0; i < separators.length; i++) if (separators.charCodeAt(i) == byte) return true;
  return false;
}

/** IFS white space. */
export function isWhite(byte: i32): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0a;
}
