/** Memory of the container's process, watched from inside: guests are bounded one by one, this bounds their sum. */
/** What the process needs besides its guests: the runtime, compiled code, the kernel. */
const ALLOWANCE_BYTES = 512 * 1024 * 1024;
const DEFAULT_LIMIT_BYTES = 4 * 1024 * 1024 * 1024;
const NEAR_MS = 100;
const FAR_MS = 500;

export class MemoryWatchdog {
  readonly #residentBytes: () => number;
  readonly #onExceeded: (limitBytes: number) => void;
  #limitBytes = DEFAULT_LIMIT_BYTES;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(residentBytes: () => number, onExceeded: (limitBytes: number) => void) {
    this.#residentBytes = residentBytes;
    this.#onExceeded = onExceeded;
  }

  start(limitBytes: number | undefined): void {
    this.stop();
    this.#limitBytes = (limitBytes ?? DEFAULT_LIMIT_BYTES) + ALLOWANCE_BYTES;
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Far from its limit a container is looked at less often: hundreds of idle ones must cost nothing. */
  #look(): void {
    const bytes = this.#residentBytes();
    if (bytes > this.#limitBytes) this.#onExceeded(this.#limitBytes);
    this.#timer = setTimeout(() => this.#look(), bytes * 2 > this.#limitBytes ? NEAR_MS : FAR_MS);
    (this.#timer as { unref?(): void }).unref?.();
  }
}
