/** Socket options as WasmEdge's functions name them. */
import { EFAULT, EINVAL } from '../../core/abi/kernel.ts';
import { toErrno } from './errno.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { HostSocket } from './ports.ts';
import { TYPE_DATAGRAM, TYPE_STREAM } from './wasmedge-types.ts';

const ENOPROTOOPT = 92;

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
export interface TunableSocket extends HostSocket {
  readonly family?: 4 | 6;
  readonly type?: 'stream' | 'datagram';
  readonly listening?: boolean;
  receiveTimeoutMs?: number;
  sendTimeoutMs?: number;
}

export interface SocketOptions {
  /** Both give 0 or a negative errno. */
  get(socket: TunableSocket, level: number, name: number, value: number, size: number): number;
  set(socket: TunableSocket, level: number, name: number, value: number, size: number): number;
}

export function socketOptions(guest: GuestMemory): SocketOptions {
  const options = new WeakMap<HostSocket, Map<number, number>>();
  const holds = (pointer: number, length: number) => guest.holds(pointer >>> 0, length);
  return { get, set };

  function get(socket: TunableSocket, level: number, name: number, value: number, size: number): number {
    if (level !== 0) return -ENOPROTOOPT;
    if (!holds(size, 4)) return -EFAULT;
    const room = guest.view.getUint32(size >>> 0, true);
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

  function set(socket: TunableSocket, level: number, name: number, value: number, size: number): number {
    if (level !== 0) return -ENOPROTOOPT;
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
}

/** SO_ERROR is told as the guest's own number. */
function toErrnoOf(linux: number): number {
  return linux === 0 ? 0 : -toErrno(-linux);
}
