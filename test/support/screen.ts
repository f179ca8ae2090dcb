/** A terminal's screen, as far as our progress uses one: newlines, CR, colours, cursor up, erase to the end of line or screen. */
export class Screen {
  readonly width: number;
  readonly height: number;
  /** What scrolled out at the top. */
  readonly history: string[] = [];
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  get lines(): readonly string[] {
    return this.#lines.map((line) => line.trimEnd());
  }

  /** Throws for a control it does not know: nobody else's may come through. */
  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
    for (const [whole, csi, count, verb] of text.matchAll(/(\u001b\[([\d;]*)([A-Za-z]))|[^\u001b]|\u001b/gu)) {
      if (csi !== undefined) this.#control(verb ?? '', Number(count) || 1);
      else if (whole === '\n') this.#feed();
      else if (whole === '\r') this.#column = 0;
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
      else if (/[\u0000-\u001f\u007f-\u009f]/.test(whole))
        throw new Error(`control character ${JSON.stringify(whole)}`);
      else this.#put(whole);
    }
  }

  #control(verb: string, count: number): void {
    if (verb === 'm') return;
    if (verb === 'A') this.#row = Math.max(0, this.#row - count);
    else if (verb === 'K') this.#lines[this.#row] = (this.#lines[this.#row] ?? '').slice(0, this.#column);
    else if (verb === 'J') {
      this.#control('K', 1);
      this.#lines.length = this.#row + 1;
    } else throw new Error(`control sequence ${verb}`);
  }

  #put(char: string): void {
    if (this.#column === this.width) this.#feed();
    const line = (this.#lines[this.#row] ?? '').padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + char + line.slice(this.#column + 1);
    this.#column += 1;
  }

  #feed(): void {
    this.#column = 0;
    this.#row += 1;
    this.#lines[this.#row] ??= '';
    if (this.#row < this.height) return;
    this.history.push(this.#lines.shift()?.trimEnd() ?? '');
    this.#row -= 1;
  }
}
