/**
 * sock_*: on sockets the guest was given. Preview 1 can accept on a listener and use what it accepted; it cannot make
 * sockets.
 */
import {
  EBADF,
  EINVAL,
  ENOTCAPABLE,
  FD_RIGHTS,
  FILE_HANDLE,
  FILE_HOST,
  FILE_KIND,
  FILE_STATUS,
  FILE_TYPE,
  O_NONBLOCK,
  O_RDWR,
  S_IFMT,
  S_IFSOCK,
} from '../../core/abi/kernel.ts';
import * as w from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';
import { toErrno } from './errno.ts';
import type { HostConnection, HostListener, HostStream } from './ports.ts';
import { SOCKET_RIGHTS, statusFromFdflags } from './rights.ts';
import { Buffers } from './transfer.ts';

const ENOTSOCK = 88;
const ENOTCONN = 107;
/** What a scattered receive or send is gathered into at most. */
const GATHER = 65536;

export function sock(context: WasiContext) {
  const { guest } = context;
  const buffers = new Buffers();

  /** The fd's table entry when it is a socket with the right, else a negative errno. */
  function socket(fd: number, needed: number): number {
    const entry = context.entry(fd);
    if (entry < 0) return -EBADF;
    if (context.fileField(entry, FILE_KIND) !== FILE_HOST) return -ENOTSOCK;
    if ((context.fileField(entry, FILE_TYPE) & S_IFMT) !== S_IFSOCK) return -ENOTSOCK;
    return (context.kernel.u32[entry + (FD_RIGHTS >>> 2)]! & needed) === needed ? entry : -ENOTCAPABLE;
  }

  function streamOf(entry: number): HostStream | undefined {
    return context.streams[context.fileField(entry, FILE_HANDLE)];
  }

  function nonBlocking(entry: number): boolean {
    return (context.fileField(entry, FILE_STATUS) & O_NONBLOCK) !== 0;
  }

  return {
    /** WasmEdge's first generation has it without the flags. */
    sock_accept(fd: number, flagsOrResult: number, resultOrNothing?: number): number {
      const flags = resultOrNothing === undefined ? 0 : flagsOrResult;
      const result = resultOrNothing ?? flagsOrResult;
      const entry = socket(fd, w.RIGHT_SOCK_ACCEPT);
      if (entry < 0) return toErrno(entry);
      const listener = streamOf(entry);
      if (!isListener(listener)) return toErrno(-EINVAL);
      if (!guest.holds(result >>> 0, 4)) return w.ERRNO_FAULT;
      if ((flags & 0xffff & ~w.FDFLAGS_ALL) !== 0) return w.ERRNO_INVAL;
      const connection = listener.accept(nonBlocking(entry));
      if (typeof connection === 'number') return toErrno(connection);
      const opened = context.openStream(
        connection,
        S_IFSOCK,
        O_RDWR | statusFromFdflags(flags & 0xffff),
        SOCKET_RIGHTS,
      );
      if (opened < 0) {
        connection.close?.();
        return toErrno(opened);
      }
      guest.view.setUint32(result >>> 0, opened, true);
      return w.ERRNO_SUCCESS;
    },
    sock_recv(fd: number, iovs: number, count: number, flags: number, size: number, roflags: number): number {
      const entry = socket(fd, w.RIGHT_FD_READ);
      if (entry < 0) return toErrno(entry);
      const connection = streamOf(entry);
      if (!isConnection(connection)) return toErrno(-ENOTCONN);
      if ((flags & 0xffff & ~(w.RI_RECV_PEEK | w.RI_RECV_WAITALL)) !== 0) return w.ERRNO_INVAL;
      if (!guest.holds(size >>> 0, 4) || !guest.holds(roflags >>> 0, 2)) return w.ERRNO_FAULT;
      const bad = buffers.load(context, iovs >>> 0, count >>> 0);
      if (bad < 0) return toErrno(bad);
      const piece = new Uint8Array(Math.min(buffers.total, GATHER));
      const got = connection.receive(piece, flags & 0xffff, nonBlocking(entry));
      if (got < 0) return toErrno(got);
      for (let i = 0, at = 0; at < got; i++) {
        const length = Math.min(buffers.lengths[i]!, got - at);
        guest.u8.set(piece.subarray(at, at + length), buffers.pointers[i]!);
        at += length;
      }
      guest.view.setUint32(size >>> 0, got, true);
      guest.view.setUint16(roflags >>> 0, 0, true);
      return w.ERRNO_SUCCESS;
    },
    sock_send(fd: number, iovs: number, count: number, flags: number, size: number): number {
      const entry = socket(fd, w.RIGHT_FD_WRITE);
      if (entry < 0) return toErrno(entry);
      const connection = streamOf(entry);
      if (!isConnection(connection)) return toErrno(-ENOTCONN);
      // No flag is defined for sending.
      if ((flags & 0xffff) !== 0) return w.ERRNO_INVAL;
      if (!guest.holds(size >>> 0, 4)) return w.ERRNO_FAULT;
      const bad = buffers.load(context, iovs >>> 0, count >>> 0);
      if (bad < 0) return toErrno(bad);
      const piece = new Uint8Array(Math.min(buffers.total, GATHER));
      for (let i = 0, at = 0; at < piece.length; i++) {
        const length = Math.min(buffers.lengths[i]!, piece.length - at);
        piece.set(guest.u8.subarray(buffers.pointers[i]!, buffers.pointers[i]! + length), at);
        at += length;
      }
      const sent = connection.send(piece, nonBlocking(entry));
      if (sent < 0) return toErrno(sent);
      guest.view.setUint32(size >>> 0, sent, true);
      return w.ERRNO_SUCCESS;
    },
    sock_shutdown(fd: number, how: number): number {
      const entry = socket(fd, w.RIGHT_SOCK_SHUTDOWN);
      if (entry < 0) return toErrno(entry);
      const connection = streamOf(entry);
      if (!isConnection(connection)) return toErrno(-ENOTCONN);
      const ways = how & 0xff;
      if (ways === 0 || (ways & ~(w.SD_RD | w.SD_WR)) !== 0) return w.ERRNO_INVAL;
      return toErrno(connection.shutdown(ways));
    },
  };
}

function isListener(stream: HostStream | undefined): stream is HostListener {
  return stream !== undefined && 'accept' in stream;
}

function isConnection(stream: HostStream | undefined): stream is HostConnection {
  return stream !== undefined && 'receive' in stream;
}
