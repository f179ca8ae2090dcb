import { TextBuffer } from '../text-buffer';

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

/** The bytes alone: quote removal. */
export function stripUnits(text: string): string {
  const length = text.length;
  const source = changetype<usize>(text);
  let all = 0;
  for (let i = 0; i < length; i++) all |= load<u16>(source + ((<usize>i) << 1));
  if (all <= 0xff) return text;
  if ((all & (EMPTY | BREAK)) == 0) {
    const bytes = changetype<usize>(__new((<usize>length) << 1, idof<string>()));
    for (let i: usize = 0; i < (<usize>length) << 1; i += 2) store<u16>(bytes + i, load<u8>(source + i));
    return changetype<string>(bytes);
  }
  const bytes = new TextBuffer();
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit == BREAK) bytes.push(0x20);
    else if (unit != EMPTY) bytes.push(unit & 0xff);
  }
  return bytes.toString();
}
