/**
 * Lines from the terminal to the guest's thread, through a ring: each with its length before it, because a read gives one
 * line at most, and an empty one is the end of input, once.
 */
import { EAGAIN, EINTR, POLLHUP, POLLIN } from '../../core/abi/kernel.ts';
import type { HostStream } from '../wasi/ports.ts';
import { CLOSED_BY_WRITER, type Ring } from '../worker/ring.ts';

const LENGTH_BYTES = 2;

/** The main thread's end. Lines that nobody reads are kept as far as the ring goes; the rest is lost, as in a kernel. */
export class TerminalLines {
  readonly #ring: Ring;

  constructor(ring: Ring) {
    this.#ring = ring;
  }

  /** False: there was no room. */
  give(line: Uint8Array): boolean {
    if (this.#ring.writable < LENGTH_BYTES + line.length) return false;
    const record = new Uint8Array(LENGTH_BYTES + line.length);
    new DataView(record.buffer).setUint16(0, line.length, true);
    record.set(line, LENGTH_BYTES);
    this.#ring.write(record);
    return true;
  }

  /** The terminal is gone: the end of input for good. */
  close(): void {
    this.#ring.close(CLOSED_BY_WRITER);
  }
}

/** The guest's end. `interrupted`: a wait has to end (EINTR). */
export function terminalInput(ring: Ring, interrupted: () => boolean = () => false): HostStream {
  /** Of the line that is being read; undefined: none is. */
  let left: number | undefined;
  const ended = () => (ring.closed & CLOSED_BY_WRITER) !== 0;
  const begin = () => {
    if (left !== undefined || ring.readable < LENGTH_BYTES) return;
    const header = new Uint8Array(LENGTH_BYTES);
    ring.read(header);
    left = new DataView(header.buffer).getUint16(0, true);
  };
  return {
    wakes: true,
    read(target, nonBlocking) {
      if (nonBlocking && left === undefined && ring.readable === 0 && !ended()) return -EAGAIN;
      if (left === undefined) {
        ring.waitUntil(() => ring.readable > 0 || ended() || interrupted());
        if (ring.readable === 0 && !ended()) return -EINTR;
      }
      begin();
      const length = ring.read(target.subarray(0, left ?? 0));
      left = left === undefined || left === length ? undefined : left - length;
      return length;
    },
    poll(events) {
      if ((events & POLLIN) === 0) return 0;
      if (left !== undefined || ring.readable > 0) return POLLIN;
      return ended() ? POLLIN | POLLHUP : 0;
    },
    available() {
      begin();
      return left ?? 0;
    },
  };
}
