/**
 * How requests to a registry are authorised: nothing until the registry asks, then what it asked for. Tokens are kept
 * per registry and scope until they run out, and requests that need the same token share one trip to the token server.
 * Protocol: https://distribution.github.io/distribution/spec/auth/token/ and .../oauth/.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import { quote } from '../quote.ts';
import { isLoopback, mayPointToResolved } from './address.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { basicAuthorization, type CredentialSource, type Credentials } from './credentials.ts';
import { accessDenied } from './refusal.ts';
import type { Endpoint } from './registries.ts';
import { type Transport, untilAborted } from './transport.ts';

/** What a request is for. */
export interface Access {
  readonly endpoint: Endpoint;
  /** Where the endpoint is spoken to: scheme and host. */
  readonly base: URL;
  /** Token scopes with spaces between them; undefined for a ping. */
  readonly scope: string | undefined;
  /** What is asked for as people write it, for messages. */
  readonly repository?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Ask the token server for an identity token as well (a login). */
  readonly offline?: boolean | undefined;
}

interface Token {
  readonly authorization: string;
  readonly expiresAtMs: number;
  readonly refreshToken?: string;
}

const TOKEN_ANSWER_LIMIT_BYTES = 1024 * 1024;
const TOKEN_LIMIT_CHARS = 64 * 1024;
/** token.md: what counts when the server does not say. */
const DEFAULT_EXPIRY_S = 60;
/** A token is not used in its last seconds: it has to outlive the request. */
const EXPIRY_MARGIN_MS = 5_000;
const CLIENT_ID = 'wctr';

export class Authorizer {
  private readonly transport: Transport;
  private readonly source: CredentialSource;
  private readonly challenges = new Map<string, Challenge>();
  private readonly tokens = new Map<string, Promise<Token>>();
  private readonly problems = new Map<string, string>();
  /** By origin of the registry: what was given to be kept in place of a password. */
  private readonly identityTokens = new Map<string, string>();

  constructor(transport: Transport, source: CredentialSource = async () => undefined) {
    this.transport = transport;
    this.source = source;
  }

  /** The Authorization header for a request, from what the registry asked for before; undefined if it did not. */
  async header(access: Access): Promise<string | undefined> {
    const challenge = this.challenges.get(access.base.origin);
    return challenge === undefined ? undefined : this.respond(access, challenge);
  }

  /**
   * Takes in a 401. `used` is the header the refused request carried.
   * @returns the header to try once more with, or undefined when there is nothing better
   */
  async challenged(access: Access, answer: Headers, used: string | undefined): Promise<string | undefined> {
    const challenge = choose(parseChallenges(answer.get('www-authenticate')));
    if (challenge === undefined) return undefined;
    this.challenges.set(access.base.origin, challenge);
    if (used !== undefined) await this.forget(access, challenge, used);
    const header = await this.respond(access, challenge);
    return header === used ? undefined : header;
  }

  /** Takes in what a ping was answered with, so that the first real request needs no refusal. */
  learn(base: URL, answer: Headers): void {
    const challenge = choose(parseChallenges(answer.get('www-authenticate')));
    if (challenge !== undefined) this.challenges.set(base.origin, challenge);
  }

  /** What a login brought beside the right to go on. */
  identityToken(base: URL): string | undefined {
    return this.identityTokens.get(base.origin);
  }

  /** Why no credentials could be had for a host (a credential helper that failed), for the hint of a refusal. */
  problem(endpoint: Endpoint): string | undefined {
    return this.problems.get(endpoint.host);
  }

  private async respond(access: Access, challenge: Challenge): Promise<string | undefined> {
    return challenge.scheme === 'basic' ? this.basic(access) : (await this.token(access, challenge)).authorization;
  }

