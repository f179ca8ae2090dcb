/** A connection as a DuplexChannel, each direction with its own end and its own back-pressure. */
import type { Duplex } from 'node:stream';
import type { DuplexChannel } from '../http.ts';

const QUEUE_BYTES = 64 * 1024;

export function channelOf(socket: Duplex): DuplexChannel {
  let reading = true;
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        socket.on('data', (chunk: Buffer) => {
          if (!reading) return;
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
          if ((controller.desiredSize ?? 0) <= 0) socket.pause();
        });
        socket.once('end', () => {
          if (reading) controller.close();
          reading = false;
        });
        socket.once('close', () => {
          // Without an end before it the other side dropped the connection.
          if (reading) controller.error(new Error('the connection was dropped'));
          reading = false;
        });
      },
      pull() {
        socket.resume();
      },
      cancel() {
        reading = false;
        socket.resume();
      },
    },
    { highWaterMark: QUEUE_BYTES, size: (chunk) => chunk.length },
  );
  const writable = new WritableStream<Uint8Array>({
    start(controller) {
      const drop = () => controller.error(new Error('the connection was dropped'));
      socket.once('error', drop);
      socket.once('close', drop);
    },
    write(chunk) {
      return new Promise((resolve, reject) => {
        socket.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    },
    close() {
      return new Promise((resolve) => {
        socket.end(() => resolve());
        socket.once('close', () => resolve());
      });
    },
    abort() {
      socket.destroy();
    },
  });
  return { readable, writable };
}
