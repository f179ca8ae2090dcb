/**
 * Which servers stand for a registry's name, and how they are spoken to. Configuration has the keys of docker's
 * daemon.json: `{"registry-mirrors": ["https://mirror.example"], "insecure-registries": ["reg.lan:5000"]}`.
 */
import { WctrError } from '../../errors.ts';
import { isLoopback } from './address.ts';

export const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_SERVER = 'registry-1.docker.io';

export interface RegistriesConfig {
  /** Base URLs tried before docker.io itself, in order; as with docker they stand for docker.io only. */
  readonly mirrors: readonly string[];
  /** `host` or `host:port` that may be spoken to over plain http. Loopback hosts are always in. */
  readonly insecure: readonly string[];
}

export const NO_REGISTRIES: RegistriesConfig = { mirrors: [], insecure: [] };

/** One server. `schemes` are tried in order; a loopback or insecure host that has no TLS is then asked over http. */
export interface Endpoint {
  /** `host[:port]` credentials are looked up under. */
  readonly host: string;
  /** Path prefix of a mirror without trailing slash, mostly empty. */
  readonly prefix: string;
  readonly schemes: readonly ('https' | 'http')[];
  /** Plain http was asked for or is on this machine: credentials may go over it. */
  readonly insecure: boolean;
  readonly mirror: boolean;
}

/** @throws invalid-argument naming `source` when the text is not what docker's daemon.json would have. */
export function parseRegistriesConfig(text: string, source: string): RegistriesConfig {
  const document = parseObject(text, source);
  const mirrors = stringList(document, 'registry-mirrors', source);
  for (const mirror of mirrors) mirrorUrl(mirror, source);
  return { mirrors, insecure: stringList(document, 'insecure-registries', source) };
}

/** Servers to ask for images of `registry`, in order. */
export function endpointsOf(registry: string, config: RegistriesConfig): readonly Endpoint[] {
  if (registry !== DOCKER_HUB) return [endpointOf(registry, config)];
  const mirrors = config.mirrors.map((mirror) => mirrorEndpoint(mirrorUrl(mirror, 'registry-mirrors'), config));
  return [...mirrors, { ...endpointOf(DOCKER_HUB_SERVER, config), host: DOCKER_HUB_SERVER }];
}

function endpointOf(host: string, config: RegistriesConfig): Endpoint {
  const url = parseHost(host);
  const insecure = isLoopback(url.hostname) || config.insecure.includes(host);
  return { host, prefix: '', schemes: schemesFor(host, insecure), insecure, mirror: false };
}

function mirrorEndpoint(url: URL, config: RegistriesConfig): Endpoint {
  const insecure = isLoopback(url.hostname) || config.insecure.includes(url.host);
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  return { host: url.host, prefix: url.pathname.replace(/\/+$/, ''), schemes: [scheme], insecure, mirror: true };
}

function schemesFor(host: string, insecure: boolean): readonly ('https' | 'http')[] {
  // Docker's order: TLS first even where http is allowed, so that a registry with TLS is never spoken to in the clear.
  if (!insecure || host.endsWith(':443')) return ['https'];
  return host.endsWith(':80') ? ['http'] : ['https', 'http'];
}

function parseHost(host: string): URL {
  const url = URL.canParse(`http://${host}`) ? new URL(`http://${host}`) : undefined;
  if (url === undefined || url.pathname !== '/' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new WctrError('invalid-reference', `invalid registry host "${host}"`);
  }
  return url;
}

function mirrorUrl(text: string, source: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '') {
    throw new WctrError('invalid-argument', `${source}: invalid mirror "${text}"`, {
      hint: 'a mirror is an http(s) URL such as "https://mirror.example"',
    });
  }
  return url;
}

function parseObject(text: string, source: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new WctrError('invalid-argument', `${source} is not valid JSON`, { cause, data: { path: source } });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WctrError('invalid-argument', `${source} must hold a JSON object`, { data: { path: source } });
  }
  return value as Record<string, unknown>;
}

function stringList(document: Record<string, unknown>, key: string, source: string): readonly string[] {
  const value = document[key] ?? [];
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string')) {
    throw new WctrError('invalid-argument', `${source}: "${key}" must be a list of strings`);
  }
  return value;
}
