/** A TCP proxy on loopback that cuts connections after as many bytes as it is told. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface CuttingProxy {
  readonly host: string;
  /** Connections that were cut. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

/** `next` gives, for each connection, the bytes of requests that pass before it is cut; undefined: it is left alone. */
export async function startCuttingProxy(target: string, next: () => number | undefined): Promise<CuttingProxy> {
  const [host, port] = target.split(':') as [string, string];
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), host);
    let left = next();
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (chunk) => {
      if (left !== undefined && chunk.length >= left) {
        cuts++;
        upstream.write(chunk.subarray(0, left), () => setTimeout(end, 10));
        left = undefined;
        client.pause();
        return;
      }
      if (left !== undefined) left -= chunk.length;
      if (!upstream.write(chunk)) {
        client.pause();
        upstream.once('drain', () => client.resume());
      }
    });
    upstream.on('data', (chunk) => client.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
