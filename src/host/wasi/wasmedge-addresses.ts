/** Addresses in a guest's memory as WasmEdge's socket functions lay them out (wasmedge-sockets.ts). */
import { EFAULT, EINVAL } from '../../core/abi/kernel.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { SocketAddress } from './ports.ts';
import { FAMILY_V4, FAMILY_V6 } from './wasmedge-types.ts';

const EAFNOSUPPORT = 97;
const ADDRESS_V2_BYTES = 128;
const MAX_NAME = 1024;

export interface GuestAddresses {
  /** A negative errno for what is none. */
  readAddress(pointer: number, port: number): SocketAddress | number;
  /** 0, or a negative errno. */
  writeAddress(pointer: number, address: SocketAddress): number;
  /** Up to its end or its NUL; undefined outside of the memory. */
  readText(pointer: number, length: number): string | undefined;
  holds(pointer: number, length: number): boolean;
}

export function guestAddresses(guest: GuestMemory): GuestAddresses {
  return { readAddress, writeAddress, readText, holds };

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
