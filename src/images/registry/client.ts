/** A distribution-spec 1.1 client. One instance keeps tokens and what it learned about its registries. */
import { isWctrError, WctrError } from '../../errors.ts';
import { PING_PATH } from '../../spec/distribution-spec.ts';
import type { CreateHasher } from '../digest.ts';
import { Authorizer } from './auth.ts';
import type { CredentialSource } from './credentials.ts';
import { PushTarget } from './push-target.ts';
import { type Endpoint, endpointsOf, NO_REGISTRIES, type RegistriesConfig } from './registries.ts';
import { RemoteRepository } from './repository.ts';
import { type HttpAnswer, type HttpRequest, Transport, type TransportOptions, untilAborted } from './transport.ts';

export interface RegistryClientOptions extends TransportOptions {
  readonly createHasher: CreateHasher;
  /** Default: anonymous. */
  readonly credentials?: CredentialSource;
  readonly registries?: RegistriesConfig;
  /** Whether `fetch` sends a body as it comes. Browsers over HTTP/1.1 do not. Default true. */
  readonly canStream?: boolean;
}

/** Something that speaks plain http may answer a TLS handshake with silence. */
const PROBE = { https: { attempts: 1, headersTimeoutMs: 5_000 }, http: { attempts: 3 } } as const;

export interface RepositoryName {
  /** `docker.io`, `localhost:5000` */
  readonly domain: string;
  /** `library/hello` */
  readonly path: string;
}

export interface RegistryRequest extends Omit<HttpRequest, 'url' | 'authorization'> {
  /** Below the registry's own address; or where it sent us, which may be another host: that one gets no credentials. */
  readonly path: string | URL;
  readonly query?: Readonly<Record<string, string>>;
  /** Token scopes, with spaces between them. */
  readonly scope?: string;
  /** For messages. */
  readonly repository?: string;
  /** Ask for an identity token as well. */
  readonly offline?: boolean;
}

export class RegistryClient {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly createHasher: CreateHasher;
  readonly canStream: boolean;
  private readonly registries: RegistriesConfig;
  private readonly bases = new Map<string, Promise<URL>>();

  constructor(options: RegistryClientOptions) {
    this.transport = new Transport(options);
    this.authorizer = new Authorizer(this.transport, options.credentials);
    this.createHasher = options.createHasher;
    this.canStream = options.canStream ?? true;
    this.registries = options.registries ?? NO_REGISTRIES;
  }

  repository(name: RepositoryName): RemoteRepository {
    return new RemoteRepository(this, name, endpointsOf(name.domain, this.registries));
  }

  /** The repository as it is written to: at the registry itself, never at a mirror. */
  target(name: RepositoryName): PushTarget {
    return new PushTarget(this, name, this.origin(name.domain));
  }

  /** Is there a registry, and does it let us in? @throws registry-unreachable, unauthorized, registry-error */
  async ping(domain: string, signal?: AbortSignal): Promise<void> {
    const endpoint = this.origin(domain);
    const answer = await this.send(endpoint, { path: PING_PATH, signal });
    answer.discard();
    if (answer.ok) return;
    const code = answer.status === 401 || answer.status === 403 ? 'unauthorized' : 'registry-error';
    throw new WctrError(code, `${endpoint.host} answered ${answer.status} to a ping`, {
      data: { status: answer.status },
    });
  }

  /** The server that is the registry of a name itself. */
  origin(domain: string): Endpoint {
    return endpointsOf(domain, this.registries).at(-1)!;
  }

  /** One request with the authorisation the registry asks for; at most one more after a 401. */
  async send(endpoint: Endpoint, request: RegistryRequest): Promise<HttpAnswer> {
    const base = await this.base(endpoint, request.signal);
    const { path, query, scope, repository, offline, ...rest } = request;
    const access = { endpoint, base, scope, repository, signal: request.signal, offline };
    const url = new URL(path instanceof URL ? path : base);
    // Set, not resolved: a mirror's prefix that starts with two slashes must not become a host.
    if (typeof path === 'string') url.pathname = `${endpoint.prefix}${path}`;
    for (const [name, value] of Object.entries(query ?? {})) {
      // Appended as text: what a server wrote into a Location may be signed to the letter.
      url.search += `${url.search === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
    }
    if (url.origin !== base.origin) return this.transport.send({ ...rest, url });
    const authorization = await this.authorizer.header(access);
    const answer = await this.transport.send({ ...rest, url, authorization });
    // Only the registry itself may ask for a login, not where it redirects to.
    if (answer.status !== 401 || answer.url.origin !== base.origin) return answer;
    const better = await this.authorizer.challenged(access, answer.headers, authorization);
    if (better === undefined) return answer;
    answer.discard();
    return this.transport.send({ ...rest, url, authorization: better });
  }

  /** Scheme and host an endpoint is reached at: found out once where http is allowed. */
  base(endpoint: Endpoint, signal?: AbortSignal): Promise<URL> {
    const [first, second] = endpoint.schemes;
    if (second === undefined) return Promise.resolve(new URL(`${first}://${endpoint.host}`));
    let finding = this.bases.get(endpoint.host);
    if (finding === undefined) {
      finding = this.probe(endpoint);
      this.bases.set(endpoint.host, finding);
      finding.catch(() => this.bases.delete(endpoint.host));
    }
    return untilAborted(finding, { url: new URL(`https://${endpoint.host}`), signal });
  }

  private async probe(endpoint: Endpoint): Promise<URL> {
    let failure: unknown;
    for (const scheme of endpoint.schemes) {
      const base = new URL(`${scheme}://${endpoint.host}`);
      try {
        const answer = await this.transport.send({ url: new URL(PING_PATH, base), ...PROBE[scheme] });
        answer.discard();
        this.authorizer.learn(base, answer.headers);
        return base;
      } catch (error) {
        // A certificate that is not trusted is the answer: going on in the clear would hide it.
        if (isWctrError(error) && error.data.certificate === true) throw error;
        failure = error;
      }
    }
    throw failure;
  }
}
