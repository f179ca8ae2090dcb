/** The key sequence that leaves a container's terminal: `ctrl-p,ctrl-q`, `ctrl-a,d`. */
import { WctrError } from '../errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** The bytes the keys send. Throws `invalid-argument`. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(',').map((key) => keyCode(key, text)));
}

const CONTROLS: Readonly<Record<string, number>> = { '@': 0, '[': 27, '\\': 28, ']': 29, '^': 30, _: 31 };

function keyCode(key: string, text: string): number {
  const [, letter] = /^ctrl-(.)$/.exec(key) ?? [];
  if (letter !== undefined) {
    if (/[a-z]/i.test(letter)) return letter.toLowerCase().charCodeAt(0) - 96;
    const code = CONTROLS[letter];
    if (code !== undefined) return code;
  } else if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
  throw new WctrError('invalid-argument', `invalid detach keys "${text}": "${key}" is no key`, {
    hint: 'write letters and ctrl-LETTER, separated by commas: ctrl-p,ctrl-q',
  });
}

/** Finds the sequence in what is typed. A beginning of it is held back until the next key tells. */
export class DetachFilter {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What goes on to the container; `detached` when the whole sequence was typed, and nothing after it counts. */
  push(chunk: Uint8Array): { readonly bytes: Uint8Array; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { bytes: Uint8Array.from(passed), detached: true };
        continue;
      }
      passed.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = 0;
      if (byte === this.#keys[0]) this.#matched = 1;
      else passed.push(byte);
    }
    return { bytes: Uint8Array.from(passed), detached: false };
  }
}
