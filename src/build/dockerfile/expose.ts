/** Ports of EXPOSE: `80`, `53/udp`, `8000-8010/tcp`, and, as docker still takes it, `[ip:]host:container`. */
import { refuse } from './errors.ts';
import type { SourceText, Word } from './source.ts';

export interface ExposedPorts {
  /** `80/tcp`, a range as many of them. */
  readonly ports: readonly string[];
  /** The protocol has upper-case letters. */
  readonly hasOddCase: boolean;
  /** An address or a port of the host stands before it. */
  readonly hasHostPart: boolean;
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);
const LAST_PORT = 65_535;

/** Throws `invalid-dockerfile`. */
export function exposedPorts(word: Word, source: SourceText): ExposedPorts {
  const wrong = (what: string) => refuse(source, word.span, what, { hint: 'write 8080, 53/udp or 8000-8010' });
  const parts = word.text.split(':');
  const container = parts.pop() as string;
  const host = parts.pop() ?? '';
  const address = parts.join(':');
  const slash = container.indexOf('/');
  const range = slash < 0 ? container : container.slice(0, slash);
  const protocol = (slash < 0 ? '' : container.slice(slash + 1)) || 'tcp';
  if (range === '') throw wrong(`invalid port: "${word.text}": no port specified`);
  if (!PROTOCOLS.has(protocol.toLowerCase())) {
    throw wrong(`invalid port: "${word.text}": invalid proto: ${protocol}`);
  }
  if (address !== '' && !isAddress(address)) throw wrong(`invalid IP address: ${address}`);
  const inside = portRange(range);
  if (inside === undefined) throw wrong(`invalid containerPort: ${range}`);
  const outside = host === '' ? inside : portRange(host);
  if (outside === undefined) throw wrong(`invalid hostPort: ${host}`);
  const [first, last] = inside;
  if (last - first !== outside[1] - outside[0] && first !== last) {
    throw wrong(`invalid ranges specified for container and host Ports: ${range} and ${host}`);
  }
  return {
    ports: Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol.toLowerCase()}`),
    hasOddCase: protocol !== protocol.toLowerCase(),
    hasHostPart: host !== '' || address !== '',
  };
}

function portRange(text: string): [first: number, last: number] | undefined {
  const dash = text.indexOf('-', 1);
  const first = portNumber(dash < 0 ? text : text.slice(0, dash));
  const last = dash < 0 ? first : portNumber(text.slice(dash + 1));
  return first === undefined || last === undefined || last < first ? undefined : [first, last];
}

function portNumber(text: string): number | undefined {
  return /^\+?\d{1,20}$/.test(text) && Number(text) <= LAST_PORT ? Number(text) : undefined;
}

function isAddress(text: string): boolean {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
  if (/^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/.test(bare)) return true;
  try {
    return bare.includes(':') && new URL(`http://[${bare}]/`).hostname !== '';
  } catch {
    return false;
  }
}
