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
  ENOENT,
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

const ENOTSOCK = 88;
const EAFNOSUPPORT = 97;
const ENOPROTOOPT = 92;
const FAMILY_V4 = 1;
const FAMILY_V6 = 2;
const TYPE_DATAGRAM = 1;
const TYPE_STREAM = 2;
const PROTOCOL_TCP = 1;
const PROTOCOL_UDP = 2;
const ADDRESS_V2_BYTES = 128;
const ADDRINFO_BYTES = 28;
const SOCKADDR_BYTES = 12;
const MAX_NAME = 1024;
const GATHER = 65536;

const SO_REUSEADDR = 0;
const SO_TYPE = 1;
const SO_ERROR = 2;
const SO_BROADCAST = 4;
const SO_SNDBUF = 5;
const SO_RCVBUF = 6;
const SO_KEEPALIVE = 7;
const SO_LINGER = 9;
const SO_RCVTIMEO = 11;
const SO_SNDTIMEO = 12;
const SO_ACCEPTCONN = 13;
/** What is taken and told back, and changes nothing here. */
const KEPT = new Set([SO_REUSEADDR, SO_BROADCAST, SO_SNDBUF, SO_RCVBUF, SO_KEEPALIVE, SO_LINGER]);
const BUFFER_BYTES = 65536;

/** What a socket of a network has beside the port's: see host/network/guest-port.ts. */
interface TunableSocket extends HostSocket {
  readonly family?: 4 | 6;
  readonly type?: 'stream' | 'datagram';
  readonly listening?: boolean;
  receiveTimeoutMs?: number;
  sendTimeoutMs?: number;
}

type Call = (...args: number[]) => number;

