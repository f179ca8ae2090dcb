/** Subnets of both families. */
import { formatAddress, parseAddress } from './address.ts';

export interface Subnet {
  /** Bits of an address: 32 or 128. */
  readonly bits: 32 | 128;
  /** Of the first address. */
  readonly base: bigint;
  readonly prefix: number;
  /** How many addresses. */
  readonly size: bigint;
}

/** `172.17.0.0/16`, `fd00::/64`; undefined when it is none. Bits behind the prefix are dropped. */
export function parseSubnet(text: string): Subnet | undefined {
  const [address, digits, more] = text.split('/');
  const bytes = parseAddress(address ?? '');
  if (bytes === undefined || digits === undefined || more !== undefined || !/^\d{1,3}$/.test(digits)) return undefined;
  const bits = bytes.length === 4 ? 32 : 128;
  const prefix = Number(digits);
  if (prefix > bits) return undefined;
  const size = 1n << BigInt(bits - prefix);
  return { bits, base: addressNumber(bytes) & ~(size - 1n), prefix, size };
}

export function formatSubnet({ bits, base, prefix }: Subnet): string {
  return `${formatAddress(addressBytes(base, bits))}/${prefix}`;
}

export function subnetHolds({ bits, base, size }: Subnet, address: Uint8Array): boolean {
  if (address.length * 8 !== bits) return false;
  const value = addressNumber(address);
  return value >= base && value < base + size;
}

export function subnetsOverlap(a: Subnet, b: Subnet): boolean {
  return a.bits === b.bits && a.base < b.base + b.size && b.base < a.base + a.size;
}

/** As text, the address so far behind the subnet's first. */
export function addressAt({ bits, base }: Subnet, offset: bigint): string {
  return formatAddress(addressBytes(base + offset, bits));
}

export function addressNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function addressBytes(value: bigint, bits: 32 | 128): Uint8Array {
  const bytes = new Uint8Array(bits / 8);
  let rest = value;
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  return bytes;
}
