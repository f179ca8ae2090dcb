/** `--network` and the flags that say how the container is on it, as docker reads them. */
import { WctrError } from '../../errors.ts';
import { EMPTY_ENDPOINT, type EndpointSettings, type NetworkingConfig } from '../../spec/engine-api.ts';
import type { ParsedFlags } from '../flags.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Attachment {
  readonly target: string;
  readonly aliases: string[];
  readonly links: string[];
  readonly linkLocalIps: string[];
  readonly driverOptions: Record<string, string>;
  ip?: string;
  ip6?: string;
  mac?: string;
  priority: number;
}

export interface NetworkFlags {
  readonly mode: string;
  readonly networking: NetworkingConfig;
}

export function readNetworkFlags(flags: ParsedFlags): NetworkFlags {
  const given = flags.list('network');
  const attachments = (given.length === 0 ? ['default'] : given).map(readAttachment);
  const [first] = attachments as [Attachment, ...Attachment[]];
  applyFlags(first, flags);
  if (attachments.length > 1 && !attachments.every(({ target }) => isUserDefined(target))) {
    throw conflict('a container cannot be on a network of its own and on one of these: host, none, default, container');
  }
  const endpoints: Record<string, EndpointSettings> = {};
  for (const attachment of attachments) {
    const { target } = attachment;
    if (endpoints[target] !== undefined) throw conflict(`network "${target}" is named twice`);
    if (!isUserDefined(target) && attachment.aliases.length > 0) {
      throw conflict('network-scoped aliases are only supported for user-defined networks');
    }
    if (target !== 'host' && target !== 'none' && !target.startsWith('container:')) {
      endpoints[target] = endpointOf(attachment);
    }
  }
  return { mode: first.target, networking: { EndpointsConfig: endpoints } };
}

/** `default`, `bridge`, `host`, `none` and `container:x` are nobody's own. */
export function isUserDefined(mode: string): boolean {
  return !/^(default|bridge|host|none)$/.test(mode) && !mode.startsWith('container:');
}

/** A name, or `name=net,alias=a,ip=1.2.3.4,ip6=…,mac-address=…,driver-opt=k=v,link-local-ip=…,gw-priority=1`. */
function readAttachment(text: string): Attachment {
  const plain = (target: string): Attachment => ({
    target,
    aliases: [],
    links: [],
    linkLocalIps: [],
    driverOptions: {},
    priority: 0,
  });
  if (!/(^|,)\w[\w-]*=/.test(text)) return plain(text);
  const fields = text.split(',').map((field) => {
    const equals = field.indexOf('=');
    if (equals < 1) throw bad(text, `invalid field "${field}"`);
    return [field.slice(0, equals).trim().toLowerCase(), field.slice(equals + 1).trim()] as const;
  });
  const name = fields.find(([key]) => key === 'name')?.[1];
  if (name === undefined || name === '') throw bad(text, 'a network needs name=');
  const attachment = plain(name);
  for (const [key, value] of fields) {
    if (key === 'alias') attachment.aliases.push(value);
    else if (key === 'ip') attachment.ip = value;
    else if (key === 'ip6') attachment.ip6 = value;
    else if (key === 'mac-address') attachment.mac = value;
    else if (key === 'link-local-ip') attachment.linkLocalIps.push(value);
    else if (key === 'gw-priority') attachment.priority = Number(value);
    else if (key === 'driver-opt') {
      const [option = '', ...rest] = value.split('=');
      attachment.driverOptions[option] = rest.join('=');
    } else if (key !== 'name') throw bad(text, `unexpected key "${key}"`);
  }
  if (!Number.isSafeInteger(attachment.priority)) throw bad(text, 'gw-priority is a whole number');
  return attachment;
}

/** The container's own flags are for its first network. */
function applyFlags(first: Attachment, flags: ParsedFlags): void {
  const aliases = flags.list('network-alias');
  if (aliases.length > 0 && first.aliases.length > 0)
    throw conflict('cannot specify both --network-alias and per-network alias');
  first.aliases.push(...aliases);
  const links = flags.list('link');
  if (isUserDefined(first.target)) first.links.push(...links);
  const [ip, ip6, mac] = [flags.string('ip'), flags.string('ip6'), flags.string('mac-address')];
  if (ip !== undefined && first.ip !== undefined)
    throw conflict('cannot specify both --ip and per-network IPv4 address');
  if (ip6 !== undefined && first.ip6 !== undefined)
    throw conflict('cannot specify both --ip6 and per-network IPv6 address');
  if (ip !== undefined) first.ip = ip;
  if (ip6 !== undefined) first.ip6 = ip6;
  if (mac !== undefined) first.mac = mac;
  first.linkLocalIps.push(...flags.list('link-local-ip'));
}

function endpointOf({ aliases, links, linkLocalIps, driverOptions, ip, ip6, mac, priority }: Attachment) {
  const ipam: Mutable<NonNullable<EndpointSettings['IPAMConfig']>> = {
    ...(ip === undefined ? {} : { IPv4Address: ip }),
    ...(ip6 === undefined ? {} : { IPv6Address: ip6 }),
    ...(linkLocalIps.length === 0 ? {} : { LinkLocalIPs: linkLocalIps }),
  };
  return {
    ...EMPTY_ENDPOINT,
    IPAMConfig: Object.keys(ipam).length === 0 ? null : ipam,
    Links: links.length === 0 ? null : links,
    Aliases: aliases.length === 0 ? null : aliases,
    MacAddress: mac ?? '',
    DriverOpts: Object.keys(driverOptions).length === 0 ? null : driverOptions,
    GwPriority: priority,
  };
}

function conflict(why: string): WctrError {
  return new WctrError('invalid-argument', `conflicting options: ${why}`);
}

function bad(text: string, why: string): WctrError {
  return new WctrError('invalid-argument', `invalid network "${text}": ${why}`, {
    hint: 'write a name, or name=NETWORK,alias=NAME,ip=ADDRESS',
  });
}
