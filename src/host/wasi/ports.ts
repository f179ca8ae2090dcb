/**
 * What a WASI process needs of its host besides the kernel: byte streams, sockets, clocks, random bytes and a way to
 * wait. Everything is synchronous, because a guest's call is.
 */

/**
 * A stream the kernel knows by a handle only: standard input and output, terminals, sockets. Results below zero are
 * negative Linux errno values (`-11` EAGAIN: nothing now, and the caller asked not to wait, or the host cannot).
 * The views handed in lie over the guest's memory and are good during the call only: copy what must stay.
 */
export interface HostStream {
  /** Waits for at least one byte; 0 is the end. */
  read?(target: Uint8Array, nonBlocking: boolean): number;
  /** Takes at least one byte. */
  write?(source: Uint8Array, nonBlocking: boolean): number;
  /**
   * Ready now? `events` and the result are POLLIN (1), POLLOUT (4), POLLHUP (16) bits. Without it a stream counts as
   * always ready for what it can do.
   */
  poll?(events: number): number;
  /** Whenever its readiness changes, the kernel's event word does, too: nobody has to ask again and again. */
  readonly wakes?: boolean;
  /** Bytes that a read would give at once, when known. */
  available?(): number;
  /** fsync, where it means something. */
  sync?(): void;
  /** The guest closed its last descriptor. */
  close?(): void;
}

/** A connected stream socket. `flags` are the RI_* bits of sock_recv. */
export interface HostConnection extends HostStream {
  receive(target: Uint8Array, flags: number, nonBlocking: boolean): number;
  send(source: Uint8Array, nonBlocking: boolean): number;
  /** SD_RD, SD_WR bits. Returns 0 or a negative errno. */
  shutdown(how: number): number;
}

/** A listening socket given to the guest at its start. */
export interface HostListener extends HostStream {
  /** The next connection; waits unless told not to. A number is a negative errno. */
  accept(nonBlocking: boolean): HostConnection | number;
}

export interface ClockPort {
  /** Milliseconds since the epoch, fractions welcome. */
  realtimeMs(): number;
  /** Milliseconds from an arbitrary start, never backwards. */
  monotonicMs(): number;
  /** CPU time of this process in milliseconds; absent: time since the start of the process stands in. */
  cpuMs?(): number;
}

export interface RandomPort {
  /** Fills any plain (unshared) array. */
  fill(target: Uint8Array): void;
}

/** Sleeps up to `ms`; may return early, the caller looks at its clock again. */
export type Sleep = (ms: number) => void;

/** NUL-terminated strings, one after the other, and the offset of each. */
export interface StringBlock {
  readonly bytes: Uint8Array;
  readonly offsets: readonly number[];
}

/** Another program for a program to start. */
export interface SpawnRequest {
  /** Absolute: a regular file that is there. */
  readonly path: string;
  /** Tells the file and what it holds now from any other; absent: that cannot be told. */
  readonly identity?: string;
  readonly args: StringBlock;
  readonly env: StringBlock;
  /** Absolute: a directory that is there. */
  readonly cwd: string;
  /** The child's descriptors, by number: open ones of the caller's, or SPAWN_CLOSED. */
  readonly fds: Int32Array;
}

/** Other programs of the container. Results below zero are negative Linux errno values. */
export interface ProcessPort {
  /** Gives the pid once it runs. */
  spawn(request: SpawnRequest): number;
  /** 0. Does not return when it ends the caller. */
  kill(pid: number, signal: number): number;
  /** The caller wrote to a pipe that nobody reads; may not return. */
  brokenPipe(): void;
}

/** An IPv4 or IPv6 address: 4 or 16 bytes, network order. */
export interface SocketAddress {
  readonly address: Uint8Array;
  readonly port: number;
}

/** A socket the guest made itself. Results below zero are negative Linux errno values. */
export interface HostSocket extends HostConnection, HostListener {
  bind(address: SocketAddress): number;
  listen(backlog: number): number;
  /** Waits for the connection unless told not to (-EINPROGRESS 115). */
  connect(address: SocketAddress, nonBlocking: boolean): number;
  local(): SocketAddress | number;
  peer(): SocketAddress | number;
  /** Datagrams. */
  receiveFrom(
    target: Uint8Array,
    flags: number,
    nonBlocking: boolean,
  ): { length: number; from: SocketAddress } | number;
  sendTo(source: Uint8Array, to: SocketAddress, nonBlocking: boolean): number;
  /** The error of a connection that failed, and no error from then on (SO_ERROR). */
  takeError(): number;
}

/** A container's network as one guest thread sees it. */
export interface NetworkPort {
  socket(family: 4 | 6, type: 'stream' | 'datagram'): HostSocket | number;
  /** Addresses of a name, as the container's networks and then the host's resolver know it. A number is a negative errno. */
  resolve(name: string, family: 0 | 4 | 6): readonly Uint8Array[] | number;
  /** Listening sockets the guest finds at its start, in order of port. */
  readonly listeners: readonly HostListener[];
}
