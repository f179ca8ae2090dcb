import { printable } from './format/units.ts';

/**
 * A program's output on its way to a terminal, with every control character but tab and newline shown instead of obeyed.
 * Characters may be cut anywhere between two chunks.
 */
export class InertText {
  readonly #decoder = new TextDecoder();

  push(chunk: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(chunk, { stream: true });
    // A terminal's program ends its lines with CR LF; that CR moves nothing that LF does not move too.
    return new TextEncoder().encode(printable(text.replace(/\r+\n/g, '\n')));
  }
}
