/**
 * What kind of place a URL's host is, and whether an answer of one registry may send us there. A registry must not use
 * its clients to reach what only they can reach: their loopback, their link-local metadata service, their private nets.
 */

export type AddressClass = 'loopback' | 'link-local' | 'private' | 'public';

/** Names that cloud hosts resolve to their metadata service, and names that never leave the machine or site. */
const LINK_LOCAL_NAMES = new Set([
  'metadata',
  'metadata.google.internal',
  'instance-data',
  'instance-data.ec2.internal',
]);

/**
 * Class of a host as `URL.hostname` gives it (IPv6 in brackets, IPv4 in any spelling already made decimal by the URL
 * parser). Names other than localhost and the known metadata names count as public: what they resolve to is not known
 * here (see `HostLookup`).
 */
export function classifyHost(hostname: string): AddressClass {
  const host = hostname.toLowerCase().replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost')) return 'loopback';
  if (LINK_LOCAL_NAMES.has(host)) return 'link-local';
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (bare.includes(':')) return classifyIPv6(bare);
  const octets = parseIPv4(bare);
  return octets === undefined ? 'public' : classifyIPv4(octets);
}

export function isLoopback(hostname: string): boolean {
  return classifyHost(hostname) === 'loopback';
}

/** Addresses of a name, where the host can tell (Node's dns.lookup). Used to look behind public-looking names. */
export type HostLookup = (hostname: string) => Promise<readonly string[]>;

/**
 * May a server at `from` send us to `to`? Always to public places; to a place that is not public only when the server
 * is itself in the same kind of place, and to link-local (where metadata services are) only when it is that very host.
 */
export function mayPointTo(from: URL, to: URL): boolean {
  return mayReach(from.hostname, classifyHost(from.hostname), to.hostname, classifyHost(to.hostname));
}

/** The same with names looked up first: every address behind `to` has to be allowed. */
export async function mayPointToResolved(from: URL, to: URL, lookup: HostLookup | undefined): Promise<boolean> {
  if (!mayPointTo(from, to)) return false;
  if (lookup === undefined || from.hostname === to.hostname || classifyHost(to.hostname) !== 'public') return true;
  const [fromClasses, toClasses] = await Promise.all([
    classesOf(from.hostname, lookup),
    classesOf(to.hostname, lookup),
  ]);
  // Every pair: a server that answers with a private address among others is not thereby in the private network.
  return toClasses.every((target) =>
    fromClasses.every((origin) => mayReach(from.hostname, origin, to.hostname, target)),
  );
}

async function classesOf(hostname: string, lookup: HostLookup): Promise<AddressClass[]> {
  if (classifyHost(hostname) !== 'public') return [classifyHost(hostname)];
  // A name that does not resolve is left to the request itself, which will say so.
  const addresses = await lookup(hostname).catch(() => []);
  return addresses.length === 0 ? ['public'] : addresses.map(classifyHost);
}

function mayReach(fromHost: string, from: AddressClass, toHost: string, to: AddressClass): boolean {
  if (to === 'public') return true;
  if (to === 'link-local') return fromHost === toHost;
  return from === to;
}

function parseIPv4(text: string): readonly number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const octets = text.split('.').map(Number);
  return octets.every((octet) => octet <= 255) ? octets : undefined;
}

function classifyIPv4([a = 0, b = 0, c = 0]: readonly number[]): AddressClass {
  // 0.0.0.0 reaches the own machine on Linux.
  if (a === 127 || a === 0) return 'loopback';
  if (a === 169 && b === 254) return 'link-local';
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168)) return 'private';
  // Carrier NAT and IETF protocol assignments: both hold metadata services of some clouds.
  if ((a === 100 && b >= 64 && b < 128) || (a === 192 && b === 0 && c === 0)) return 'link-local';
  // Benchmarking nets, multicast and reserved, broadcast.
  if ((a === 198 && (b === 18 || b === 19)) || a >= 224) return 'private';
  return 'public';
}

function classifyIPv6(text: string): AddressClass {
  const groups = expandIPv6(text);
  if (groups === undefined) return 'private';
  const [g0 = 0, g1 = 0] = groups;
  const leadingZeros = groups.findIndex((group) => group !== 0);
  if (leadingZeros === -1 || (leadingZeros === 7 && groups[7] === 1)) return 'loopback';
  const lastFour = embeddedIPv4(groups[6] ?? 0, groups[7] ?? 0);
  // ::a.b.c.d, ::ffff:a.b.c.d, NAT64 64:ff9b::/96, 6to4 2002::/16: an IPv4 address in disguise.
  if (leadingZeros >= 6 || (leadingZeros === 5 && groups[5] === 0xffff)) return classifyIPv4(lastFour);
  if (g0 === 0x64 && g1 === 0xff9b) return classifyIPv4(lastFour);
  if (g0 === 0x2002) return classifyIPv4(embeddedIPv4(g1, groups[2] ?? 0));
  if ((g0 & 0xffc0) === 0xfe80) return 'link-local';
  // AWS' metadata service over IPv6 is in fd00:ec2::/32.
  if (g0 === 0xfd00 && g1 === 0x0ec2) return 'link-local';
  if ((g0 & 0xfe00) === 0xfc00 || (g0 & 0xffc0) === 0xfec0 || (g0 & 0xff00) === 0xff00) return 'private';
  return 'public';
}

function embeddedIPv4(high: number, low: number): readonly number[] {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff];
}

/** Eight 16-bit groups; undefined for what is no IPv6 address. A zone (`%eth0`) is dropped. */
function expandIPv6(text: string): readonly number[] | undefined {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text.split('%')[0] ?? '');
  const octets = dotted?.[2] === undefined ? undefined : parseIPv4(dotted[2]);
  const plain =
    octets === undefined
      ? (text.split('%')[0] ?? '')
      : `${dotted?.[1]}${hexPair(octets[0], octets[1])}:${hexPair(octets[2], octets[3])}`;
  const [head = '', tail, ...rest] = plain.split('::');
  if (rest.length > 0) return undefined;
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - before.length - after.length;
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined;
  const groups = [...before, ...new Array<string>(missing).fill('0'), ...after];
  return groups.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? groups.map((group) => parseInt(group, 16))
    : undefined;
}

function hexPair(high = 0, low = 0): string {
  return ((high << 8) | low).toString(16);
}
