const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));

/**
 * The guest's linear memory. Views are kept across calls; growing a plain memory detaches the old buffer, which shows
 * as a length of 0, so one comparison covers "out of bounds" and "view is stale". (A shared memory is not detached by
 * growing: its old view is only too short, and the slow path finds the new one.)
 *
 * Nothing here throws into the guest: callers ask `holds` first and answer EFAULT.
 */
export class GuestMemory {
  u8 = NO_BYTES;
  view = NO_VIEW;
  /** Told the size when it is seen to have changed: at the guest's next call. */
  onSize: ((bytes: number) => void) | undefined;
  #memory: WebAssembly.Memory | undefined;

  attach(memory: WebAssembly.Memory | undefined): void {
    this.#memory = memory;
    if (memory !== undefined) {
      this.#refresh();
      return;
    }
    this.u8 = NO_BYTES;
    this.view = NO_VIEW;
  }

  get shared(): boolean {
    return typeof SharedArrayBuffer !== 'undefined' && (this.u8.buffer as ArrayBufferLike) instanceof SharedArrayBuffer;
  }

  /** True when [pointer, pointer + length) lies in the memory. Both are unsigned (apply `>>> 0` at the edge). */
  holds(pointer: number, length: number): boolean {
    return pointer + length <= this.u8.length || this.#holdsNow(pointer, length);
  }

  #holdsNow(pointer: number, length: number): boolean {
    this.#refresh();
    return pointer + length <= this.u8.length;
  }

  #refresh(): void {
    if (this.#memory === undefined) return;
    const { buffer } = this.#memory;
    if (buffer === this.u8.buffer) return;
    this.u8 = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.onSize?.(buffer.byteLength);
  }
}
