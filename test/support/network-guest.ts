/** Guests for tests of networks: programs on a thread of their own that speak to a NetworkPort as WASI would. */
import { parentPort, workerData } from 'node:worker_threads';
import { networkPortOf } from '../../src/host/network/guest-port.ts';
import type { HostConnection, HostSocket, NetworkPort, SocketAddress } from '../../src/host/wasi/ports.ts';
import { firstGeneration, secondGeneration, withoutNetwork, wrongCalls } from './network-wasi-guest.ts';

type Program = (network: NetworkPort, args: Record<string, unknown>) => unknown;

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const encode = (line: string) => new TextEncoder().encode(line);

function at(args: Record<string, unknown>): SocketAddress {
  return { address: Uint8Array.from(args.address as number[]), port: args.port as number };
}

function opened(socket: HostSocket | number): HostSocket {
  if (typeof socket === 'number') throw new Error(`socket: ${socket}`);
  return socket;
}

function ok(what: string, result: number): void {
  if (result < 0) throw new Error(`${what}: ${result}`);
}

function listening(network: NetworkPort, args: Record<string, unknown>): HostSocket {
  const socket = opened(network.socket(at(args).address.length === 16 ? 6 : 4, 'stream'));
  ok('bind', socket.bind(at(args)));
  ok('listen', socket.listen(128));
  parentPort?.postMessage({ listening: socket.local() });
  return socket;
}

function readAll(connection: HostConnection): Uint8Array {
  const pieces: Uint8Array[] = [];
  const piece = new Uint8Array(65536);
  for (;;) {
    const got = connection.receive(piece, 0, false);
    if (got < 0) throw new Error(`receive: ${got}`);
    if (got === 0) break;
    pieces.push(piece.slice(0, got));
  }
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const bytes of pieces) {
    all.set(bytes, offset);
    offset += bytes.length;
  }
  return all;
}

function echo(connection: HostConnection): number {
  const piece = new Uint8Array(65536);
  let total = 0;
  for (;;) {
    const got = connection.receive(piece, 0, false);
    if (got <= 0) break;
    total += got;
    if (connection.send(piece.subarray(0, got), false) < 0) break;
  }
  connection.close?.();
  return total;
}

const RESPONSE = encode('HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello\n');

