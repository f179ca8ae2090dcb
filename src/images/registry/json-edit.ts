/**
 * Changes one member of a JSON object in a text and leaves every other byte as it is: order, indentation, unknown keys,
 * line ends. For files that belong to others as well, such as docker's config.json. The text must be valid JSON.
 */

interface Member {
  readonly key: string;
  /** Of the key's opening quote. */
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface ObjectSpan {
  /** Of the opening and after the closing brace. */
  readonly start: number;
  readonly end: number;
  readonly members: readonly Member[];
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const SCALAR = /[^\s,\]}]+/y;
/** What docker writes. */
const DEFAULT_INDENT = '\t';

/** Sets `path` to `value`, making the objects on the way. An empty text counts as an empty object. */
export function setMember(text: string, path: readonly string[], value: unknown): string {
  if (text.trim() === '') return setMember('{}', path, value);
  const style = styleOf(text);
  let at = skip(text, SPACE, 0);
  for (const [depth, key] of path.entries()) {
    const object = readObject(text, at);
    const member = object.members.findLast((one) => one.key === key);
    const rest = path.slice(depth + 1);
    if (member === undefined) return insert(text, object, key, nested(rest, value), depth, style);
    if (rest.length === 0 || text[member.valueStart] !== '{') {
      const shown = stringify(nested(rest, value), depth + 1, style);
      return text.slice(0, member.valueStart) + shown + text.slice(member.valueEnd);
    }
    at = member.valueStart;
  }
  return text;
}

/** Takes the member at `path` out; the same text where there is none. */
export function removeMember(text: string, path: readonly string[]): string {
  if (text.trim() === '') return text;
  let at = skip(text, SPACE, 0);
  for (const [depth, key] of path.entries()) {
    const object = readObject(text, at);
    const index = object.members.findLastIndex((one) => one.key === key);
    const member = object.members[index];
    if (member === undefined) return text;
    if (depth < path.length - 1) {
      if (text[member.valueStart] !== '{') return text;
      at = member.valueStart;
      continue;
    }
    const before = object.members[index - 1];
    const after = object.members[index + 1];
    const [from, to] =
      after !== undefined
        ? [member.start, after.start]
        : before !== undefined
          ? [before.valueEnd, member.valueEnd]
          : [object.start + 1, object.end - 1];
    // A key may be there twice; what is left must not come back to life.
    return removeMember(text.slice(0, from) + text.slice(to), path);
  }
  return text;
}

interface Style {
  readonly indent: string;
  readonly newline: string;
  readonly isCompact: boolean;
}

function styleOf(text: string): Style {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const indent = /[{[]\r?\n([ \t]+)/.exec(text)?.[1] ?? DEFAULT_INDENT;
  const isCompact = !text.trim().includes('\n') && /\S/.test(text.trim().slice(1, -1));
  return { indent, newline, isCompact };
}

function insert(text: string, object: ObjectSpan, key: string, value: unknown, depth: number, style: Style): string {
  const last = object.members.at(-1);
  const name = JSON.stringify(key);
  const shown = `${name}:${style.isCompact ? '' : ' '}${stringify(value, depth + 1, style)}`;
  if (style.isCompact) {
    const at = last === undefined ? object.start + 1 : last.valueEnd;
    return `${text.slice(0, at)}${last === undefined ? '' : ','}${shown}${text.slice(at)}`;
  }
  const line = style.newline + style.indent.repeat(depth + 1);
  if (last !== undefined) return `${text.slice(0, last.valueEnd)},${line}${shown}${text.slice(last.valueEnd)}`;
  const end = style.newline + style.indent.repeat(depth);
  return `${text.slice(0, object.start)}{${line}${shown}${end}}${text.slice(object.end)}`;
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

function stringify(value: unknown, depth: number, { indent, newline, isCompact }: Style): string {
  if (isCompact) return JSON.stringify(value);
  return JSON.stringify(value, null, indent).replaceAll('\n', newline + indent.repeat(depth));
}

function readObject(text: string, start: number): ObjectSpan {
  const members: Member[] = [];
  let at = skip(text, SPACE, start + 1);
  while (text[at] !== '}') {
    const keyStart = at;
    at = skip(text, STRING, at);
    const key = JSON.parse(text.slice(keyStart, at)) as string;
    // Past the colon.
    at = skip(text, SPACE, skip(text, SPACE, at) + 1);
    const valueStart = at;
    at = skipValue(text, at);
    members.push({ key, start: keyStart, valueStart, valueEnd: at });
    at = skip(text, SPACE, at);
    if (text[at] === ',') at = skip(text, SPACE, at + 1);
  }
  return { start, end: at + 1, members };
}

function skipValue(text: string, start: number): number {
  const open = text[start];
  if (open === '"') return skip(text, STRING, start);
  if (open !== '{' && open !== '[') return skip(text, SCALAR, start);
  let depth = 0;
  for (let at = start; ; ) {
    const char = text[at];
    if (char === '"') at = skip(text, STRING, at);
    else {
      if (char === '{' || char === '[') depth++;
      else if (char === '}' || char === ']') depth--;
      at++;
      if (depth === 0) return at;
    }
  }
}

function skip(text: string, pattern: RegExp, at: number): number {
  pattern.lastIndex = at;
  return at + (pattern.exec(text)?.[0].length ?? 0);
}