  private async basic({ endpoint, base }: Access): Promise<string | undefined> {
    const { username, password } = (await this.credentials(endpoint)) ?? {};
    if (username === undefined || password === undefined) return undefined;
    if (base.protocol !== 'https:' && !endpoint.insecure) {
      throw new WctrError('unauthorized', `${base.host} asks for a password over plain http, which is not sent`, {
        hint: `use https, or list "${base.host}" in insecure-registries`,
      });
    }
    return basicAuthorization(username, password);
  }

  /** Drops a token that was refused, but not a newer one that another request has fetched since. */
  private async forget(access: Access, challenge: Challenge, refused: string): Promise<void> {
    const key = tokenKey(access, challenge);
    const known = this.tokens.get(key);
    const token = await known?.catch(() => undefined);
    if (token?.authorization === refused && this.tokens.get(key) === known) this.tokens.delete(key);
  }

  private async token(access: Access, challenge: Challenge): Promise<Token> {
    const key = tokenKey(access, challenge);
    const known = this.tokens.get(key);
    if (known !== undefined) {
      const token = await untilAborted(known, { url: access.base, signal: access.signal });
      if (token.expiresAtMs - EXPIRY_MARGIN_MS > Date.now()) return token;
      if (this.tokens.get(key) === known) this.tokens.delete(key);
      else return this.token(access, challenge);
    }
    // Not tied to the caller's signal: others may be waiting for it. The transport's timeouts bound it.
    const fetching = this.fetchToken(access, challenge);
    this.tokens.set(key, fetching);
    fetching.catch(() => {
      if (this.tokens.get(key) === fetching) this.tokens.delete(key);
    });
    return untilAborted(fetching, { url: access.base, signal: access.signal });
  }

  private async fetchToken(access: Access, challenge: Challenge): Promise<Token> {
    const realm = await this.checkedRealm(access, challenge);
    const credentials = await this.credentials(access.endpoint);
    if (credentials?.registryToken !== undefined) {
      return {
        authorization: `Bearer ${credentials.registryToken}`,
        expiresAtMs: Date.now() + DEFAULT_EXPIRY_S * 1000,
      };
    }
    const request = tokenRequest(realm, challenge, access, credentials);
    const askedAt = Date.now();
    const answer = await this.transport.sendForBytes(request, TOKEN_ANSWER_LIMIT_BYTES, `the answer of ${realm.host}`);
    if (answer.status === 401 || answer.status === 403) {
      throw this.refusal(realm, access, credentials, answer.status);
    }
    if (answer.status !== 200) {
      throw new WctrError('registry-error', `the token server ${realm.host} answered ${answer.status}`, {
        data: { status: answer.status },
      });
    }
    const token = parseToken(answer.body, realm, askedAt);
    if (access.offline && token.refreshToken !== undefined) {
      this.identityTokens.set(access.base.origin, token.refreshToken);
    }
    return token;
  }

  /** Some registries let nobody have a token for what is not public, others give one that opens nothing. */
  private refusal(realm: URL, access: Access, credentials: Credentials | undefined, status: number): WctrError {
    const { endpoint, repository } = access;
    const { host } = endpoint;
    if (credentials === undefined) {
      const asked = {
        host,
        repository: repository ?? host,
        action: actionOf(access.scope),
        credentialProblem: this.problem(endpoint),
      };
      return accessDenied(asked, { status, host, realm: realm.host });
    }
    const { username } = credentials;
    const who = username === undefined ? 'the stored token' : `the password of user ${quote(username)}`;
    return new WctrError('unauthorized', `${realm.host} refused ${who} for ${host}`, {
      hint: `log in to ${host} again`,
      data: { status, host, realm: realm.host },
    });
  }

