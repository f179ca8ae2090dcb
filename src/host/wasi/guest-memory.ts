/**
 * The guest's linear memory. Views are kept across calls; growing a plain memory detaches the old buffer, which shows
 * as a length of 0, so one comparison covers "out of bounds" and "view is stale". (A shared memory is not detached by
 * growing: its old view is only too short, and the slow path finds the new one.)
 *
 * Nothing here throws into the guest: callers ask `holds` first and answer EFAULT.
 */
export class GuestMemory {
  u8 = new Uint8Array(0);
  view = new DataView(new ArrayBuffer(0));
  #memory: WebAssembly.Memory | undefined;

  attach(memory: WebAssembly.Memory | undefined): void {
    this.#memory = memory;
    this.#refresh();
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
    const buffer = this.#memory?.buffer ?? new ArrayBuffer(0);
    if (buffer === this.u8.buffer) return;
    this.u8 = new Uint8Array(buffer);
    this.view = new DataView(buffer);
  }
}
