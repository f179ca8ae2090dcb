/** Views over the kernel's memory, refreshed when a call made it grow. */
export class KernelMemory {
  u8: Uint8Array;
  u32: Uint32Array;
  view: DataView;
  readonly #memory: WebAssembly.Memory;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.u8 = new Uint8Array(memory.buffer);
    this.u32 = new Uint32Array(memory.buffer);
    this.view = new DataView(memory.buffer);
  }

  /** Call after each kernel call and before touching `end` bytes: a detached buffer has length 0. */
  reach(end: number): void {
    if (end > this.u8.length) this.refresh();
  }

  refresh(): this {
    const { buffer } = this.#memory;
    if (buffer !== this.u8.buffer) {
      this.u8 = new Uint8Array(buffer);
      this.u32 = new Uint32Array(buffer);
      this.view = new DataView(buffer);
    }
    return this;
  }
}
