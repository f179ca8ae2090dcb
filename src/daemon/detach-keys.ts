/** The keys that leave a terminal without ending what runs in it: `ctrl-p,ctrl-q` unless the client says otherwise. */
import { WctrError } from '../errors.ts';

const DEFAULT = 'ctrl-p,ctrl-q';
const CONTROL = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/** `ctrl-a,b` -> bytes. Empty text: the default. */
export function parseDetachKeys(text: string | undefined): Uint8Array {
  return Uint8Array.from(
    (text || DEFAULT).split(',').map((key) => {
      if (key.length === 1 && key.charCodeAt(0) < 128) return key.charCodeAt(0);
      const [, letter = ''] = /^ctrl-(.)$/.exec(key) ?? [];
      const code = letter === '' ? -1 : CONTROL.indexOf(letter);
      if (code < 0) throw new WctrError('invalid-argument', `Invalid escape keys (${text}) provided`);
      return code;
    }),
  );
}

/**
 * Watches what is typed. `push` gives what is to be passed on, and `detached` once the whole sequence came: keys of a
 * sequence that is not finished are held back.
 */
export class DetachKeys {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  push(chunk: Uint8Array): { bytes: Uint8Array; detached: boolean } {
    const out: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return { bytes: Uint8Array.from(out), detached: true };
        continue;
      }
      out.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) out.push(byte);
      else if (this.#keys.length === 1) return { bytes: Uint8Array.from(out), detached: true };
    }
    return { bytes: Uint8Array.from(out), detached: false };
  }
}
