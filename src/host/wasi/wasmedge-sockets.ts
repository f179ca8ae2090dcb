/**
 * The socket functions WasmEdge adds to preview 1, as programs built with the crate wasmedge_wasi_socket and its kin import
 * them. Two generations share the names and differ by their number of arguments, which is how they are told apart here;
 * the second is also known by names that end in `_v2`. Without a network everything answers "not supported", which lets
 * programs run that import these functions and do not use them.
 *
 * ```
 * address   u32 pointer | u32 byte length: 4 (IPv4), 16 (IPv6), or 128: u16 family (1 IPv4, 2 IPv6) | the address
 * addrinfo  u16 flags | u8 family | u8 type | u32 protocol | u32 address length | u32 sockaddr* | u32 name* | u32 name length
 *           | u32 next*
 * sockaddr  u8 family | 3 unused | u32 length | u32 data*: u16 port, big endian | IPv4, or 4 unused and IPv6
 * ```
 */
import {
  EBADF,
  EFAULT,
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
import type { HostSocket, SocketAddress } from './ports.ts';
import { SOCKET_RIGHTS } from './rights.ts';
import { Buffers } from './transfer.ts';
import { guestAddresses } from './wasmedge-addresses.ts';
import { addressInfo } from './wasmedge-names.ts';
import { socketOptions, type TunableSocket } from './wasmedge-options.ts';
import { FAMILY_V6, TYPE_DATAGRAM, TYPE_STREAM } from './wasmedge-types.ts';

const ENOTSOCK = 88;
const EAFNOSUPPORT = 97;
const GATHER = 65536;

type Call = (...args: number[]) => number;
type OptionCall = [level: number, name: number, value: number, size: number];

export function wasmedgeSockets(context: WasiContext): Record<string, Call> {
  const { guest } = context;
  const buffers = new Buffers();
  const addresses = guestAddresses(guest);
  const { readAddress, writeAddress, holds } = addresses;
  const options = socketOptions(guest);
  const calls: Record<string, Call> = {
    sock_open,
    sock_bind,
    sock_listen,
    sock_connect,
    sock_getsockopt: (fd, ...rest) => onSocket(fd!, (socket) => options.get(socket, ...(rest as OptionCall))),
    sock_setsockopt: (fd, ...rest) => onSocket(fd!, (socket) => options.set(socket, ...(rest as OptionCall))),
    sock_getlocaladdr: (...args) => tell(args, (socket) => socket.local()),
    sock_getpeeraddr: (...args) => tell(args, (socket) => socket.peer()),
    sock_getaddrinfo: addressInfo(context, addresses),
    sock_recv_from,
    sock_send_to,
  };
  const answered = Object.entries(calls).map(([name, call]) => [name, supported(call)] as const);
  return Object.fromEntries(
    answered.flatMap(([name, call]) => [
      [name, call],
      [`${name}_v2`, call],
    ]),
  );

  /** Results of calls are negative Linux errnos, or 0. */
  function supported(call: Call): Call {
    return (...args) => {
      if (context.network === undefined) return w.ERRNO_NOTSUP;
      const result = call(...args);
      return result < 0 ? toErrno(result) : w.ERRNO_SUCCESS;
    };
  }

  function sock_open(family: number, type: number, result: number): number {
    if (!guest.holds(result >>> 0, 4)) return -EFAULT;
    if ((family & 0xff) > FAMILY_V6) return -EAFNOSUPPORT;
    if ((type & 0xff) > TYPE_STREAM) return -EINVAL;
    const opened = context.network!.socket(
      (family & 0xff) === FAMILY_V6 ? 6 : 4,
      (type & 0xff) === TYPE_DATAGRAM ? 'datagram' : 'stream',
    );
    if (typeof opened === 'number') return opened;
    const fd = context.openStream(opened, S_IFSOCK, O_RDWR, SOCKET_RIGHTS);
    if (fd < 0) {
      opened.close?.();
      return fd;
    }
    guest.view.setUint32(result >>> 0, fd, true);
    return 0;
  }

  function sock_bind(fd: number, address: number, port: number): number {
    const found = socketOf(fd, 0);
    const at = readAddress(address, port);
    if (typeof found === 'number') return found;
    return typeof at === 'number' ? at : found.socket.bind(at);
  }

  function sock_listen(fd: number, backlog: number): number {
    const found = socketOf(fd, w.RIGHT_SOCK_ACCEPT);
    return typeof found === 'number' ? found : found.socket.listen(backlog);
  }

  function sock_connect(fd: number, address: number, port: number): number {
    const found = socketOf(fd, 0);
    const to = readAddress(address, port);
    if (typeof found === 'number') return found;
    return typeof to === 'number' ? to : found.socket.connect(to, found.nonBlocking);
  }

  function sock_recv_from(...args: number[]): number {
    const [fd, vector, count, address, flags] = args as [number, number, number, number, number];
    const [port, size, roflags] = args.length > 7 ? args.slice(5) : [undefined, ...args.slice(5)];
    const found = socketOf(fd, w.RIGHT_FD_READ);
    if (typeof found === 'number') return found;
    if ((flags & 0xffff & ~(w.RI_RECV_PEEK | w.RI_RECV_WAITALL)) !== 0) return -EINVAL;
    if (!holds(size!, 4) || !holds(roflags!, 4) || (port !== undefined && !holds(port, 4))) return -EFAULT;
    const bad = buffers.load(context, vector >>> 0, count >>> 0);
    if (bad < 0) return bad;
    const piece = new Uint8Array(Math.min(buffers.total, GATHER));
    const got = found.socket.receiveFrom(piece, flags & 0xffff, found.nonBlocking);
    if (typeof got === 'number') return got;
    const told = writeAddress(address, got.from);
    if (told < 0) return told;
    for (let i = 0, at = 0; at < got.length; i++) {
      const length = Math.min(buffers.lengths[i]!, got.length - at);
      guest.u8.set(piece.subarray(at, at + length), buffers.pointers[i]!);
      at += length;
    }
    if (port !== undefined) guest.view.setUint32(port >>> 0, got.from.port, true);
    guest.view.setUint32(size! >>> 0, got.length, true);
    guest.view.setUint32(roflags! >>> 0, 0, true);
    return 0;
  }

  function sock_send_to(
    fd: number,
    vector: number,
    count: number,
    address: number,
    port: number,
    flags: number,
    size: number,
  ): number {
    const found = socketOf(fd, w.RIGHT_FD_WRITE);
    const to = readAddress(address, port);
    if (typeof found === 'number') return found;
    if (typeof to === 'number') return to;
    if ((flags & 0xffff) !== 0) return -EINVAL;
    if (!holds(size, 4)) return -EFAULT;
    const bad = buffers.load(context, vector >>> 0, count >>> 0);
    if (bad < 0) return bad;
    const piece = new Uint8Array(Math.min(buffers.total, GATHER));
    for (let i = 0, at = 0; at < piece.length; i++) {
      const length = Math.min(buffers.lengths[i]!, piece.length - at);
      piece.set(guest.u8.subarray(buffers.pointers[i]!, buffers.pointers[i]! + length), at);
      at += length;
    }
    const sent = found.socket.sendTo(piece, to, found.nonBlocking);
    if (sent < 0) return sent;
    guest.view.setUint32(size >>> 0, sent, true);
    return 0;
  }

  /** (fd, address, type, port) of the first generation, (fd, address, port) of the second. */
  function tell(args: number[], ask: (socket: HostSocket) => SocketAddress | number): number {
    const [fd, address] = args as [number, number];
    const [type, port] = args.length > 3 ? [args[2]!, args[3]!] : [undefined, args[2]!];
    const found = socketOf(fd, 0);
    if (typeof found === 'number') return found;
    if (!holds(port, 4) || (type !== undefined && !holds(type, 4))) return -EFAULT;
    const told = ask(found.socket);
    if (typeof told === 'number') return told;
    const bad = writeAddress(address, told);
    if (bad < 0) return bad;
    if (type !== undefined) guest.view.setUint32(type >>> 0, told.address.length === 4 ? 4 : 6, true);
    guest.view.setUint32(port >>> 0, told.port, true);
    return 0;
  }

  function onSocket(fd: number, action: (socket: TunableSocket) => number): number {
    const found = socketOf(fd, 0);
    return typeof found === 'number' ? found : action(found.socket);
  }

  function socketOf(
    fd: number,
    needed: number,
  ): { readonly socket: TunableSocket; readonly nonBlocking: boolean } | number {
    const entry = context.entry(fd);
    if (entry < 0) return -EBADF;
    if (context.fileField(entry, FILE_KIND) !== FILE_HOST) return -ENOTSOCK;
    if ((context.fileField(entry, FILE_TYPE) & S_IFMT) !== S_IFSOCK) return -ENOTSOCK;
    if ((context.kernel.u32[entry + (FD_RIGHTS >>> 2)]! & needed) !== needed) return -ENOTCAPABLE;
    const stream = context.streams[context.fileField(entry, FILE_HANDLE)];
    if (stream === undefined || !('takeError' in stream)) return -ENOTSOCK;
    return {
      socket: stream as TunableSocket,
      nonBlocking: (context.fileField(entry, FILE_STATUS) & O_NONBLOCK) !== 0,
    };
  }
}
