/** Datagrams between containers: frames over a connection for each way, made when it is first used. */
import type { SocketAddress } from '../wasi/ports.ts';
import { callerBytes, callerFrom } from './endpoints.ts';
import type { ByteSocket } from './host-sockets.ts';

const LENGTH_BYTES = 2;
/** How long a way to another container's UDP port is kept open. */
const UDP_IDLE_MS = 30_000;

/** Calls back for every datagram that comes. `callerLength`: bytes of the caller's address and port. */
export function receiveDatagrams(
  socket: ByteSocket,
  callerLength: number,
  receive: (bytes: Uint8Array, from: SocketAddress) => void,
  closed: () => void,
): void {
  const header = LENGTH_BYTES + callerLength;
  let left: Uint8Array = new Uint8Array(0);
  const data = (bytes: Uint8Array) => {
    const all = new Uint8Array(left.length + bytes.length);
    all.set(left);
    all.set(bytes, left.length);
    let at = 0;
    while (all.length - at >= header) {
      const length = (all[at]! << 8) | all[at + 1]!;
      if (all.length - at < header + length) break;
      receive(
        all.slice(at + header, at + header + length),
        callerFrom(all.subarray(at + LENGTH_BYTES, at + header), callerLength),
      );
      at += header + length;
    }
    left = all.slice(at);
  };
  socket.listen({ data, end: () => socket.end(), drained: () => {}, closed });
}

export class DatagramSender {
  readonly #connect: (path: string) => Promise<ByteSocket>;
  readonly #ways = new Map<string, Promise<Way>>();

  constructor(connect: (path: string) => Promise<ByteSocket>) {
    this.#connect = connect;
  }

  /** Nobody there, or somebody who does not read: datagrams go nowhere, as they do on a wire. */
  send(path: string, bytes: Uint8Array, from: SocketAddress): void {
    const caller = callerBytes(from);
    const frame = new Uint8Array(LENGTH_BYTES + caller.length + bytes.length);
    frame.set([bytes.length >> 8, bytes.length & 255]);
    frame.set(caller, LENGTH_BYTES);
    frame.set(bytes, LENGTH_BYTES + caller.length);
    (this.#ways.get(path) ?? this.#open(path)).then((way) => way.send(frame)).catch(() => {});
  }

  close(): void {
    for (const way of this.#ways.values()) way.then(({ socket }) => socket.end()).catch(() => {});
    this.#ways.clear();
  }

  #open(path: string): Promise<Way> {
    const way: Promise<Way> = this.#connect(path).then((socket) => {
      return new Way(socket, () => {
        if (this.#ways.get(path) === way) this.#ways.delete(path);
      });
    });
    this.#ways.set(path, way);
    way.catch(() => this.#ways.delete(path));
    return way;
  }
}

class Way {
  readonly socket: ByteSocket;
  #full = false;

  constructor(socket: ByteSocket, gone: () => void) {
    this.socket = socket;
    const timer = setTimeout(() => {
      gone();
      socket.end();
    }, UDP_IDLE_MS);
    (timer as { unref?(): void }).unref?.();
    socket.listen({
      data: () => {},
      end: () => socket.end(),
      drained: () => {
        this.#full = false;
      },
      closed: () => {
        clearTimeout(timer);
        gone();
      },
    });
  }

  send(frame: Uint8Array): void {
    if (!this.#full) this.#full = !this.socket.write(frame);
  }
}
