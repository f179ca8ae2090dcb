/** What the engine does at registries beside pulling. */
import { WctrError } from '../errors.ts';
import { inspectDistribution } from '../images/distribution.ts';
import { parsePlatform } from '../images/platform.ts';
import { localTags, type PushRequest, pushImage } from '../images/push.ts';
import { canonicalRepository, familiarRepository, parseReference } from '../images/reference.ts';
import type { CredentialSource, Credentials } from '../images/registry/credentials.ts';
import { sameRegistry } from '../images/registry/docker-config.ts';
import { login, serverDomain } from '../images/registry/login.ts';
import { searchRegistry, splitTerm } from '../images/registry/search.ts';
import type { DistributionInspect, SearchResult } from '../spec/engine-api.ts';
import type {
  LoginOutcome,
  LoginRequest,
  PushedTag,
  PushOptions,
  RegistryCallOptions,
  SearchOptions,
} from './engine.ts';
import type { EngineParts } from './parts.ts';

const DEFAULT_SEARCH_LIMIT = 25;

export async function push(
  parts: EngineParts,
  name: string,
  options: PushOptions & Pick<PushRequest, 'permit'> & { readonly logins?: CredentialSource } = {},
): Promise<readonly PushedTag[]> {
  const { images, leases } = parts;
  const { all = false, platform, credentials, onEvent, signal, permit } = options;
  const named = parseReference(name);
  if (all && (named.digest !== undefined || /:[^/]*$/.test(name))) {
    throw new WctrError('invalid-argument', 'a tag cannot be given with --all-tags', {
      hint: `leave it out: ${familiarRepository(named)}`,
    });
  }
  const references = all ? await localTags(images, named) : [named];
  if (references.length === 0) {
    throw new WctrError('no-such-image', `no such image: ${familiarRepository(named)} has no tag here`);
  }
  const registry = await parts.registry(options.logins ?? onlyFor(named.domain, credentials));
  onEvent?.({ status: `The push refers to repository [${canonicalRepository(named)}]` });
  const pushed: PushedTag[] = [];
  for (const reference of references) {
    const done = await pushImage({
      reference,
      images,
      leases,
      registry,
      platform: platform === undefined ? undefined : parsePlatform(platform),
      permit,
      onEvent,
      signal,
    });
    pushed.push(done);
    await parts.events.append({
      Type: 'image',
      Action: 'push',
      Actor: {
        ID: `${familiarRepository(reference)}:${done.tag}`,
        Attributes: { name: familiarRepository(reference) },
      },
    });
  }
  return pushed;
}

export async function search(
  parts: EngineParts,
  term: string,
  { limit = DEFAULT_SEARCH_LIMIT, filters = {}, credentials, signal }: SearchOptions = {},
): Promise<readonly SearchResult[]> {
  const { domain } = splitTerm(term);
  const wanted = searchFilter(filters);
  const found = await searchRegistry(await parts.registry(onlyFor(domain, credentials)), term, limit, signal);
  return found.filter(wanted);
}

export async function distribution(
  parts: EngineParts,
  name: string,
  { credentials, signal }: RegistryCallOptions = {},
): Promise<DistributionInspect> {
  const reference = parseReference(name);
  return inspectDistribution(await parts.registry(onlyFor(reference.domain, credentials)), reference, signal);
}

export async function logIn(parts: EngineParts, request: LoginRequest): Promise<LoginOutcome> {
  const { server, signal, ...credentials } = request;
  const domain = serverDomain(server);
  const identityToken = await login(await parts.registry(onlyFor(domain, credentials)), domain, signal);
  return { status: 'Login Succeeded', ...(identityToken === undefined ? {} : { identityToken }) };
}

/** A login goes to the registry it is for, and nowhere else. */
export function onlyFor(domain: string, credentials: Credentials | undefined): CredentialSource | undefined {
  if (credentials === undefined) return undefined;
  return async (host) => (sameRegistry(host, domain) ? credentials : undefined);
}

function searchFilter(filters: NonNullable<SearchOptions['filters']>): (found: SearchResult) => boolean {
  const known = ['stars', 'is-official', 'is-automated'];
  const other = Object.keys(filters).find((name) => !known.includes(name));
  if (other !== undefined) {
    throw new WctrError('invalid-argument', `invalid filter '${other}'`, { hint: `known: ${known.join(', ')}` });
  }
  const stars = Math.max(0, ...(filters.stars ?? []).map(Number));
  if (Number.isNaN(stars)) throw new WctrError('invalid-argument', "invalid filter 'stars': expected a number");
  const flag = (name: string): boolean | undefined => {
    const value = filters[name]?.at(-1);
    if (value === undefined) return undefined;
    if (/^(1|t|true)$/i.test(value)) return true;
    if (/^(0|f|false)$/i.test(value)) return false;
    throw new WctrError('invalid-argument', `invalid filter '${name}=${value}'`, { hint: 'expected true or false' });
  };
  const official = flag('is-official');
  const automated = flag('is-automated');
  return (found) =>
    found.star_count >= stars &&
    (official === undefined || found.is_official === official) &&
    (automated === undefined || found.is_automated === automated);
}
