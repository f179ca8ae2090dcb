/**
 * White space as Go's `unicode.IsSpace` and docker's parser see it: JavaScript's `\s` knows a byte order mark, which
 * these do not, and does not know U+0085, which these do.
 */
const SPACE = new Set(
  [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000].concat(
    Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ),
);

export function isSpaceCode(code: number): boolean {
  return code <= 0x20 ? code === 0x20 || (code >= 0x09 && code <= 0x0d) : code >= 0x85 && SPACE.has(code);
}

export function isSpace(char: string): boolean {
  return isSpaceCode(char.charCodeAt(0));
}

/** What separates arguments of the plain lists: no newline, nothing beyond ASCII. */
export function isSeparatorCode(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0b || code === 0x0c || code === 0x0d;
}

/** Offset of the first character from `from` on that is no white space. */
export function skipSpace(text: string, from = 0): number {
  let at = from;
  while (at < text.length && isSpaceCode(text.charCodeAt(at))) at += 1;
  return at;
}

/** Offset behind the last character that is no white space. */
export function trimmedEnd(text: string, from = 0): number {
  let at = text.length;
  while (at > from && isSpaceCode(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

export function trimSpace(text: string): string {
  const start = skipSpace(text);
  return text.slice(start, trimmedEnd(text, start));
}
