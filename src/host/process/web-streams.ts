/** Node's streams of a child as web streams, with the back-pressure of the pipe behind them. */
import type { Readable, Writable } from 'node:stream';

export function readableOf(source: Readable): ReadableStream<Uint8Array> {
  let open = true;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        source.pause();
        source.on('data', (chunk: Uint8Array) => {
          if (!open) return;
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
          if ((controller.desiredSize ?? 0) <= 0) source.pause();
        });
        const finish = () => {
          if (open) controller.close();
          open = false;
        };
        source.once('end', finish);
        source.once('close', finish);
        // The reader's end of a dead process is an end, not a failure.
        source.once('error', finish);
      },
      pull() {
        source.resume();
      },
      cancel() {
        open = false;
        source.destroy();
      },
    },
    { highWaterMark: 1 },
  );
}

/** Writes to a guest that closed its input are dropped, as a shell's would end quietly. */
export function writableOf(target: Writable): WritableStream<Uint8Array> {
  target.on('error', () => {});
  return new WritableStream<Uint8Array>({
    write(chunk) {
      return new Promise((resolve) => {
        target.write(chunk, () => resolve());
      });
    },
    close() {
      return new Promise((resolve) => {
        target.end(() => resolve());
        target.once('close', resolve);
      });
    },
    abort() {
      target.destroy();
    },
  });
}
