/** sock_getaddrinfo: names to addresses, in structures the guest has laid out (wasmedge-sockets.ts). */
import { EFAULT, EINVAL, ENOENT } from '../../core/abi/kernel.ts';
import type { WasiContext } from './context.ts';
import type { GuestAddresses } from './wasmedge-addresses.ts';
import { FAMILY_V4, FAMILY_V6, TYPE_DATAGRAM, TYPE_STREAM } from './wasmedge-types.ts';

const PROTOCOL_TCP = 1;
const PROTOCOL_UDP = 2;
const ADDRINFO_BYTES = 28;
const SOCKADDR_BYTES = 12;

/** Names of services programs ask for in practice. */
const SERVICES: Readonly<Record<string, number>> = { http: 80, https: 443, domain: 53, ssh: 22 };

type Call = (...args: number[]) => number;

/** Gives 0 or a negative errno. The context has a network when it is called. */
export function addressInfo(context: WasiContext, { readText, holds }: GuestAddresses): Call {
  const { guest } = context;
  return sock_getaddrinfo as Call;

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
}
