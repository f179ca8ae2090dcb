/**
 * Lets others on: what is read by synchronous calls would keep a daemon from everything else while it lasts. Timers run at
 * most once a millisecond, so nobody waits for one more often than is of use.
 */
const BUSY_MS = 50;

export class Breather {
  #since = Date.now();

  /** To be asked often; undefined where nobody has waited for long. */
  pause(): Promise<void> | undefined {
    if (Date.now() - this.#since < BUSY_MS) return undefined;
    return new Promise((resolve) => {
      setTimeout(() => {
        this.#since = Date.now();
        resolve();
      });
    });
  }
}
