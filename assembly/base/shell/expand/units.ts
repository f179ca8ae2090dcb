/**
 * A word while it is expanded is a string whose units hold a byte below and, above, what became of it:
 *
 *     0x0ff  the byte
 *     0x100  it was quoted: it is no pattern and no separator
 *     0x200  it came from an expansion outside of quotes: fields are split at it
 *     0x400  no byte: something empty was quoted here, so there is a field
 *     0x800  no byte: one field ends, the next begins ("$@")
 */
export const IS_QUOTED: i32 = 0x100;
export const IS_SPLIT: i32 = 0x200;
export const EMPTY: i32 = 0x400;
export const BREAK: i32 = 0x800;

import { TextBuffer } from '../text-buffer';

/** The bytes alone: quote removal. */
export function stripUnits(text: string): string {
  const length = text.length;
  let isPlain = true;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) > 0xff) {
      isPlain = false;
      break;
    }
  }
  if (isPlain) return text;
  const bytes = new TextBuffer();
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == BREAK) bytes.push(0x20);
    else if (unit != EMPTY) bytes.push(unit & 0xff);
  }
  return bytes.toString();
}
