/**
 * A registry on loopback that can be pushed to, and that breaks and lies as a test tells it to. What arrived of an upload
 * before its connection broke counts, as the distribution-spec wants it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basic, sha256 } from './registry-server.ts';

export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** Bytes of the body that arrived. */
  bytes: number;
  text: string;
}

/** Answers in the registry's place and returns true. Called before the body is read. */
export type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

interface Upload {
  readonly repository: string;
  readonly parts: Buffer[];
}

export class PushRegistry {
  readonly seen: SeenRequest[] = [];
  readonly blobs = new Map<string, Buffer>();
  /** `repository@digest` and `repository:tag`. */
  readonly manifests = new Map<string, { bytes: Buffer; mediaType: string }>();
  readonly uploads = new Map<string, Upload>();
  /** What an upload's Location looks like. */
  locate = (path: string): string => path;
  canMount = true;
  keepsReferrers = true;
  minChunkBytes: number | undefined;
  /** Password login, or tokens by scope. */
  login: { readonly kind: 'basic' | 'bearer'; readonly username: string; readonly password: string } | undefined;
  readonly scopes: string[][] = [];
  refreshToken: string | undefined;
  private readonly tokens = new Set<string>();
  private plans: { pattern: RegExp; times: number; act: Misbehaviour }[] = [];
  private readonly server: Server;
  private counter = 0;