  private async checkedRealm({ base, endpoint }: Access, challenge: Challenge): Promise<URL> {
    const text = challenge.params.realm ?? '';
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    const shown = realm === undefined ? 'something that is no URL' : `${realm.protocol}//${realm.host}`;
    const refuse = (why: string): WctrError =>
      new WctrError('registry-error', `${base.host} names ${shown} as its token server: ${why}`, {
        data: { host: base.host, realm: text.slice(0, 256) },
      });
    if (realm === undefined || realm.username !== '' || realm.password !== '') throw refuse('refused');
    const plainHttpAllowed =
      base.protocol === 'http:' &&
      endpoint.insecure &&
      (realm.hostname === base.hostname || isLoopback(realm.hostname));
    if (realm.protocol !== 'https:' && !(realm.protocol === 'http:' && plainHttpAllowed)) {
      throw refuse('only https is allowed there');
    }
    if (!(await mayPointToResolved(base, realm, this.transport.lookup))) {
      throw refuse('an address of a private network');
    }
    return realm;
  }

  private async credentials(endpoint: Endpoint): Promise<Credentials | undefined> {
    try {
      return await this.source(endpoint.host);
    } catch (error) {
      if (isWctrError(error, 'invalid-argument')) throw error;
      // A broken credential helper must not stand in the way of public images; a refusal will name it.
      this.problems.set(endpoint.host, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }
}

/** Bearer before Basic, as docker does; other schemes are not ours. */
function choose(challenges: readonly Challenge[]): Challenge | undefined {
  return challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
}

/** What a scope is asked for, for messages. */
export function actionOf(scope: string | undefined): 'pull' | 'push' {
  return scope?.includes('push') === true ? 'push' : 'pull';
}

function tokenKey({ base, scope, offline }: Access, { params }: Challenge): string {
  return JSON.stringify([base.origin, params.realm, params.service, scope, offline === true]);
}

function tokenRequest(
  realm: URL,
  challenge: Challenge,
  { scope, offline }: Access,
  credentials: Credentials | undefined,
) {
  // Our own scope, not the one asked for: a registry cannot make us fetch a token for more than this transfer.
  const { service } = challenge.params;
  if (credentials?.identityToken !== undefined) {
    const fields = new URLSearchParams();
    if (service !== undefined) fields.set('service', service);
    if (scope !== undefined) fields.set('scope', scope);
    fields.set('grant_type', 'refresh_token');
    fields.set('client_id', CLIENT_ID);
    fields.set('refresh_token', credentials.identityToken);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return { url: realm, method: 'POST' as const, headers, body: fields.toString() };
  }
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set('service', service);
  // One parameter a scope here, all in one where OAuth 2 has it (RFC 6749, 3.3).
  if (scope !== undefined) url.searchParams.delete('scope');
  for (const one of scope?.split(' ') ?? []) url.searchParams.append('scope', one);
  const { username, password } = credentials ?? {};
  if (username === undefined || password === undefined) return { url };
  url.searchParams.set('account', username);
  if (offline) {
    url.searchParams.set('client_id', CLIENT_ID);
    url.searchParams.set('offline_token', 'true');
  }
  return { url, authorization: basicAuthorization(username, password) };
}

function parseToken(body: Uint8Array, realm: URL, askedAt: number): Token {
  const invalid = (): WctrError =>
    new WctrError('registry-error', `the token server ${realm.host} gave no usable token`);
  let document: { token?: unknown; access_token?: unknown; expires_in?: unknown; refresh_token?: unknown } | null;
  try {
    document = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw invalid();
  }
  const token = document?.token ?? document?.access_token;
  if (!isToken(token)) throw invalid();
  const refreshToken = document?.refresh_token;
  const expiry = document?.expires_in;
  const seconds = typeof expiry === 'number' && expiry >= DEFAULT_EXPIRY_S ? expiry : DEFAULT_EXPIRY_S;
  return {
    authorization: `Bearer ${token}`,
    expiresAtMs: askedAt + seconds * 1000,
    ...(isToken(refreshToken) ? { refreshToken } : {}),
  };
}

/** Visible ASCII only: a token ends up in a header. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TOKEN_LIMIT_CHARS && /^[\x21-\x7e]+$/.test(value);
}
