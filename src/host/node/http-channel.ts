/** A connection as a DuplexChannel, each direction with its own end and its own back-pressure. */
import type { Duplex } from 'node:stream';
import type { DuplexChannel } from '../http.ts';

const QUEUE_BYTES = 64 * 1024;

/** Connections nothing was read from yet, and how to stop reading them. */
const untouched = new WeakMap<DuplexChannel, () => Duplex>();

/** The connection itself, for what speaks a protocol of Node's on it. Only before anything else is done with the channel. */
export function socketOf(channel: DuplexChannel): Duplex | undefined {
  const take = untouched.get(channel);
  untouched.delete(channel);
  return take?.();
}

export function channelOf(socket: Duplex): DuplexChannel {
  let reading = true;
  let taken = false;
  const onData = (controller: ReadableStreamDefaultController<Uint8Array>) => (chunk: Buffer) => {
    if (!reading) return;
    controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    if ((controller.desiredSize ?? 0) <= 0) socket.pause();
  };
  let listener: ReturnType<typeof onData> | undefined;
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        listener = onData(controller);
        socket.on('data', listener);
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
        if (!taken) socket.resume();
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
  const channel = { readable, writable };
  untouched.set(channel, () => {
    taken = true;
    if (listener !== undefined) socket.off('data', listener);
    socket.pause();
    return socket;
  });
  return channel;
}
