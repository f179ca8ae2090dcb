/** A hijacked connection as the streams of a container or exec. */
import type { DuplexChannel } from '../../host/http.ts';
import type { AttachedStreams } from '../engine.ts';
import { FrameDecoder, MULTIPLEXED, STDERR } from './frames.ts';

/** Bytes kept per output until somebody reads. */
const QUEUE_BYTES = 256 * 1024;

export function attachedStreams(channel: DuplexChannel & { headers: Headers }, wantsInput: boolean): AttachedStreams {
  const tty = channel.headers.get('content-type') !== MULTIPLEXED;
  const reader = channel.readable.getReader();
  const stdout = new Output();
  const stderr = tty ? undefined : new Output();
  const decoder = tty ? undefined : new FrameDecoder();
  void (async () => {
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const parts = decoder?.push(next.value) ?? [{ stream: 1, bytes: next.value }];
        for (const part of parts) await (part.stream === STDERR ? stderr : stdout)?.push(part.bytes);
      }
    } catch {
      // A dropped connection is the end of the output; how the container ended is asked for by itself.
    }
    stdout.end();
    stderr?.end();
  })();
  const input = channel.writable.getWriter();
  input.closed.catch(() => {});
  // Nobody will type: say so, as the CLI does.
  if (!wantsInput) void input.close().catch(() => {});
  return {
    tty,
    stdout: stdout.readable,
    stderr: stderr?.readable,
    stdin: wantsInput
      ? new WritableStream<Uint8Array>({
          write: (chunk) => input.write(chunk),
          close: () => input.close(),
          abort: (reason) => input.abort(reason),
        })
      : undefined,
    detach: async () => {
      await input.abort().catch(() => {});
      await reader.cancel().catch(() => {});
    },
  };
}

/** One of two outputs that come on one connection: holds it up when nobody reads, drops what nobody wants. */
class Output {
  readonly readable: ReadableStream<Uint8Array>;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #wake: () => void = () => {};

  constructor() {
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#wake(),
        cancel: () => {
          this.#controller = undefined;
          this.#wake();
        },
      },
      { highWaterMark: QUEUE_BYTES, size: (chunk) => chunk.length },
    );
  }

  async push(bytes: Uint8Array): Promise<void> {
    this.#controller?.enqueue(bytes);
    while (this.#controller !== undefined && (this.#controller.desiredSize ?? 1) <= 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  end(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }
}
