/**
 * Lines from the terminal to the guest's thread, through a ring: each with its length before it, because a read gives one
 * line at most, and an empty one is the end of input, once.
 */
import { EAGAIN, EINTR, POLLHUP, POLLIN } from '../../core/abi/kernel.ts';
import type { HostStream } from '../wasi/ports.ts';
import { alone, type Exclusive } from '../worker/guest.ts';
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

/**
 * The guest's end. What is left of the line that is being read stands in the ring's mark, plus one (0: none is read): the
 * programs of a terminal read on where another stopped. `interrupted`: a wait has to end (EINTR).
 */
export function terminalInput(
  ring: Ring,
  interrupted: () => boolean = () => false,
  exclusive: Exclusive = alone,
): HostStream {
  const isThere = () => ring.mark > 0 || ring.readable > 0;
  const ended = () => (ring.closed & CLOSED_BY_WRITER) !== 0;
  const begin = () => {
    if (ring.mark > 0 || ring.readable < LENGTH_BYTES) return;
    const header = new Uint8Array(LENGTH_BYTES);
    ring.read(header);
    ring.mark = new DataView(header.buffer).getUint16(0, true) + 1;
  };
  /** Bytes of the line; undefined: no line is there. */
  const take = (target: Uint8Array) => {
    begin();
    const left = ring.mark - 1;
    if (left < 0) return undefined;
    const length = ring.read(target.subarray(0, left));
    ring.mark = left === length ? 0 : left - length + 1;
    return length;
  };
  return {
    wakes: true,
    read(target, nonBlocking) {
      for (;;) {
        if (nonBlocking && !isThere() && !ended()) return -EAGAIN;
        ring.waitUntil(() => isThere() || ended() || interrupted());
        const isEnd = ended();
        if (!isThere() && !isEnd && interrupted()) return -EINTR;
        const length = exclusive(() => take(target));
        if (length !== undefined) return length;
        // Another one may have taken the line.
        if (isEnd) return 0;
      }
    },
    poll(events) {
      if ((events & POLLIN) === 0) return 0;
      if (isThere()) return POLLIN;
      return ended() ? POLLIN | POLLHUP : 0;
    },
    available() {
      exclusive(begin);
      return Math.max(0, ring.mark - 1);
    },
  };
}
