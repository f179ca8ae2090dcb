/** WWW-Authenticate (RFC 9110, 11.6.1): one or more challenges in one header, comma-separated. */

export interface Challenge {
  /** Lower case: `bearer`, `basic`, ... */
  readonly scheme: string;
  /** Names in lower case. */
  readonly params: Readonly<Record<string, string>>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const SPACE = /[ \t]*/y;
const SEPARATOR = /[ \t,]*/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const TO_COMMA = /[^,]*/y;
const BARE = /[^",\s]*/y;
/** A header longer than this is not looked at. */
const LIMIT_CHARS = 8192;

/** Challenges in the order given. What cannot be read, such as the token68 of `Negotiate`, is passed over. */
export function parseChallenges(header: string | null): readonly Challenge[] {
  if (header === null || header.length > LIMIT_CHARS) return [];
  const scan = new Scanner(header);
  const challenges: Challenge[] = [];
  for (scan.take(SEPARATOR); !scan.ended(); scan.take(SEPARATOR)) {
    const scheme = scan.take(TOKEN);
    scan.take(SPACE);
    if (scheme === '') scan.take(TO_COMMA);
    else challenges.push({ scheme: scheme.toLowerCase(), params: readParams(scan) });
  }
  return challenges;
}

function readParams(scan: Scanner): Record<string, string> {
  const params: Record<string, string> = Object.create(null);
  for (;;) {
    const start = scan.at;
    const name = scan.take(TOKEN);
    scan.take(SPACE);
    if (name === '' || !scan.skip('=')) {
      scan.at = start;
      return params;
    }
    scan.take(SPACE);
    const value = scan.takeQuoted() ?? scan.take(BARE);
    // The first of two parameters of one name counts, so that a second cannot replace a checked one.
    params[name.toLowerCase()] ??= value;
    scan.take(SEPARATOR);
  }
}

class Scanner {
  at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  takeQuoted(): string | undefined {
    QUOTED.lastIndex = this.at;
    const found = QUOTED.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    return (found[1] ?? '').replace(/\\(.)/g, '$1');
  }

  skip(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  ended(): boolean {
    return this.at >= this.text.length;
  }
}
