/** Moves byte strings (one code unit, 0 to 255, for each byte) between the managed heap and plain memory. */

/** Two paths, one result area and one name: what a single call needs. */
export const PATH_BYTES: i32 = 4096;
export const PATH_A: usize = memory.data(4096, 16);
export const PATH_B: usize = memory.data(4096, 16);
/** Results of calls: at most 128 bytes. */
export const RESULT: usize = memory.data(128, 16);

/** Writes the bytes of `text`; the caller has room for `text.length`. */
export function pack(text: string, at: usize): void {
  const source = changetype<usize>(text);
  const length = text.length;
  for (let i = 0; i < length; i++) store<u8>(at + i, load<u8>(source + ((<usize>i) << 1)));
}

export function unpack(at: usize, length: i32): string {
  if (length <= 0) return '';
  const text = changetype<usize>(__new((<usize>length) << 1, idof<string>()));
  for (let i = 0; i < length; i++) store<u16>(text + ((<usize>i) << 1), load<u8>(at + i));
  return changetype<string>(text);
}

export function unpackZero(at: usize): string {
  let length = 0;
  while (load<u8>(at + length) != 0) length++;
  return unpack(at, length);
}

/** Strings with a NUL after each, one after the other. Free it with heap.free. */
export function packList(list: Array<string>): usize {
  const block = heap.alloc(listBytes(list) + 1);
  let at = block;
  for (let i = 0, k = list.length; i < k; i++) {
    const text = unchecked(list[i]);
    pack(text, at);
    store<u8>(at + text.length, 0);
    at += text.length + 1;
  }
  return block;
}

export function listBytes(list: Array<string>): i32 {
  let bytes = 0;
  for (let i = 0, k = list.length; i < k; i++) bytes += unchecked(list[i]).length + 1;
  return bytes;
}
