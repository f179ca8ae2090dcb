/**
 * docker's json-file, a line per entry, byte for byte as docker writes it:
 *
 * ```
 * {"log":"text\n","stream":"stdout","time":"2025-01-02T03:04:05.000000006Z"}
 * ```
 */
import type { LogEntry, LogFormat } from './format.ts';
import { formatTime, parseTime } from './time.ts';

const NEWLINE = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** What Go's encoder escapes in its own way; an escaped backslash is matched so that it is not taken for one. */
const GO_ESCAPES = /\\\\|\\[tbf]|[<>&\u2028\u2029]/g;

export const jsonFileFormat: LogFormat = {
  encode({ stream, time, bytes, attributes }) {
    const text = goString(decoder.decode(bytes));
    const attrs = attributes === undefined ? '' : `"attrs":${goObject(attributes)},`;
    return encoder.encode(`{"log":${text},"stream":"${stream}",${attrs}"time":"${formatTime(time)}"}\n`);
  },
  decode(bytes, at) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) return undefined;
    return { entry: parse(decoder.decode(bytes.subarray(at, newline))), next: newline + 1 };
  },
  previous(bytes, end) {
    // The byte before `end` is the entry's own newline.
    const newline = end < 2 ? -1 : bytes.lastIndexOf(NEWLINE, end - 2);
    return newline < 0 ? -1 : newline + 1;
  },
};

function goString(text: string): string {
  return JSON.stringify(text).replace(GO_ESCAPES, goEscape);
}

/** Go sorts the keys of a map. */
function goObject(members: Readonly<Record<string, string>>): string {
  const keys = Object.keys(members).sort();
  return `{${keys.map((key) => `${goString(key)}:${goString(members[key]!)}`).join(',')}}`;
}

const GO: Readonly<Record<string, string>> = { '\\\\': '\\\\', '\\t': '\\u0009', '\\b': '\\u0008', '\\f': '\\u000c' };

function goEscape(match: string): string {
  return GO[match] ?? `\\u${match.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function parse(line: string): LogEntry | undefined {
  try {
    const { log, stream, time, attrs } = JSON.parse(line) as Record<string, unknown>;
    const at = parseTime(String(time));
    if (typeof log !== 'string' || at === undefined) return undefined;
    const attributes =
      typeof attrs === 'object' && attrs !== null ? { attributes: attrs as Record<string, string> } : {};
    return { stream: stream === 'stderr' ? 'stderr' : 'stdout', time: at, bytes: encoder.encode(log), ...attributes };
  } catch {
    return undefined;
  }
}
