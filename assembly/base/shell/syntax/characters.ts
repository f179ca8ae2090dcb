export const TAB: i32 = 0x09;
export const NEWLINE: i32 = 0x0a;
export const SPACE: i32 = 0x20;
export const BANG: i32 = 0x21;
export const DOUBLE_QUOTE: i32 = 0x22;
export const HASH: i32 = 0x23;
export const DOLLAR: i32 = 0x24;
export const PERCENT: i32 = 0x25;
export const AMPERSAND: i32 = 0x26;
export const QUOTE: i32 = 0x27;
export const OPEN: i32 = 0x28;
export const CLOSE: i32 = 0x29;
export const STAR: i32 = 0x2a;
export const PLUS: i32 = 0x2b;
export const MINUS: i32 = 0x2d;
export const SLASH: i32 = 0x2f;
export const COLON: i32 = 0x3a;
export const SEMICOLON: i32 = 0x3b;
export const LESS: i32 = 0x3c;
export const EQUALS: i32 = 0x3d;
export const GREATER: i32 = 0x3e;
export const QUESTION: i32 = 0x3f;
export const AT: i32 = 0x40;
export const OPEN_BRACKET: i32 = 0x5b;
export const BACKSLASH: i32 = 0x5c;
export const CLOSE_BRACKET: i32 = 0x5d;
export const CARET: i32 = 0x5e;
export const UNDERSCORE: i32 = 0x5f;
export const BACKQUOTE: i32 = 0x60;
export const OPEN_BRACE: i32 = 0x7b;
export const PIPE: i32 = 0x7c;
export const CLOSE_BRACE: i32 = 0x7d;
export const TILDE: i32 = 0x7e;

export function isDigit(unit: i32): bool {
  return unit >= 0x30 && unit <= 0x39;
}

export function isNameStart(unit: i32): bool {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a) || unit == UNDERSCORE;
}

export function isNamePart(unit: i32): bool {
  return isNameStart(unit) || isDigit(unit);
}

/** Is all of it a name (XBD 3.216)? */
export function isName(text: string): bool {
  if (text.length == 0 || !isNameStart(text.charCodeAt(0))) return false;
  for (let i = 1; i < text.length; i++) if (!isNamePart(text.charCodeAt(i))) return false;
  return true;
}

/** $@, $*, $#, $?, $-, $$, $!, and digits. */
export function isSpecialParameter(unit: i32): bool {
  return (
    unit == AT ||
    unit == STAR ||
    unit == HASH ||
    unit == QUESTION ||
    unit == MINUS ||
    unit == DOLLAR ||
    unit == BANG ||
    isDigit(unit)
  );
}