  constructor() {
    this.server = createServer((request, response) => {
      response.on('error', () => {});
      this.handle(request, response).catch(() => response.destroy());
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  plan(pattern: RegExp, act: Misbehaviour, times = Number.POSITIVE_INFINITY): void {
    this.plans.push({ pattern, times, act });
  }

  requests(pattern: RegExp): SeenRequest[] {
    return this.seen.filter(({ method, url }) => pattern.test(`${method} ${url}`));
  }

  received(id: string): Buffer {
    return Buffer.concat(this.uploads.get(id)?.parts ?? []);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const seen: SeenRequest = {
      method: request.method!,
      url: request.url!,
      headers: request.headers,
      bytes: 0,
      text: '',
    };
    this.seen.push(seen);
    const url = new URL(request.url!, `http://${this.host}`);
    if (url.pathname === '/token') return this.giveToken(request, seen, response, url);
    for (const plan of this.plans) {
      if (plan.times <= 0 || !plan.pattern.test(`${seen.method} ${seen.url}`)) continue;
      plan.times--;
      if (await plan.act(request, response)) return;
    }
    if (!this.letsIn(request, response)) return;
    if (url.pathname === '/v2/') return response.writeHead(200).end('{}');
    const [, repository, kind, rest = ''] =
      /^\/v2\/(.+?)\/(blobs|manifests|referrers|tags)\/(.*)$/.exec(url.pathname) ?? [];
    if (repository === undefined) return refuse(response, 404, 'UNSUPPORTED');
    if (kind === 'blobs' && rest.startsWith('uploads/')) {
      return this.upload(request, response, seen, repository, rest.slice('uploads/'.length), url);
    }
    if (kind === 'blobs') return this.blob(request, response, rest);
    if (kind === 'manifests') return this.manifest(request, response, seen, repository, rest);
    if (kind === 'referrers' && this.keepsReferrers) return this.referrers(response, repository, rest);
    return refuse(response, 404, 'UNSUPPORTED');
  }

  private async upload(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    repository: string,
    id: string,
    url: URL,
  ): Promise<unknown> {
    if (request.method === 'POST') {
      const mount = url.searchParams.get('mount');
      if (mount !== null && this.canMount && this.blobs.has(mount)) {
        return response.writeHead(201, { location: `/v2/${repository}/blobs/${mount}` }).end();
      }
      const session = String(++this.counter);
      this.uploads.set(session, { repository, parts: [] });
      const min = this.minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': String(this.minChunkBytes) };
      return response.writeHead(202, { location: this.location(repository, session), ...min }).end();
    }
    const session = this.uploads.get(id);
    if (session === undefined) return refuse(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    const size = () => session.parts.reduce((sum, part) => sum + part.length, 0);
    const state = () => ({
      location: this.location(repository, id),
      range: `0-${Math.max(0, size() - 1)}`,
    });
    if (request.method === 'GET') return response.writeHead(204, state()).end();
    if (request.method === 'DELETE') {
      this.uploads.delete(id);
      return response.writeHead(204).end();
    }
    const range = /^(\d+)-(\d+)$/.exec(request.headers['content-range'] ?? '');
    if (range !== null && Number(range[1]) !== size()) return response.writeHead(416, state()).end();
    for await (const part of request as AsyncIterable<Buffer>) {
      session.parts.push(part);
      seen.bytes += part.length;
    }
    if (request.method === 'PATCH') return response.writeHead(202, state()).end();
    const digest = url.searchParams.get('digest') ?? '';
    const bytes = Buffer.concat(session.parts);
    if (sha256(bytes) !== digest) return refuse(response, 400, 'DIGEST_INVALID');
    this.blobs.set(digest, bytes);
    this.uploads.delete(id);
    response.writeHead(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest }).end();
  }

  private location(repository: string, id: string): string {
    return this.locate(`/v2/${repository}/blobs/uploads/${id}?_state=a%3Db%2Bc==&n=${this.counter}`);
  }

  private blob(request: IncomingMessage, response: ServerResponse, digest: string): unknown {
    const bytes = this.blobs.get(digest);
    if (bytes === undefined) return refuse(response, 404, 'BLOB_UNKNOWN');
    response.writeHead(200, { 'content-length': bytes.length, 'docker-content-digest': digest });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  private async manifest(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    repository: string,
    reference: string,
  ): Promise<unknown> {
    const key = `${repository}${reference.includes(':') ? '@' : ':'}${reference}`;
    if (request.method === 'PUT') {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const bytes = Buffer.concat(parts);
      seen.bytes = bytes.length;
      const digest = sha256(bytes);
      const stored = { bytes, mediaType: request.headers['content-type'] ?? '' };
      this.manifests.set(key, stored);
      this.manifests.set(`${repository}@${digest}`, stored);
      const { subject } = JSON.parse(bytes.toString()) as { subject?: { digest: string } };
      const told = subject !== undefined && this.keepsReferrers ? { 'oci-subject': subject.digest } : {};
      return response.writeHead(201, { 'docker-content-digest': digest, ...told }).end();
    }
    const found = this.manifests.get(key);
    if (found === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    response.writeHead(200, {
      'content-type': found.mediaType,
      'content-length': found.bytes.length,
      'docker-content-digest': sha256(found.bytes),
    });
    response.end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  private referrers(response: ServerResponse, repository: string, subject: string): void {
    const manifests = [...this.manifests].flatMap(([key, { bytes, mediaType }]) => {
      if (!key.startsWith(`${repository}@`)) return [];
      const document = JSON.parse(bytes.toString());
      if (document.subject?.digest !== subject) return [];
      const artifactType = document.artifactType ?? document.config?.mediaType;
      return [
        { mediaType, digest: sha256(bytes), size: bytes.length, artifactType, annotations: document.annotations },
      ];
    });
    const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests };
    response.writeHead(200, { 'content-type': index.mediaType }).end(JSON.stringify(index));
  }

  private letsIn(request: IncomingMessage, response: ServerResponse): boolean {
    const { login } = this;
    if (login === undefined) return true;
    const header = request.headers.authorization ?? '';
    if (login.kind === 'basic' && header === basic(login.username, login.password)) return true;
    if (login.kind === 'bearer' && this.tokens.has(header.replace(/^Bearer /, ''))) return true;
    const challenge =
      login.kind === 'basic' ? 'Basic realm="push"' : `Bearer realm="http://${this.host}/token",service="push"`;
    response.setHeader('www-authenticate', challenge);
    refuse(response, 401, 'UNAUTHORIZED');
    return false;
  }

  private giveToken(request: IncomingMessage, seen: SeenRequest, response: ServerResponse, url: URL): unknown {
    const { login } = this;
    this.scopes.push(url.searchParams.getAll('scope'));
    seen.text = url.search;
    if (login === undefined || request.headers.authorization !== basic(login.username, login.password)) {
      return refuse(response, 401, 'UNAUTHORIZED');
    }
    const token = `token-${this.tokens.size}`;
    this.tokens.add(token);
    const refresh =
      this.refreshToken !== undefined && url.searchParams.get('offline_token') === 'true'
        ? { refresh_token: this.refreshToken }
        : {};
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token, ...refresh }));
  }
}

export async function startPushRegistry(): Promise<PushRegistry> {
  return new PushRegistry().listen();
}

function refuse(response: ServerResponse, code: number, name: string): void {
  const body = JSON.stringify({ errors: [{ code: name, message: name.toLowerCase() }] });
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
}

/** Takes `count` bytes of the body into nothing and cuts the connection. */
export function cutAfter(registry: PushRegistry, count: number, keep: boolean): Misbehaviour {
  return async (request, response) => {
    const id = /uploads\/(\d+)/.exec(request.url!)?.[1] ?? '';
    let left = count;
    for await (const part of request as AsyncIterable<Buffer>) {
      const taken = part.subarray(0, left);
      left -= taken.length;
      if (keep) registry.uploads.get(id)?.parts.push(taken);
      if (left === 0) break;
    }
    response.destroy();
    return true;
  };
}

export function answer(code: number, headers: Record<string, string> = {}, body = ''): Misbehaviour {
  return (request, response) => {
    request.resume();
    response.writeHead(code, headers).end(body);
    return true;
  };
}
