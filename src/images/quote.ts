/** Text from an image or a user inside an error message: quoted, cut short, and inert on a terminal. */
export function quote(text: string, maxChars = 120): string {
  const short = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return `"${short.replace(/[\p{C}\u2028\u2029"\\]/gu, escapeChar)}"`;
}

const SHORT: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeChar(char: string): string {
  return SHORT[char] ?? `\\u{${char.codePointAt(0)?.toString(16)}}`;
}
