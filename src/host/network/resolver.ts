/**
 * Names as a container knows them: its own and --add-host, links, containers of its networks, then the name servers, if
 * there is a way out. Guests ask by a call; those that bring a resolver of their own find it at 127.0.0.11, where docker's
 * is, and in /etc/resolv.conf.
 */
import type { SocketAddress } from '../wasi/ports.ts';
import { sameAddress } from './address.ts';
import type { Attachment } from './attachment.ts';
import * as dns from './dns.ts';
import * as e from './errno.ts';
import type { HostSockets } from './host-sockets.ts';
import type { Hosts } from './hosts.ts';
import type { NetworkPlan } from './port.ts';
import { ofFamily, SocketError } from './transport.ts';

const ADDRESS = Uint8Array.of(127, 0, 0, 11);
const PORT = 53;

export function isResolver({ address, port }: SocketAddress): boolean {
  return port === PORT && sameAddress(address, ADDRESS);
}

export interface ResolverParts {
  readonly sockets: HostSockets;
  readonly hosts: () => Hosts;
  readonly attachments: () => readonly Attachment[];
  readonly plan: () => NetworkPlan;
  readonly hasWayOut: (family: 4 | 6) => boolean;
}

export class Resolver {
  readonly #parts: ResolverParts;

  constructor(parts: ResolverParts) {
    this.#parts = parts;
  }

  /** Throws ENOENT, EAGAIN. */
  async resolve(given: string, family: 0 | 4 | 6): Promise<readonly Uint8Array[]> {
    const { hosts, attachments, plan, hasWayOut, sockets } = this.#parts;
    const name = given.replace(/\.$/, '');
    const known = hosts().find(name);
    if (known !== undefined) return ofFamily(known, family);
    for (const attachment of attachments()) {
      const member = await attachment.find(attachment.plan.links[name] ?? name);
      if (member === undefined) continue;
      return ofFamily(member.address6 === undefined ? [member.address] : [member.address, member.address6], family);
    }
    if (!hasWayOut(4)) throw new SocketError(e.ENOENT);
    const { servers = [], search = [] } = plan().dns ?? {};
    const suffixes = given.endsWith('.') ? [] : search.filter((suffix) => suffix !== '.');
    // Without a dot it is first taken for a part of a name.
    const candidates = [name, ...suffixes.map((suffix) => `${name}.${suffix}`)];
    if (!name.includes('.')) candidates.push(candidates.shift()!);
    let failure: unknown;
    for (const candidate of candidates) {
      try {
        const found = await sockets.lookup(candidate, family, servers);
        return found.filter((address) => address.length === 4 || hasWayOut(6));
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** A message of DNS. Undefined: not one that is answered. */
  async answer(message: Uint8Array): Promise<Uint8Array | undefined> {
    const question = dns.readQuestion(message);
    if (question === undefined) return undefined;
    const { type, name, isInternet } = question;
    if (!isInternet) return dns.writeAnswer(question, dns.RCODE_NOTIMP, []);
    if (type === dns.TYPE_PTR) {
      const found = await this.#nameOf(name);
      return found === undefined
        ? dns.writeAnswer(question, dns.RCODE_NXDOMAIN, [])
        : dns.writeAnswer(question, dns.RCODE_OK, [dns.encodeName(found)]);
    }
    if (type !== dns.TYPE_A && type !== dns.TYPE_AAAA) return dns.writeAnswer(question, dns.RCODE_NOTIMP, []);
    try {
      const family = type === dns.TYPE_A ? 4 : 6;
      return dns.writeAnswer(question, dns.RCODE_OK, ofFamily(await this.resolve(name, 0), family));
    } catch (error) {
      const errno = error instanceof SocketError ? error.errno : e.errnoOf(error);
      return dns.writeAnswer(question, errno === e.ENOENT ? dns.RCODE_NXDOMAIN : dns.RCODE_SERVFAIL, []);
    }
  }

  async #nameOf(reversed: string): Promise<string | undefined> {
    const address = dns.reversedAddress(reversed);
    if (address === undefined) return undefined;
    for (const attachment of this.#parts.attachments()) {
      if (!attachment.holds(address)) continue;
      const member = await attachment.at(address);
      if (member?.names[0] !== undefined) return `${member.names[0]}.${attachment.plan.name}`;
    }
    return undefined;
  }
}
