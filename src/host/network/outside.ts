/**
 * Which addresses beyond its networks a container may reach. Docker's bridge sends everything out; a sandbox leaves out
 * what can only be meant for the machine it runs on: the link, with the metadata service of most clouds on it, the other
 * clouds' services, and all that is not one host's address. `--add-host name:address` names one that is meant.
 */
import { isAny, isLoopback, parseAddress, sameAddress, unmapped } from './address.ts';
import { parseSubnet, type Subnet, subnetHolds } from './subnet.ts';

const CLOSED: readonly Subnet[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  // Link-local: 169.254.169.254 of AWS, Azure, Google, and others.
  '169.254.0.0/16',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '192.0.0.192/32',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  'fe80::/10',
  'fd00:ec2::254/128',
  'fd20:ce::254/128',
  'ff00::/8',
].map((text) => parseSubnet(text)!);

const NAT64 = parseSubnet('64:ff9b::/96')!;

/** `named`: the addresses of --add-host. */
export function mayReach(given: Uint8Array, named: readonly string[]): boolean {
  const mapped = unmapped(given);
  // A translator of the host's network would send it on as IPv4.
  const address = subnetHolds(NAT64, mapped) ? mapped.slice(12) : mapped;
  if (isAny(address) || isLoopback(address)) return false;
  if (!CLOSED.some((subnet) => subnetHolds(subnet, address))) return true;
  return named.some((text) => {
    const meant = parseAddress(text);
    return meant !== undefined && sameAddress(meant, address);
  });
}
