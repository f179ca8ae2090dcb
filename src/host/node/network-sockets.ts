/** Sockets of the host, by node:net, and node:dgram and node:dns where they are asked for. */
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { formatAddress, parseAddress, socketAddress } from '../network/address.ts';
import { errnoOf } from '../network/errno.ts';
import type { ByteHandlers, ByteServer, ByteSocket, HostSockets } from '../network/host-sockets.ts';
import type { SocketAddress } from '../wasi/ports.ts';
import { builtin, nodeFs as fs } from './builtin.ts';

const CONNECT_TIMEOUT_MS = 120_000;

export function nodeSockets(): HostSockets {
  return {
    // Deno knows no `ipv6Only`.
    isDualStack: 'Deno' in globalThis,
    pid: process.pid,
    isAlive,
    listenTcp: (at, backlog, accept) =>
      listen({ host: formatAddress(at.address), port: at.port, backlog, ipv6Only: true }, accept),
    connectTcp: (to) =>
      opened(connect({ host: formatAddress(to.address), port: to.port, allowHalfOpen: true, noDelay: true })),
    async listenPath(path, accept) {
      const server = await listen({ path }, accept);
      fs.chmodSync(path, 0o600);
      return server;
    },
    connectPath: (path) => opened(connect({ path, allowHalfOpen: true })),
    bindUdp,
    async lookup(name, family, servers) {
      if (servers !== undefined && servers.length > 0) return ask(name, family, servers);
      const found = await builtin.dns.lookup(name, { all: true, family });
      return found.flatMap(({ address }) => parseAddress(address) ?? []);
    },
    async makeDirectory(path) {
      fs.mkdirSync(path, { recursive: true, mode: 0o700 });
    },
    async writeFile(path, text) {
      const temp = `${path}.${process.pid}`;
      fs.writeFileSync(temp, text, { mode: 0o600 });
      fs.renameSync(temp, path);
    },
    async readFiles(directory, prefix) {
      const names = orWithout([], () => fs.readdirSync(directory));
      const wanted = names.filter((name) => name.startsWith(prefix) && !name.includes('.'));
      return wanted.map((name) => orWithout('', () => fs.readFileSync(`${directory}/${name}`, 'utf8')));
    },
    async remove(path) {
      if (fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
        orWithout(undefined, () => fs.rmdirSync(path));
      } else fs.rmSync(path, { force: true });
    },
  };
}

/** These files come and go with other containers. */
function orWithout<T>(none: T, act: () => T): T {
  try {
    return act();
  } catch {
    return none;
  }
}

const DNS_TIMEOUT_MS = 5_000;

async function ask(name: string, family: 0 | 4 | 6, servers: readonly string[]): Promise<readonly Uint8Array[]> {
  const resolver = new builtin.dns.Resolver({ timeout: DNS_TIMEOUT_MS, tries: 2 });
  resolver.setServers(servers);
  const answers = await Promise.allSettled([
    family === 6 ? [] : resolver.resolve4(name),
    family === 4 ? [] : resolver.resolve6(name),
  ]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (found.length === 0 && failed !== undefined) throw failed.reason;
  return found.flatMap((text) => parseAddress(text) ?? []);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function listen(options: ListenOptions, accept: (socket: ByteSocket) => void): Promise<ByteServer> {
  return new Promise((resolve, reject) => {
    const server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
      accept(new NodeSocket(socket)),
    );
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      // Running out of descriptors ends one connection, not the container.
      server.on('error', () => {});
      const bound = server.address();
      const address = typeof bound === 'object' && bound !== null ? socketAddress(bound.address, bound.port) : NOWHERE;
      resolve({ address, close: () => void server.close() });
    });
  });
}

const NOWHERE = socketAddress(undefined, undefined);

function opened(socket: Socket): Promise<ByteSocket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(timedOut()), CONNECT_TIMEOUT_MS);
    const failed = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      socket.pause();
      resolve(new NodeSocket(socket));
    });
  });
}

function timedOut(): Error {
  return Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
}

class NodeSocket implements ByteSocket {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  readonly #socket: Socket;
  #handlers: ByteHandlers | undefined;
  #errno = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = socketAddress(socket.localAddress, socket.localPort);
    this.peer = socketAddress(socket.remoteAddress, socket.remotePort);
    socket.on('data', (bytes: Uint8Array) => this.#handlers?.data(bytes));
    socket.on('end', () => this.#handlers?.end());
    socket.on('drain', () => this.#handlers?.drained());
    socket.on('error', (error) => {
      this.#errno = errnoOf(error);
    });
    socket.on('close', () => this.#handlers?.closed(this.#errno));
    // A handler for data makes it flow, and nobody is there to take it yet.
    socket.pause();
  }

  listen(handlers: ByteHandlers): void {
    const first = this.#handlers === undefined;
    this.#handlers = handlers;
    if (first || this.#socket.isPaused()) this.#socket.resume();
    if (this.#socket.destroyed) queueMicrotask(() => handlers.closed(this.#errno));
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

function bindUdp(at: SocketAddress, receive: (bytes: Uint8Array, from: SocketAddress) => void) {
  return new Promise<Awaited<ReturnType<HostSockets['bindUdp']>>>((resolve, reject) => {
    const v6 = at.address.length === 16;
    const socket = builtin.dgram.createSocket({ type: v6 ? 'udp6' : 'udp4', ipv6Only: v6 });
    socket.once('error', reject);
    socket.on('message', (bytes, { address, port }) => receive(bytes, socketAddress(address, port)));
    socket.bind({ address: formatAddress(at.address), port: at.port, exclusive: true }, () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      const { port } = socket.address();
      resolve({
        address: { address: at.address, port },
        send: (bytes, to) => socket.send(bytes, to.port, formatAddress(to.address), () => {}),
        close: () => socket.close(),
      });
    });
  });
}
