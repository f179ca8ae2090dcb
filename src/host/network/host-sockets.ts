/** What the networks of containers need of a host: byte streams, datagrams, a few private files. Event driven. */
import type { SocketAddress } from '../wasi/ports.ts';

/** One end of a connection. Handlers are set once, by its owner, before anything else happens on the event loop. */
export interface ByteSocket {
  readonly local: SocketAddress;
  readonly peer: SocketAddress;
  /** False: wait for `drained` before the next. The bytes belong to the socket from then on. */
  write(bytes: Uint8Array): boolean;
  /** No more from this side. */
  end(): void;
  destroy(): void;
  pause(): void;
  resume(): void;
  listen(handlers: ByteHandlers): void;
}

export interface ByteHandlers {
  /** The bytes are good during the call only. */
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  end(): void;
  drained(): void;
  /** Gone, once. `errno` 0: in good order. */
  closed(errno: number): void;
}

export interface ByteServer {
  readonly address: SocketAddress;
  close(): void;
}

export interface DatagramSocket {
  readonly address: SocketAddress;
  send(bytes: Uint8Array, to: SocketAddress): void;
  close(): void;
}

export interface HostSockets {
  /** True: a TCP server on `::` takes the connections of IPv4 as well, and nobody else can. */
  readonly isDualStack: boolean;
  /** Rejects with an error whose `code` is the system's (`EADDRINUSE`). */
  listenTcp(at: SocketAddress, backlog: number, accept: (socket: ByteSocket) => void): Promise<ByteServer>;
  connectTcp(to: SocketAddress): Promise<ByteSocket>;
  /** A stream socket by path, for this user only. */
  listenPath(path: string, accept: (socket: ByteSocket) => void): Promise<ByteServer>;
  connectPath(path: string): Promise<ByteSocket>;
  bindUdp(at: SocketAddress, receive: (bytes: Uint8Array, from: SocketAddress) => void): Promise<DatagramSocket>;
  /** The host's own resolver, or the name servers given. Rejects when it knows nothing. */
  lookup(name: string, family: 0 | 4 | 6, servers?: readonly string[]): Promise<readonly Uint8Array[]>;
  /** A private directory, parents included. */
  makeDirectory(path: string): Promise<void>;
  writeFile(path: string, text: string): Promise<void>;
  /** Files of a directory that begin so, with what is in them. A directory that is not there is empty. */
  readFiles(directory: string, prefix: string): Promise<readonly string[]>;
  /** A file, or an empty directory. Nothing there is fine. */
  remove(path: string): Promise<void>;
  /** This process, as others can ask for it. */
  readonly pid: number;
  isAlive(pid: number): boolean;
}
