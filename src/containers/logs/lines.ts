/** Cuts a stream into lines as docker's copier does: one entry per line, and per 16 KiB of a longer one. */
const LONGEST_BYTES = 16 * 1024;
const NEWLINE = 10;

export class LineSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /** The entries a chunk completes. They may share its memory. */
  push(chunk: Uint8Array): Uint8Array[] {
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    const lines: Uint8Array[] = [];
    let at = 0;
    while (at < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      // A line of exactly 16 KiB is cut before its newline, as in docker's buffer.
      const length = newline < 0 ? end - at : end - 1 - at;
      if (length >= LONGEST_BYTES) {
        lines.push(bytes.subarray(at, at + LONGEST_BYTES));
        at += LONGEST_BYTES;
      } else if (newline < 0) break;
      else {
        lines.push(bytes.subarray(at, end));
        at = end;
      }
    }
    this.#rest = bytes.slice(at);
    return lines;
  }

  end(): Uint8Array[] {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    return rest.length > 0 ? [rest] : [];
  }
}
