/** Text as a script would have it, so that it is read back as it is. */
export function quoted(text: string): string {
  if (text.length == 0) return "''";
  if (isHarmless(text)) return text;
  return alwaysQuoted(text);
}

export function alwaysQuoted(text: string): string {
  if (text.indexOf("'") < 0) return `'${text}'`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function isHarmless(text: string): bool {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const lower = unit | 0x20;
    if ((lower >= 0x61 && lower <= 0x7a) || (unit >= 0x2b && unit <= 0x3a)) continue;
    if (unit == 0x5f || unit == 0x3d || unit == 0x40 || unit == 0x25) continue;
    return false;
  }
  return true;
}