export function wasmedgeSockets(context: WasiContext): Record<string, Call> {
  const { guest } = context;
  const buffers = new Buffers();
  const options = new WeakMap<HostSocket, Map<number, number>>();
  const calls: Record<string, Call> = {
    sock_open,
    sock_bind,
    sock_listen,
    sock_connect,
    sock_getsockopt,
    sock_setsockopt,
    sock_getlocaladdr: (...args) => tell(args, (socket) => socket.local()),
    sock_getpeeraddr: (...args) => tell(args, (socket) => socket.peer()),
    sock_getaddrinfo,
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

  function sock_getsockopt(fd: number, level: number, name: number, value: number, size: number): number {
    const found = socketOf(fd, 0);
    if (typeof found === 'number') return found;
    if (level !== 0) return -ENOPROTOOPT;
    if (!holds(size, 4)) return -EFAULT;
    const room = guest.view.getUint32(size >>> 0, true);
    const { socket } = found;
    if (name === SO_RCVTIMEO || name === SO_SNDTIMEO) {
      if (room < 16) return -EINVAL;
      if (!holds(value, 16)) return -EFAULT;
      const ms = (name === SO_RCVTIMEO ? socket.receiveTimeoutMs : socket.sendTimeoutMs) ?? Number.POSITIVE_INFINITY;
      const { view } = guest;
      view.setBigInt64(value >>> 0, ms === Number.POSITIVE_INFINITY ? 0n : BigInt(Math.floor(ms / 1000)), true);
      view.setBigInt64((value >>> 0) + 8, ms === Number.POSITIVE_INFINITY ? 0n : BigInt((ms % 1000) * 1000), true);
      view.setUint32(size >>> 0, 16, true);
      return 0;
    }
    if (room < 4) return -EINVAL;
    if (!holds(value, 4)) return -EFAULT;
    const told = option(socket, name);
    if (told === undefined) return -ENOPROTOOPT;
    guest.view.setInt32(value >>> 0, told, true);
    guest.view.setUint32(size >>> 0, 4, true);
    return 0;
  }

  function sock_setsockopt(fd: number, level: number, name: number, value: number, size: number): number {
    const found = socketOf(fd, 0);
    if (typeof found === 'number') return found;
    if (level !== 0) return -ENOPROTOOPT;
    const { socket } = found;
    if (name === SO_RCVTIMEO || name === SO_SNDTIMEO) {
      if (size !== 16) return -EINVAL;
      if (!holds(value, 16)) return -EFAULT;
      const { view } = guest;
      const seconds = Number(view.getBigInt64(value >>> 0, true));
      const ms = seconds * 1000 + Number(view.getBigInt64((value >>> 0) + 8, true)) / 1000;
      if (ms < 0) return -EINVAL;
      const timeout = ms === 0 ? Number.POSITIVE_INFINITY : ms;
      if (name === SO_RCVTIMEO) socket.receiveTimeoutMs = timeout;
      else socket.sendTimeoutMs = timeout;
      return 0;
    }
    if (!KEPT.has(name)) return -ENOPROTOOPT;
    if (size >>> 0 < 4) return -EINVAL;
    if (!holds(value, 4)) return -EFAULT;
    const kept = options.get(socket) ?? new Map<number, number>();
    options.set(socket, kept.set(name, guest.view.getInt32(value >>> 0, true)));
    return 0;
  }

  function option(socket: TunableSocket, name: number): number | undefined {
    switch (name) {
      case SO_ERROR:
        return -toErrnoOf(socket.takeError());
      case SO_TYPE:
        return socket.type === 'datagram' ? TYPE_DATAGRAM : TYPE_STREAM;
      case SO_ACCEPTCONN:
        return socket.listening === true ? 1 : 0;
      default:
        if (!KEPT.has(name)) return undefined;
        return options.get(socket)?.get(name) ?? (name === SO_SNDBUF || name === SO_RCVBUF ? BUFFER_BYTES : 0);
    }
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

  function sock_getaddrinfo(
    node: number,
    nodeLength: number,
    service: number,
    serviceLength: number,
    hints: number,
    result: number,
    max: number,
    count: number,
  ): number {
    if (!holds(result, 4) || !holds(count, 4) || !holds(hints, ADDRINFO_BYTES)) return -EFAULT;
    const name = readText(node, nodeLength);
    const port = readText(service, serviceLength);
    if (name === undefined || port === undefined) return -EFAULT;
    const { view } = guest;
    const family = view.getUint8((hints >>> 0) + 2);
    const type = view.getUint8((hints >>> 0) + 3);
    const number = port === '' ? 0 : (SERVICES[port] ?? Number(port));
    if (!Number.isInteger(number) || number < 0 || number > 65535) return -EINVAL;
    const passive = (view.getUint16(hints >>> 0, true) & 1) !== 0 && name === '';
    const own = family === FAMILY_V6 ? new Uint8Array(16) : passive ? new Uint8Array(4) : Uint8Array.of(127, 0, 0, 1);
    if (name === '' && family === FAMILY_V6 && !passive) own[15] = 1;
    const wanted = family === FAMILY_V4 ? 4 : family === FAMILY_V6 ? 6 : 0;
    const found = name === '' ? [own] : context.network!.resolve(name, wanted);
    if (typeof found === 'number') return found;
    if (found.length === 0) return -ENOENT;
    let entry = guest.view.getUint32(result >>> 0, true);
    let written = 0;
    for (const address of found) {
      if (written >= max >>> 0 || entry === 0) break;
      if (!writeAddrinfo(entry, address, number, type)) return -EFAULT;
      written++;
      entry = guest.view.getUint32(entry + 24, true);
    }
    guest.view.setUint32(count >>> 0, written, true);
    return 0;
  }

  /** Fills an addrinfo the guest has laid out, with room for the address behind it. */
  function writeAddrinfo(entry: number, address: Uint8Array, port: number, type: number): boolean {
    const { view } = guest;
    if (!holds(entry, ADDRINFO_BYTES)) return false;
    const sockaddr = view.getUint32(entry + 12, true);
    if (!holds(sockaddr, SOCKADDR_BYTES)) return false;
    const data = view.getUint32(sockaddr + 8, true);
    const bytes = address.length === 4 ? 14 : 26;
    if (!holds(data, bytes)) return false;
    const family = address.length === 4 ? FAMILY_V4 : FAMILY_V6;
    view.setUint8(entry + 2, family);
    view.setUint8(entry + 3, type === TYPE_DATAGRAM ? TYPE_DATAGRAM : TYPE_STREAM);
    view.setUint8(entry + 4, type === TYPE_DATAGRAM ? PROTOCOL_UDP : PROTOCOL_TCP);
    view.setUint32(entry + 8, address.length === 4 ? 16 : 28, true);
    view.setUint8(sockaddr, family);
    view.setUint32(sockaddr + 4, bytes, true);
    guest.u8.fill(0, data, data + bytes);
    view.setUint16(data, port, false);
    guest.u8.set(address, data + (address.length === 4 ? 2 : 6));
    return true;
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

  function readAddress(pointer: number, port: number): SocketAddress | number {
    const at = pointer >>> 0;
    if (!guest.holds(at, 8)) return -EFAULT;
    const bytes = guest.view.getUint32(at, true);
    const length = guest.view.getUint32(at + 4, true);
    if (!guest.holds(bytes, length)) return -EFAULT;
    if (port >>> 0 > 65535) return -EINVAL;
    if (length === 4 || length === 16) return { address: guest.u8.slice(bytes, bytes + length), port };
    if (length !== ADDRESS_V2_BYTES) return -EINVAL;
    const family = guest.view.getUint16(bytes, true);
    if (family !== FAMILY_V4 && family !== FAMILY_V6) return -EAFNOSUPPORT;
    return { address: guest.u8.slice(bytes + 2, bytes + 2 + (family === FAMILY_V4 ? 4 : 16)), port };
  }

  function writeAddress(pointer: number, { address }: SocketAddress): number {
    const at = pointer >>> 0;
    if (!guest.holds(at, 8)) return -EFAULT;
    const bytes = guest.view.getUint32(at, true);
    const length = guest.view.getUint32(at + 4, true);
    if (!guest.holds(bytes, length)) return -EFAULT;
    if (length === ADDRESS_V2_BYTES) {
      guest.view.setUint16(bytes, address.length === 4 ? FAMILY_V4 : FAMILY_V6, true);
      guest.u8.set(address, bytes + 2);
      return 0;
    }
    if (length < address.length) return -EINVAL;
    guest.u8.set(address, bytes);
    return 0;
  }

  function readText(pointer: number, length: number): string | undefined {
    if (length >>> 0 > MAX_NAME || !guest.holds(pointer >>> 0, length >>> 0)) return undefined;
    const bytes = guest.u8.slice(pointer >>> 0, (pointer >>> 0) + (length >>> 0));
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  }

  function holds(pointer: number, length: number): boolean {
    return guest.holds(pointer >>> 0, length);
  }
}

/** Names of services programs ask for in practice. */
const SERVICES: Readonly<Record<string, number>> = { http: 80, https: 443, domain: 53, ssh: 22 };

/** SO_ERROR is told as the guest's own number. */
function toErrnoOf(linux: number): number {
  return linux === 0 ? 0 : -toErrno(-linux);
}
