/** `-p` and `--expose` as docker reads them. */
import { WctrError } from '../../errors.ts';
import type { PortBinding } from '../../spec/engine-api.ts';

export interface PublishedPorts {
  readonly exposed: Record<string, object>;
  readonly bindings: Record<string, PortBinding[]>;
}

export function readPorts(published: readonly string[], exposed: readonly string[]): PublishedPorts {
  const ports: PublishedPorts = { exposed: {}, bindings: {} };
  for (const text of published) {
    for (const [port, binding] of readPublish(text)) {
      ports.exposed[port] = {};
      ports.bindings[port] ??= [];
      ports.bindings[port].push(binding);
    }
  }
  for (const text of exposed) {
    if (text.includes(':')) throw bad('--expose', text, 'an exposed port has no colon');
    const [range, protocol] = splitProtocol(text, '--expose');
    for (const port of portRange(range, '--expose', text)) ports.exposed[`${port}/${protocol}`] = {};
  }
  return ports;
}

/** `[ip:][hostPort:]containerPort[/protocol]`, ports may be ranges; or `published=8080,target=80,protocol=tcp`. */
function readPublish(given: string): [port: string, PortBinding][] {
  const text = given.includes('=') ? shortForm(given) : given;
  const [rest, protocol] = splitProtocol(text, '-p');
  const colon = rest.lastIndexOf(':');
  const containerRange = portRange(rest.slice(colon + 1), '-p', given);
  const [ip, host] = splitHost(colon < 0 ? '' : rest.slice(0, colon), given);
  if (host === '') {
    return containerRange.map((port) => [`${port}/${protocol}`, { HostIp: ip, HostPort: '' }]);
  }
  const hostRange = portRange(host, '-p', given);
  if (hostRange.length !== containerRange.length) {
    // One port of the container may take the first free one of several.
    if (containerRange.length === 1) return [[`${containerRange[0]}/${protocol}`, { HostIp: ip, HostPort: host }]];
    throw bad('-p', given, `the ranges ${host} and ${rest.slice(colon + 1)} differ in length`);
  }
  return containerRange.map((port, i) => [`${port}/${protocol}`, { HostIp: ip, HostPort: String(hostRange[i]) }]);
}

/** `127.0.0.1:80`, `[::1]:80`, `80`, `127.0.0.1:` -> address and port. */
function splitHost(text: string, given: string): [ip: string, port: string] {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracket !== null) return [bracket[1]!, bracket[2] ?? ''];
  const colon = text.lastIndexOf(':');
  if (colon < 0) return ['', text];
  const ip = text.slice(0, colon);
  if (ip !== '' && !isAddress(ip)) throw bad('-p', given, `"${ip}" is no address`);
  return [ip, text.slice(colon + 1)];
}

function isAddress(text: string): boolean {
  if (text.includes(':')) return /^[0-9a-fA-F:.]+$/.test(text);
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function splitProtocol(text: string, flag: string): [range: string, protocol: string] {
  const [range = '', protocol = 'tcp', ...more] = text.split('/');
  const name = protocol.toLowerCase();
  if (more.length > 0 || !/^(tcp|udp|sctp)$/.test(name)) throw bad(flag, text, `"${protocol}" is no protocol`);
  return [range, name];
}

/** `8000-8010` -> each of them. */
function portRange(text: string, flag: string, given: string): number[] {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || from > 65_535 || to > 65_535) throw bad(flag, given, `"${text}" is no port`);
  if (to < from) throw bad(flag, given, `the range ${text} runs backwards`);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function shortForm(given: string): string {
  const fields: Record<string, string> = {};
  for (const field of given.split(',')) {
    const [key = '', value = ''] = field.split('=');
    if (!/^(target|published|protocol|mode)$/.test(key)) throw bad('-p', given, `unexpected key "${key}"`);
    fields[key] = value;
  }
  if (fields.target === undefined) throw bad('-p', given, 'target is required');
  return `${fields.published ?? ''}:${fields.target}/${fields.protocol ?? 'tcp'}`;
}

function bad(flag: string, text: string, why: string): WctrError {
  return new WctrError('invalid-argument', `invalid port "${text}" for ${flag}: ${why}`, {
    hint: flag === '-p' ? 'write [IP:][HOST_PORT:]PORT[/udp]' : 'write PORT[-PORT][/udp]',
  });
}
