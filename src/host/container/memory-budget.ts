/**
 * The memory of a container's processes together. Each one's own memory has a maximum it cannot grow over; a process that
 * starts later may have what the others leave at that moment. What they grow to since is bounded here: over the limit,
 * the largest is ended, as the kernel of a machine would choose it.
 */
export interface BudgetedProcess {
  memoryBytes(): number;
}

const EVERY_MS = 200;

export class MemoryBudget<T extends BudgetedProcess> {
  readonly #processes: ReadonlySet<T>;
  readonly #exceeded: (largest: T, limitBytes: number) => void;
  #limitBytes: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    processes: ReadonlySet<T>,
    limitBytes: number | undefined,
    exceeded: (largest: T, limitBytes: number) => void,
  ) {
    this.#processes = processes;
    this.#limitBytes = limitBytes;
    this.#exceeded = exceeded;
  }

  get limitBytes(): number | undefined {
    return this.#limitBytes;
  }

  set limitBytes(bytes: number | undefined) {
    this.#limitBytes = bytes;
    this.watch();
  }

  get usedBytes(): number {
    let sum = 0;
    for (const process of this.#processes) sum += process.memoryBytes();
    return sum;
  }

  /** What another process may have; undefined: as much as it likes. */
  get leftBytes(): number | undefined {
    return this.#limitBytes === undefined ? undefined : Math.max(0, this.#limitBytes - this.usedBytes);
  }

  /** From now on, as long as there are processes. Their number or the limit changed. */
  watch(): void {
    if (this.#timer !== undefined || this.#limitBytes === undefined) return;
    this.#timer = setTimeout(() => this.#look(), EVERY_MS);
    (this.#timer as { unref?(): void }).unref?.();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = undefined;
    const limit = this.#limitBytes;
    if (limit === undefined || this.#processes.size === 0) return;
    if (this.usedBytes > limit) {
      const [largest] = [...this.#processes].sort((a, b) => b.memoryBytes() - a.memoryBytes());
      this.#exceeded(largest!, limit);
    }
    this.watch();
  }
}
