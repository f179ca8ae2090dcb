/**
 * A registry on loopback that does what a test tells it to: serves blobs and manifests, asks for logins, and misbehaves
 * by plan. It logs each request with its headers, so that a test can say who was shown a credential.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Descriptor, Digest } from '../../src/spec/image-spec.ts';

export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  body: string;
}

/** Answers the request itself and returns true, or leaves it to the registry. */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export type Login =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly kind: 'bearer';
      /** Whose `/token` is named in the challenge; default this server's. */
      readonly realm?: string;
      /** Without: a token for everyone. */
      readonly username?: string;
      readonly password?: string;
      readonly refreshToken?: string;
      readonly expiresInS?: number;
    };

export class FakeRegistry {
  readonly log: LoggedRequest[] = [];
  login: Login | undefined;
  /** Set to see requests for ranges ignored. */
  ignoresRange = false;
  private readonly server: Server;
  private readonly blobs = new Map<string, Uint8Array>();
  private readonly manifests = new Map<string, { bytes: Uint8Array; mediaType: string }>();
  private readonly tokens = new Set<string>();
  private faults: { fault: Fault; times: number }[] = [];

  constructor() {
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** `127.0.0.1:port` */
  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get origin(): string {
    return `http://${this.host}`;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  addBlob(bytes: Uint8Array): Digest {
    const digest = sha256(bytes);
    this.blobs.set(digest, bytes);
    return digest;
  }

  /** Serves these bytes under a digest that need not be theirs. */
  putBlob(digest: Digest, bytes: Uint8Array): void {
    this.blobs.set(digest, bytes);
  }

  removeBlob(digest: Digest): void {
    this.blobs.delete(digest);
  }

  addManifest(repository: string, tag: string | undefined, document: unknown, mediaType: string): Descriptor {
    const bytes = document instanceof Uint8Array ? document : new TextEncoder().encode(JSON.stringify(document));
    const digest = sha256(bytes);
    this.manifests.set(`${repository}@${digest}`, { bytes, mediaType });
    if (tag !== undefined) this.manifests.set(`${repository}:${tag}`, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  /** Lets `fault` look at the next `times` requests whose method and path match. */
  plan(pattern: RegExp, fault: Fault, times = Number.POSITIVE_INFINITY): void {
    const planned = {
      times,
      fault: (request: IncomingMessage, response: ServerResponse) => {
        if (planned.times <= 0 || !pattern.test(`${request.method} ${request.url}`)) return false;
        planned.times--;
        return fault(request, response);
      },
    };
    this.faults.push(planned);
  }

  clearPlans(): void {
    this.faults = [];
  }

  requests(pattern: RegExp): LoggedRequest[] {
    return this.log.filter(({ method, url }) => pattern.test(`${method} ${url}`));
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const logged: LoggedRequest = { method: request.method!, url: request.url!, headers: request.headers, body: '' };
    this.log.push(logged);
    for await (const chunk of request) logged.body += String(chunk);
    response.on('error', () => {});
    for (const { fault } of this.faults) {
      if (await fault(request, response)) return;
    }
    const path = request.url!.split('?')[0]!;
    if (path === '/token') return this.serveToken(logged, response);
    if (!this.letsIn(request, response)) return;
    if (path === '/v2/') return response.writeHead(200).end('{}');
    const found = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
    if (found?.[2] === 'manifests') return this.serveManifest(found[1]!, found[3]!, request, response);
    if (found?.[2] === 'blobs') return this.serveBlob(found[3]!, request, response);
    return refuse(response, 404, 'UNSUPPORTED', 'no such path');
  }

  private letsIn(request: IncomingMessage, response: ServerResponse): boolean {
    const { login } = this;
    const header = request.headers.authorization ?? '';
    if (login === undefined) return true;
    if (login.kind === 'basic') {
      if (header === basic(login.username, login.password)) return true;
      response.setHeader('www-authenticate', 'Basic realm="fake registry"');
    } else {
      if (this.tokens.has(header.replace(/^Bearer /, ''))) return true;
      const realm = login.realm ?? `${this.origin}/token`;
      response.setHeader('www-authenticate', `Bearer realm="${realm}",service="fake",scope="repository:any:pull"`);
    }
    refuse(response, 401, 'UNAUTHORIZED', 'authentication required');
    return false;
  }

  private serveToken(request: LoggedRequest, response: ServerResponse): unknown {
    const login = this.login;
    if (login?.kind !== 'bearer') return refuse(response, 404, 'UNSUPPORTED', 'no tokens here');
    const form = new URLSearchParams(request.body);
    const allowed =
      request.method === 'POST'
        ? form.get('grant_type') === 'refresh_token' && form.get('refresh_token') === login.refreshToken
        : login.username === undefined || request.headers.authorization === basic(login.username, login.password ?? '');
    if (!allowed) return refuse(response, 401, 'UNAUTHORIZED', 'wrong password');
    const token = `token-${this.tokens.size}`;
    this.tokens.add(token);
    const body = { token, ...(login.expiresInS === undefined ? {} : { expires_in: login.expiresInS }) };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  /** Makes every token given so far worthless. */
  revokeTokens(): void {
    const count = this.tokens.size;
    this.tokens.clear();
    for (let i = 0; i < count; i++) this.tokens.add(`revoked-${i}`);
  }

  private serveManifest(
    repository: string,
    reference: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): unknown {
    const manifest = this.manifests.get(`${repository}${reference.includes(':') ? '@' : ':'}${reference}`);
    if (manifest === undefined) {
      const known = [...this.manifests.keys()].some((key) => key.startsWith(`${repository}:`));
      return refuse(response, 404, known ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN', 'unknown');
    }
    response.writeHead(200, {
      'content-type': manifest.mediaType,
      'content-length': manifest.bytes.length,
      'docker-content-digest': sha256(manifest.bytes),
    });
    response.end(request.method === 'HEAD' ? undefined : manifest.bytes);
  }

  private serveBlob(digest: string, request: IncomingMessage, response: ServerResponse): unknown {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return refuse(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (first === 0 || this.ignoresRange) {
      response
        .writeHead(200, { 'content-length': bytes.length, 'content-type': 'application/octet-stream' })
        .end(bytes);
    } else if (first >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    } else {
      const range = `bytes ${first}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { 'content-length': bytes.length - first, 'content-range': range });
      response.end(bytes.subarray(first));
    }
  }
}

export async function startFakeRegistry(): Promise<FakeRegistry> {
  return new FakeRegistry().listen();
}

export function sha256(bytes: Uint8Array): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ code, message }] });
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    .end(body);
}

/** An answer without a story: `status(503)`. */
export function status(code: number, headers: Record<string, string> = {}, body = ''): Fault {
  return (_request, response) => {
    response.writeHead(code, headers).end(body);
    return true;
  };
}

/**
 * Announces all of `bytes` from the asked offset on, sends `count` of them, and cuts the connection. How much of it the
 * client gets to see is the host's affair: what a fetch has not handed on when the cut is noticed is lost.
 */
export function resetAfter(bytes: Uint8Array, count: number): Fault {
  return (request, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = first === 0 ? {} : { 'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(first === 0 ? 200 : 206, { 'content-length': bytes.length - first, ...headers });
    // Cut only when the bytes have left: destroy drops what is still queued.
    response.write(bytes.subarray(first, first + count), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
}

/** Sends `bytes` as a whole body, whatever was asked for and whatever `announced` says about its length. */
export function body(bytes: Uint8Array, headers: Record<string, string | number> = {}, code = 200): Fault {
  return (_request, response) => {
    response.writeHead(code, headers).end(bytes);
    return true;
  };
}

/** Sends `first` and then nothing at all. */
export function stall(first: Uint8Array, length: number): Fault {
  return (_request, response) => {
    response.writeHead(200, { 'content-length': length });
    response.write(first);
    return true;
  };
}

/** Sends what was asked for in pieces with pauses, so that there is time for something to happen in between. */
export function throttle(bytes: Uint8Array, pieceBytes: number, pauseMs: number): Fault {
  return async (request, response) => {
    const first = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const headers = first === 0 ? {} : { 'content-range': `bytes ${first}-${bytes.length - 1}/${bytes.length}` };
    response.writeHead(first === 0 ? 200 : 206, { 'content-length': bytes.length - first, ...headers });
    for (let at = first; at < bytes.length && !response.destroyed; at += pieceBytes) {
      response.write(bytes.subarray(at, Math.min(at + pieceBytes, bytes.length)));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    response.end();
    return true;
  };
}
