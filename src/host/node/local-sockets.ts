/** LocalSockets over node:net: Unix sockets in a directory of the user's own; on Windows, named pipes. */
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { WctrError } from '../../errors.ts';
import type { ByteChannel, LocalSockets } from '../ports.ts';
import { nodeFs as fs } from './builtin.ts';
import { ownDirectory } from './own-directory.ts';

export const nodeLocalSockets: LocalSockets = { connect: connectTo, listen };

function connectTo(path: string): Promise<ByteChannel> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(channelOf(socket));
    });
    socket.once('error', (cause) => {
      reject(new WctrError('conflict', "nobody answers at the container's control socket", { cause, data: { path } }));
    });
  });
}

async function listen(path: string, onChannel: (channel: ByteChannel) => void) {
  const isFile = process.platform !== 'win32';
  if (isFile) {
    ownDirectory(dirname(path));
    await removeForsaken(path);
  }
  const server = createServer((socket) => onChannel(channelOf(socket)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new WctrError('internal', `cannot listen on ${path}: ${cause.message}`, { cause })),
    );
    server.listen({ path }, resolve);
  });
  if (isFile) fs.chmodSync(path, 0o600);
  server.on('error', () => {});
  return {
    close: () =>
      new Promise<void>((resolve) => {
        // Node removes the file.
        server.close(() => resolve());
        resolve();
      }),
  };
}

/** What a process that was killed left; one that answers is in use. */
async function removeForsaken(path: string): Promise<void> {
  if (fs.lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const other = await connectTo(path).catch(() => undefined);
  if (other !== undefined) {
    other.destroy();
    throw new WctrError('conflict', `another process listens on ${path}`);
  }
  fs.rmSync(path, { force: true });
}

function channelOf(socket: Socket): ByteChannel {
  const chunks: Uint8Array[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const changed = () => {
    wake?.();
    wake = undefined;
  };
  const finish = () => {
    ended = true;
    changed();
  };
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      finish();
      resolve();
    });
  });
  socket.on('error', () => {});
  let closing = false;
  socket.on('data', (chunk: Uint8Array) => {
    if (closing) return;
    chunks.push(chunk);
    socket.pause();
    changed();
  });
  socket.once('end', finish);
  return {
    closed,
    async read() {
      for (;;) {
        const chunk = chunks.shift();
        if (chunk !== undefined) return chunk;
        if (ended) return undefined;
        socket.resume();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    write(bytes) {
      if (socket.destroyed || !socket.writable) return Promise.resolve(false);
      if (socket.write(bytes)) return Promise.resolve(true);
      return new Promise((resolve) => {
        const done = () => {
          socket.off('drain', done);
          socket.off('close', done);
          resolve(!socket.destroyed);
        };
        socket.once('drain', done);
        socket.once('close', done);
      });
    },
    close() {
      closing = true;
      socket.end();
      // What the other side still sends is dropped, so that its end is seen.
      socket.resume();
    },
    destroy() {
      socket.destroy();
    },
  };
}
