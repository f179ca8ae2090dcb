/**
 * `search`: the one request of the first registry protocol that Docker Hub still answers, `GET /v1/search`. The OCI
 * distribution spec has nothing like it.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import { quote } from '../quote.ts';
import type { RegistryClient } from './client.ts';
import { DOCKER_HUB } from './registries.ts';

export interface FoundRepository {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
  readonly is_automated: boolean;
}

const HUB_INDEX = 'index.docker.io';
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024;
const MAX_RESULTS = 100;

/** `localhost:5000/term` searches that registry, anything else Docker Hub. */
export function splitTerm(term: string): { domain: string; query: string } {
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  if (!/[.:]/.test(first) && first !== 'localhost') return { domain: DOCKER_HUB, query: term };
  const isHub = first === DOCKER_HUB || first === HUB_INDEX;
  return { domain: isHub ? DOCKER_HUB : first, query: term.slice(slash + 1) };
}

/** @throws unsupported where there is no search, and what requests throw */
export async function searchRegistry(
  client: RegistryClient,
  term: string,
  limit: number,
  signal?: AbortSignal,
): Promise<readonly FoundRepository[]> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_RESULTS) {
    throw new WctrError('invalid-argument', `the limit ${limit} is outside the range of 1 to ${MAX_RESULTS}`);
  }
  const { domain, query } = splitTerm(term);
  const endpoint = client.origin(domain === DOCKER_HUB ? HUB_INDEX : domain);
  const denied = (cause?: unknown): WctrError =>
    new WctrError('unauthorized', `${domain} lets nobody search without a login`, {
      hint: `log in: wctr login ${domain}`,
      ...(cause === undefined ? {} : { cause }),
    });
  const request = { path: '/v1/search', query: { q: query, n: String(limit) }, signal };
  const answer = await client.send(endpoint, request).catch((error: unknown) => {
    throw isWctrError(error, 'unauthorized') ? denied(error) : error;
  });
  const body = await answer.bytes(ANSWER_LIMIT_BYTES, 'the answer to a search');
  const results = answer.status === 200 ? parseResults(body) : undefined;
  if (results !== undefined) return results.slice(0, limit);
  if (answer.status === 401 || answer.status === 403) throw denied();
  if (answer.status >= 500) {
    throw new WctrError('registry-error', `${domain} answered ${answer.status} to a search for ${quote(query)}`);
  }
  throw new WctrError('unsupported', `${domain} does not offer to be searched`, {
    hint: 'Docker Hub does; other registries mostly have a web page or a command of their own',
    data: { status: answer.status },
  });
}

function parseResults(body: Uint8Array): readonly FoundRepository[] | undefined {
  let document: { results?: unknown } | null;
  try {
    document = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (!Array.isArray(document?.results)) return undefined;
  return document.results.flatMap((entry: Record<string, unknown> | null) => {
    if (typeof entry?.name !== 'string') return [];
    return [
      {
        name: entry.name,
        description: typeof entry.description === 'string' ? entry.description : '',
        star_count: typeof entry.star_count === 'number' ? entry.star_count : 0,
        is_official: entry.is_official === true,
        is_automated: entry.is_automated === true,
      },
    ];
  });
}
