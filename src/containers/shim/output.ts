/**
 * What a guest writes, on its way to the log and to everybody attached. One chunk at a time: the guest's ring is read on
 * when all have taken the last one, so a slow reader slows the guest and memory stays as it is.
 */
import type { LogDriver } from '../logs/driver.ts';

export type OutputName = 'stdout' | 'stderr';

export interface Listener {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** False: it is gone. Never rejects. */
  write(name: OutputName, bytes: Uint8Array): Promise<boolean>;
}

export class OutputHub {
  readonly #listeners = new Set<Listener>();
  /** The guest has ended: what is left goes out without waiting, it is bounded by the rings. */
  #isLast = false;
  #hurry: () => void = () => {};

  add(listener: Listener): void {
    this.#listeners.add(listener);
  }

  remove(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** Nobody slow is waited for from now on. */
  hurry(): void {
    this.#isLast = true;
    this.#hurry();
  }

  /** For the next guest. */
  reset(): void {
    this.#isLast = false;
  }

  /** Resolves when the stream is at its end and the log has it all. Never rejects. */
  async pump(name: OutputName, stream: ReadableStream<Uint8Array>, log: LogDriver | undefined): Promise<void> {
    const reader = stream.getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        await log?.write(name, value);
        if (this.#listeners.size > 0) await this.#tell(name, value);
      }
    } catch {
      // A stream that breaks is one that ends.
    }
    await log?.end(name);
  }

  async #tell(name: OutputName, bytes: Uint8Array): Promise<void> {
    const all = Promise.all(
      [...this.#listeners].map(async (listener) => {
        if (listener[name] && !(await listener.write(name, bytes))) this.remove(listener);
      }),
    );
    if (this.#isLast) return;
    await Promise.race([
      all,
      new Promise<void>((resolve) => {
        this.#hurry = resolve;
      }),
    ]);
  }
}
