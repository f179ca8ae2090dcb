/**
 * A terminal in its usual ("cooked") mode, as Linux' n_tty does it: what is typed is echoed and can be corrected until a
 * line is whole; control characters mean the end of input, or a signal. Guests of WASI preview 1 have no calls to choose
 * another mode.
 */

export interface TerminalEnds {
  /** To be shown. */
  echo(bytes: Uint8Array): void;
  /** A line for the guest; empty: the end of input, once. */
  line(bytes: Uint8Array): void;
  signal(name: 'SIGINT' | 'SIGQUIT'): void;
}

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const CTRL_U = 0x15;
const CTRL_V = 0x16;
const CTRL_W = 0x17;
const CTRL_Z = 0x1a;
const CTRL_BACKSLASH = 0x1c;
const DELETE = 0x7f;
const BELL = 0x07;
/** n_tty's: a longer line loses what comes then. */
const LINE_MAX = 4095;

const CRLF = Uint8Array.of(RETURN, NEWLINE);
const ERASE = Uint8Array.of(BACKSPACE, 0x20, BACKSPACE);

export class LineDiscipline {
  readonly #ends: TerminalEnds;
  /** The line so far. */
  #line: number[] = [];
  #literal = false;

  constructor(ends: TerminalEnds) {
    this.#ends = ends;
  }

  /** What was typed. */
  input(bytes: Uint8Array): void {
    for (const byte of bytes) this.#byte(byte);
  }

  #byte(typed: number): void {
    if (this.#literal) {
      this.#literal = false;
      this.#add(typed);
      return;
    }
    const byte = typed === RETURN ? NEWLINE : typed;
    switch (byte) {
      case NEWLINE:
        this.#line.push(NEWLINE);
        this.#ends.echo(CRLF);
        this.#give();
        break;
      case BACKSPACE:
      case DELETE:
        this.#erase();
        break;
      case CTRL_U:
        while (this.#line.length > 0) this.#erase();
        break;
      case CTRL_W:
        while (isBlank(this.#line.at(-1))) this.#erase();
        while (this.#line.length > 0 && !isBlank(this.#line.at(-1))) this.#erase();
        break;
      case CTRL_V:
        this.#literal = true;
        break;
      case CTRL_D:
        this.#give();
        break;
      case CTRL_C:
      case CTRL_BACKSLASH:
        this.#line = [];
        this.#ends.echo(shown(byte));
        this.#ends.signal(byte === CTRL_C ? 'SIGINT' : 'SIGQUIT');
        break;
      case CTRL_Z:
        // Nobody could set a stopped guest going again.
        break;
      default:
        this.#add(byte);
    }
  }

  #add(byte: number): void {
    if (this.#line.length >= LINE_MAX) {
      this.#ends.echo(Uint8Array.of(BELL));
      return;
    }
    this.#line.push(byte);
    this.#ends.echo(shown(byte));
  }

  /** Takes back one character. */
  #erase(): void {
    let byte = this.#line.pop();
    if (byte === undefined) return;
    const columns = isControl(byte) && byte !== TAB ? 2 : 1;
    // The continuation bytes of a UTF-8 character, then its first.
    while (byte !== undefined && (byte & 0xc0) === 0x80) byte = this.#line.pop();
    for (let i = 0; i < columns; i++) this.#ends.echo(ERASE);
  }

  #give(): void {
    const line = Uint8Array.from(this.#line);
    this.#line = [];
    this.#ends.line(line);
  }
}

/** What a program wrote, as a terminal wants it: each newline with a carriage return before it. */
export function toTerminal(bytes: Uint8Array): Uint8Array {
  let newlines = 0;
  for (const byte of bytes) if (byte === NEWLINE) newlines++;
  if (newlines === 0) return bytes;
  const output = new Uint8Array(bytes.length + newlines);
  let at = 0;
  for (const byte of bytes) {
    if (byte === NEWLINE) output[at++] = RETURN;
    output[at++] = byte;
  }
  return output;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === TAB;
}

function isControl(byte: number): boolean {
  return byte < 0x20 || byte === DELETE;
}

/** Control characters as `^C`. */
function shown(byte: number): Uint8Array {
  return isControl(byte) && byte !== TAB ? Uint8Array.of(0x5e, byte ^ 0x40) : Uint8Array.of(byte);
}
