/** The options of BuildKit's frontend `dockerfile.v0`: frontend/dockerui/config.go of github.com/moby/buildkit. */
import type { BuildRequest, CacheLocation } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';
import type { Attributes } from './solves.ts';

type Options = Pick<
  BuildRequest,
  | 'buildArgs'
  | 'labels'
  | 'target'
  | 'noCache'
  | 'platforms'
  | 'pull'
  | 'network'
  | 'extraHosts'
  | 'memoryBytes'
  | 'cacheFrom'
  | 'provenance'
>;

/** Throws `invalid-argument`, `unsupported`. */
export function buildOptions(attributes: Attributes): Options {
  const target = attributes.get('target') || undefined;
  const noCache = attributes.get('no-cache');
  const platforms = attributes.get('platform')?.split(',').filter(Boolean) ?? [];
  const network = networkOf(attributes.get('force-network-mode') ?? '');
  const extraHosts = extraHostsOf(attributes.get('add-hosts') ?? '');
  const memory = attributes.get('memory');
  const cacheFrom = cacheImportsOf(attributes);
  const provenance = provenanceOf(attributes);
  return {
    buildArgs: prefixed(attributes, 'build-arg:'),
    labels: prefixed(attributes, 'label:'),
    ...(target === undefined ? {} : { target }),
    ...(noCache === undefined ? {} : { noCache: noCache === '' ? true : noCache.split(',') }),
    ...(platforms.length === 0 ? {} : { platforms }),
    ...(attributes.get('image-resolve-mode') === 'pull' ? { pull: true } : {}),
    ...(network === undefined ? {} : { network }),
    ...(extraHosts.length === 0 ? {} : { extraHosts }),
    ...(memory === undefined || !/^\d{1,15}$/.test(memory) ? {} : { memoryBytes: Number(memory) }),
    ...(cacheFrom.length === 0 ? {} : { cacheFrom }),
    ...(provenance === undefined ? {} : { provenance }),
  };
}

/** What is asked for and has no meaning for programs of Wasm. */
export function meaningless(attributes: Attributes): string[] {
  return ['ulimit', 'shm-size', 'cgroup-parent'].filter((name) => attributes.get(name));
}

/** `{ NAME: value }` of every `<prefix>NAME`. */
export function prefixed(attributes: Attributes, prefix: string): Record<string, string> {
  const found: [string, string][] = [];
  for (const [name, value] of attributes) {
    if (name.startsWith(prefix)) found.push([name.slice(prefix.length), value]);
  }
  return Object.fromEntries(found);
}

function networkOf(mode: string): BuildRequest['network'] {
  if (mode === '' || mode === 'sandbox') return undefined;
  if (mode === 'none' || mode === 'host') return mode;
  throw new WctrError('invalid-argument', `invalid network mode ${quote(mode)}`);
}

/** `name=address,…` -> `name:address`. */
function extraHostsOf(list: string): string[] {
  if (list === '') return [];
  return list.split(',').map((field) => {
    const [, name, address] = /^"?([^=]+)=([^"]+)"?$/.exec(field) ?? [];
    if (address === undefined) throw new WctrError('invalid-argument', `invalid host ${quote(field)}`);
    return `${name}:${address}`;
  });
}

/** Of a registry alone: a client's own directory is not ours. */
export function cacheLocation(type: string, attrs: Attributes): CacheLocation {
  const reference = attrs.get('ref');
  if (type === 'registry' && reference !== undefined) return { type, reference };
  throw new WctrError('unsupported', `a build cache of type ${quote(type)} is not read or written for this client`, {
    hint: 'use type=registry, or wctr build for type=local',
  });
}

function cacheImportsOf(attributes: Attributes): CacheLocation[] {
  const text = attributes.get('cache-imports');
  const found: CacheLocation[] = [];
  for (const reference of attributes.get('cache-from')?.split(',').filter(Boolean) ?? []) {
    found.push({ type: 'registry', reference });
  }
  if (text === undefined || text === '') return found;
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (cause) {
    throw new WctrError('invalid-argument', 'invalid cache-imports: not JSON', { cause });
  }
  for (const entry of Array.isArray(entries) ? entries : []) {
    const { Type, Attrs } = (entry ?? {}) as { Type?: unknown; Attrs?: unknown };
    found.push(cacheLocation(String(Type), new Map(Object.entries((Attrs ?? {}) as Record<string, string>))));
  }
  return found;
}

/** What clients ask for when nobody asked them (`inline-only`) is not made: equal files make equal images. */
function provenanceOf(attributes: Attributes): BuildRequest['provenance'] {
  const fields = (name: string) => {
    const text = attributes.get(`attest:${name}`);
    return text === undefined ? undefined : new Map(text.split(',').map((field) => split(field)));
  };
  const isOff = (found: ReadonlyMap<string, string>) => found.get('disabled') === 'true' || found.has('false');
  const sbom = fields('sbom');
  if (sbom !== undefined && !isOff(sbom)) {
    throw new WctrError('unsupported', 'an SBOM attestation is not made', { hint: 'leave --sbom out' });
  }
  const found = fields('provenance');
  if (found === undefined || isOff(found) || found.get('inline-only') === 'true') return undefined;
  return found.get('mode') === 'max' ? 'max' : 'min';
}

function split(field: string): [string, string] {
  const at = field.indexOf('=');
  return at < 0 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
}
