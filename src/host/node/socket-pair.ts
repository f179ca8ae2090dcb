/**
 * A connection of this process to itself, for what wants a socket where there is only a channel: node:http2 over any other
 * stream ends the process by an assertion of its own when it is destroyed while it writes (Node 20 to 24).
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Duplex, pipeline } from 'node:stream';
import type { DuplexChannel } from '../http.ts';

/** What is written to the socket comes out of the channel, and the other way round. */
export async function connectionOf(channel: DuplexChannel): Promise<Socket> {
  const [near, far] = await socketPair();
  const ends = Duplex.fromWeb(channel as Parameters<typeof Duplex.fromWeb>[0]);
  const drop = () => {
    near.destroy();
    far.destroy();
    ends.destroy();
  };
  pipeline(ends, far, drop);
  pipeline(far, ends, drop);
  near.once('close', drop);
  return near;
}

/** Over loopback; whoever else connects in between is not let in. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer();
  const accepted = new Map<number, Socket>();
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    near.on('error', () => {});
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      accepted.set(socket.remotePort ?? 0, socket);
      server.emit('paired');
    });
    await once(near, 'connect');
    const own = () => accepted.get(near.localPort ?? 0);
    while (own() === undefined) await once(server, 'paired');
    const far = own()!;
    accepted.delete(near.localPort ?? 0);
    return [near, far];
  } finally {
    server.close();
    for (const socket of accepted.values()) socket.destroy();
  }
}
