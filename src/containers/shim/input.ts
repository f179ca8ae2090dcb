/** Standard input of a guest, fed by whoever is attached. */
export class GuestInput {
  readonly #closesWithFirst: boolean;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #ready!: Promise<void>;
  #setReady: () => void = () => {};

  /** @param closesWithFirst the first one attached who leaves ends the input, for good. */
  constructor(closesWithFirst: boolean) {
    this.#closesWithFirst = closesWithFirst;
    this.finish();
  }

  /** A guest runs: what was attached before it now reaches it. */
  begin(stdin: WritableStream<Uint8Array> | undefined): void {
    this.#writer = stdin?.getWriter();
    // A guest that closes its input, or ends, is not an error of those who write.
    this.#writer?.closed.catch(() => {});
    this.#setReady();
  }

  /** The guest has ended: wait for the next one. */
  finish(): void {
    this.#writer = undefined;
    this.#ready = new Promise((resolve) => {
      this.#setReady = resolve;
    });
  }

  /** Never rejects. */
  async forward(input: AsyncIterable<Uint8Array>): Promise<void> {
    await this.#ready;
    const writer = this.#writer;
    if (writer === undefined) return;
    try {
      for await (const chunk of input) {
        await writer.ready;
        await writer.write(chunk);
      }
      if (this.#closesWithFirst) await writer.close();
    } catch {
      // The guest reads no more.
    }
  }
}
