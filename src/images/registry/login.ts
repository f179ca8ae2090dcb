/** A login: does the registry let these credentials in? What is kept of it, and where, is the caller's affair. */
import { isWctrError, WctrError } from '../../errors.ts';
import { PING_PATH } from '../../spec/distribution-spec.ts';
import type { RegistryClient } from './client.ts';
import { DOCKER_HUB } from './registries.ts';

/** The key docker has kept for docker.io since the first registry protocol, and every name of that registry. */
const HUB_NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** `https://host/v1/` and `host` mean the registry `host`; nothing means Docker Hub. Throws `invalid-argument`. */
export function serverDomain(server: string | undefined): string {
  const host = (server ?? '')
    .trim()
    .replace(/^https?:\/\//i, '')
    .replace(/\/.*$/s, '');
  if (host === '' || HUB_NAMES.has(host)) return DOCKER_HUB;
  if (/^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(host) || /^\[[0-9a-fA-F:]+\](:\d{1,5})?$/.test(host)) return host;
  throw new WctrError('invalid-argument', 'the server to log in to is not a registry host', {
    hint: 'name it as in images: registry.example.com or localhost:5000',
  });
}

/**
 * @param client With the credentials to try.
 * @returns an identity token to be kept in place of the password, where the registry's token server gives one
 * @throws unauthorized, registry-unreachable, registry-error
 */
export async function login(client: RegistryClient, domain: string, signal?: AbortSignal): Promise<string | undefined> {
  const endpoint = client.origin(domain);
  const failed = (cause?: unknown): WctrError =>
    new WctrError('unauthorized', `${domain} refused the login: wrong username or password`, {
      data: { host: domain },
      ...(cause === undefined ? {} : { cause }),
    });
  const answer = await client.send(endpoint, { path: PING_PATH, offline: true, signal }).catch((error: unknown) => {
    throw isWctrError(error, 'unauthorized') && error.data.realm !== undefined ? failed(error) : error;
  });
  answer.discard();
  if (answer.status === 401 || answer.status === 403) throw failed();
  if (!answer.ok) {
    throw new WctrError('registry-error', `${domain} is no registry, or not in order: it answered ${answer.status}`, {
      data: { status: answer.status, host: domain },
    });
  }
  return client.authorizer.identityToken(await client.base(endpoint, signal));
}