export const programs = {
  /** Serves `connections` one after the other. */
  echoServer(network, args) {
    const listener = listening(network, args);
    let total = 0;
    for (let i = 0; i < (args.connections as number); i++) {
      const connection = listener.accept(false);
      if (typeof connection === 'number') throw new Error(`accept: ${connection}`);
      total += echo(connection);
    }
    return total;
  },
  /** The same on a listening socket found at the start. */
  preopened(network) {
    const connection = network.listeners[0]!.accept(false);
    if (typeof connection === 'number') throw new Error(`accept: ${connection}`);
    return echo(connection);
  },
  /** Connects, sends, ends, and gives what comes back; a failure is its errno. */
  client(network, args) {
    const name = args.name as string | undefined;
    let address = at({ address: [0, 0, 0, 0], ...args });
    if (name !== undefined) {
      const found = network.resolve(name, 0);
      if (typeof found === 'number') return { resolve: found };
      address = { address: found[0]!, port: address.port };
    }
    const socket = opened(network.socket(address.address.length === 16 ? 6 : 4, 'stream'));
    const connected = socket.connect(address, false);
    if (connected < 0) return { connect: connected };
    const bytes = args.bytes === undefined ? encode(args.text as string) : new Uint8Array(args.bytes as number).fill(7);
    // A peer that echoes has to be read from while there is more to send.
    let got = 0;
    let answer: Uint8Array = new Uint8Array(0);
    for (let sent = 0; sent < bytes.length; ) {
      const part = bytes.subarray(sent, sent + 32768);
      const taken = socket.send(part, false);
      if (taken < 0) return { send: taken };
      sent += taken;
      if (args.bytes !== undefined) {
        const piece = new Uint8Array(65536);
        while (got < sent) {
          const more = socket.receive(piece, 0, false);
          if (more <= 0) return { receive: more };
          got += more;
        }
      }
    }
    socket.shutdown(2);
    answer = readAll(socket);
    const { local, peer } = { local: socket.local(), peer: socket.peer() };
    socket.close?.();
    return { text: text(answer), bytes: got + answer.length, local, peer };
  },
  wasiServer: (network) => firstGeneration(network, (port) => parentPort?.postMessage({ listening: { port } })),
  wasiClient: (network, args) => secondGeneration(network, args.name as string),
  wasiWrong: (network) => wrongCalls(network),
  wasiAlone: () => withoutNetwork(),
  resolve(network, args) {
    return network.resolve(args.name as string, (args.family as 0 | 4 | 6 | undefined) ?? 0);
  },
  /** Asks the resolver at 127.0.0.11 as a program with a resolver of its own does. */
  dns(network, args) {
    const socket = opened(network.socket(4, 'datagram'));
    ok('sendTo', socket.sendTo(args.query as Uint8Array, { address: Uint8Array.of(127, 0, 0, 11), port: 53 }, false));
    const piece = new Uint8Array(65536);
    const got = socket.receiveFrom(piece, 0, false);
    if (typeof got === 'number') throw new Error(`receiveFrom: ${got}`);
    return { answer: piece.slice(0, got.length), from: got.from };
  },
  /** Datagrams of a size, sent and counted as they come back. */
  udpMany(network, args) {
    const socket = opened(network.socket((args.family as 4 | 6 | undefined) ?? 4, 'datagram'));
    const to = at(args);
    const piece = new Uint8Array(70000);
    let back = 0;
    for (let i = 0; i < (args.count as number); i++) {
      const bytes = new Uint8Array(args.size as number).fill(i);
      const sent = socket.sendTo(bytes, to, false);
      if (sent < 0) return { sent };
      const got = socket.receiveFrom(piece, 0, false);
      if (typeof got === 'number' || got.length !== bytes.length) continue;
      if (got.length === 0 || piece[0] === (i & 255)) back++;
    }
    return { back };
  },
  udpSilent(network, args) {
    const socket = opened(network.socket(4, 'datagram'));
    ok('bind', socket.bind(at(args)));
    parentPort?.postMessage({ listening: socket.local() });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
  udpFlood(network, args) {
    const socket = opened(network.socket(4, 'datagram'));
    const bytes = new Uint8Array(args.size as number);
    let sent = 0;
    for (let i = 0; i < (args.count as number); i++) if (socket.sendTo(bytes, at(args), false) > 0) sent++;
    return sent;
  },
  udpEcho(network, args) {
    const socket = opened(network.socket((args.family as 4 | 6 | undefined) ?? 4, 'datagram'));
    ok('bind', socket.bind(at(args)));
    parentPort?.postMessage({ listening: socket.local() });
    const piece = new Uint8Array(70000);
    for (;;) {
      const got = socket.receiveFrom(piece, 0, false);
      if (typeof got === 'number') throw new Error(`receiveFrom: ${got}`);
      socket.sendTo(piece.subarray(0, got.length), got.from, false);
    }
  },
  /** Two sockets of one container. */
  loopback(network) {
    const listener = opened(network.socket(4, 'stream'));
    ok('bind', listener.bind({ address: Uint8Array.of(127, 0, 0, 1), port: 0 }));
    ok('listen', listener.listen(4));
    const client = opened(network.socket(4, 'stream'));
    ok('connect', client.connect(listener.local() as SocketAddress, false));
    const server = listener.accept(false) as HostConnection;
    client.send(encode('ping'), false);
    const piece = new Uint8Array(16);
    const first = text(piece.subarray(0, server.receive(piece, 1, false)));
    const again = text(piece.subarray(0, server.receive(piece, 0, false)));
    server.close?.();
    const end = client.receive(piece, 0, false);
    const taken = opened(network.socket(4, 'stream')).bind(listener.local() as SocketAddress);
    return { first, again, end, taken };
  },
  /** Opens and closes more sockets than are kept at a time. */
  many(network, args) {
    const listener = listening(network, { address: [127, 0, 0, 1], port: 0 });
    let done = 0;
    for (let i = 0; i < (args.count as number); i++) {
      const client = opened(network.socket(4, 'stream'));
      ok('connect', client.connect(listener.local() as SocketAddress, false));
      const server = listener.accept(false) as HostConnection;
      client.send(encode(`${i}`), false);
      const piece = new Uint8Array(16);
      if (text(piece.subarray(0, server.receive(piece, 0, false))) === `${i}`) done++;
      server.close?.();
      client.close?.();
    }
    return done;
  },
  udpServer(network, args) {
    const socket = opened(network.socket(4, 'datagram'));
    ok('bind', socket.bind(at(args)));
    parentPort?.postMessage({ listening: socket.local() });
    const piece = new Uint8Array(65536);
    const got = socket.receiveFrom(piece, 0, false);
    if (typeof got === 'number') throw new Error(`receiveFrom: ${got}`);
    ok('sendTo', socket.sendTo(encode(`got ${text(piece.subarray(0, got.length))}`), got.from, false));
    socket.close?.();
    return { from: got.from };
  },
  udpClient(network, args) {
    const socket = opened(network.socket(4, 'datagram'));
    const found = network.resolve(args.name as string, 4);
    if (typeof found === 'number') return { resolve: found };
    ok('sendTo', socket.sendTo(encode(args.text as string), { address: found[0]!, port: args.port as number }, false));
    const piece = new Uint8Array(65536);
    const got = socket.receiveFrom(piece, 0, false);
    if (typeof got === 'number') throw new Error(`receiveFrom: ${got}`);
    return { text: text(piece.subarray(0, got.length)) };
  },
  /** An event loop over polled sockets that answers every request; ends when told to by a connection to `stop`. */
  http(network, args) {
    const listener = listening(network, args);
    const word = new Int32Array(args.events as SharedArrayBuffer);
    const connections = new Set<HostConnection>();
    const piece = new Uint8Array(65536);
    let served = 0;
    for (;;) {
      const seen = Atomics.load(word, 0);
      let idle = true;
      while (((listener.poll?.(1) ?? 0) & 1) !== 0) {
        const accepted = listener.accept(true);
        if (typeof accepted !== 'number') connections.add(accepted);
        idle = false;
      }
      for (const connection of connections) {
        if (((connection.poll?.(1) ?? 0) & 17) === 0) continue;
        idle = false;
        const got = connection.receive(piece, 0, true);
        if (got <= 0) {
          if (got === -11) continue;
          connection.close?.();
          connections.delete(connection);
          continue;
        }
        if (text(piece.subarray(0, 9)) === 'GET /stop') return served;
        connection.send(RESPONSE, false);
        served++;
      }
      if (idle) Atomics.wait(word, 0, seen);
    }
  },
} satisfies Record<string, Program>;

if (parentPort !== null && workerData !== null) {
  const { setup, program, args } = workerData as {
    setup: unknown;
    program: keyof typeof programs;
    args: Record<string, unknown>;
  };
  try {
    const result = (programs[program] as Program)(networkPortOf(setup), args);
    parentPort.postMessage({ result });
  } catch (error) {
    parentPort.postMessage({ error: String(error) });
  }
}
