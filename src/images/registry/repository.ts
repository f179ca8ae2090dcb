/** One repository of a registry: its manifests and blobs, from the first of its servers that has them. */
import { isWctrError, WctrError } from '../../errors.ts';
import {
  blobPath,
  HEADER_CONTENT_DIGEST,
  MANIFEST_LIMIT_BYTES,
  manifestPath,
  pullScope,
} from '../../spec/distribution-spec.ts';
import { type Descriptor, type Digest, MANIFEST_MEDIA_TYPES, MEDIA_TYPE } from '../../spec/image-spec.ts';
import type { BlobOrigin } from '../contracts.ts';
import { digestParts, isDigest } from '../digest.ts';
import { quote } from '../quote.ts';
import { familiarRepository } from '../reference.ts';
import { blobOrigin } from './blob.ts';
import type { RegistryClient, RepositoryName } from './client.ts';
import { refusalError } from './refusal.ts';
import type { Endpoint } from './registries.ts';
import type { HttpAnswer } from './transport.ts';

export interface RemoteManifest {
  /** Media type as sent, digest and size of the bytes. */
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const ERROR_BODY_LIMIT_BYTES = 64 * 1024;
const SCHEMA_1: readonly string[] = [MEDIA_TYPE.dockerSchema1, MEDIA_TYPE.dockerSchema1Signed];

export class RemoteRepository {
  /** As people write it, for messages. */
  readonly shownName: string;
  private readonly client: RegistryClient;
  private readonly path: string;
  /** Best first: the server that had the manifest is asked for the blobs first. */
  private endpoints: readonly Endpoint[];

  constructor(client: RegistryClient, name: RepositoryName, endpoints: readonly Endpoint[]) {
    this.client = client;
    this.path = name.path;
    this.shownName = familiarRepository(name);
    this.endpoints = endpoints;
  }

  /**
   * What a tag points at, by HEAD, which registries do not count as a pull. Undefined when the answer does not say all
   * of it; `manifest` then will, with the reason.
   */
  async head(tag: string, signal?: AbortSignal): Promise<Descriptor | undefined> {
    return this.firstEndpoint(async (endpoint) => {
      const answer = await this.request(endpoint, 'HEAD', tag, signal);
      answer.discard();
      const digest = answer.headers.get(HEADER_CONTENT_DIGEST);
      const mediaType = mediaTypeOf(answer);
      const size = answer.announcedBytes;
      const complete = answer.status === 200 && isDigest(digest) && size !== undefined;
      return complete && MANIFEST_MEDIA_TYPES.includes(mediaType) ? { mediaType, digest, size } : undefined;
    });
  }

  /**
   * A manifest or index by tag or digest, checked against the digest asked for or announced.
   * @throws no-such-image, unauthorized, digest-mismatch, unsupported-media-type, limit-exceeded, registry-*
   */
  async manifest(reference: string, signal?: AbortSignal): Promise<RemoteManifest> {
    return this.firstEndpoint(async (endpoint) => {
      const { answer, body } = await this.fetchManifest(endpoint, reference, signal);
      const mediaType = mediaTypeOf(answer);
      this.checkMediaType(mediaType, reference, endpoint);
      const digest = this.checkDigest(reference, answer.headers.get(HEADER_CONTENT_DIGEST), body);
      this.endpoints = [endpoint, ...this.endpoints.filter((other) => other !== endpoint)];
      return { descriptor: { mediaType, digest, size: body.length }, bytes: body };
    });
  }

  /** A document beside manifests and blobs, from the registry itself. */
  get(
    path: string,
    query: Readonly<Record<string, string>>,
    accept: string,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    return this.client.send(this.endpoints.find(({ mirror }) => !mirror) ?? this.endpoints.at(-1)!, {
      path,
      query,
      scope: pullScope(this.path),
      repository: this.shownName,
      headers: { accept },
      signal,
    });
  }

  /** What an answer that was not hoped for means. */
  refusal(answer: HttpAnswer, body: Uint8Array, what: string): WctrError {
    const { host } = answer.url;
    return refusalError({
      status: answer.status,
      body,
      host,
      repository: this.shownName,
      what: `${what} of ${this.shownName}`,
      missing: 'not-found',
      credentialProblem: undefined,
    });
  }

  /** The bytes of a blob, resumed over broken connections; see `blobOrigin`. */
  blob(descriptor: Descriptor): BlobOrigin {
    return this.blobFrom(this.endpoints, descriptor);
  }

  /** The same past all mirrors, for when one of them sent wrong bytes; undefined when there are none. */
  blobPastMirrors(descriptor: Descriptor): BlobOrigin | undefined {
    const upstream = this.endpoints.filter(({ mirror }) => !mirror);
    return upstream.length === this.endpoints.length ? undefined : this.blobFrom(upstream, descriptor);
  }

  private blobFrom(endpoints: readonly Endpoint[], descriptor: Descriptor): BlobOrigin {
    return blobOrigin({
      descriptor,
      repository: this.shownName,
      sources: endpoints.map((endpoint) => ({
        host: endpoint.host,
        open: (range: string | undefined, signal: AbortSignal | undefined) =>
          this.client.send(endpoint, {
            path: blobPath(this.path, descriptor.digest),
            scope: pullScope(this.path),
            repository: this.shownName,
            headers: range === undefined ? {} : { range },
            verified: true,
            signal,
          }),
        base: (signal: AbortSignal | undefined) => this.client.base(endpoint, signal),
        credentialProblem: () => this.client.authorizer.problem(endpoint),
      })),
      transport: this.client.transport,
    });
  }

  private request(endpoint: Endpoint, method: 'GET' | 'HEAD', reference: string, signal: AbortSignal | undefined) {
    return this.client.send(endpoint, {
      method,
      path: manifestPath(this.path, reference),
      scope: pullScope(this.path),
      repository: this.shownName,
      headers: { accept: MANIFEST_MEDIA_TYPES.join(', ') },
      verified: isDigest(reference),
      signal,
    });
  }

  private async fetchManifest(endpoint: Endpoint, reference: string, signal: AbortSignal | undefined) {
    const what = `manifest for ${this.named(reference)}`;
    const refusedBy = {
      host: endpoint.host,
      repository: this.shownName,
      what,
      missing: 'no-such-image' as const,
    };
    return this.client.transport.retryBody({ url: await this.client.base(endpoint, signal), signal }, async () => {
      const answer = await this.request(endpoint, 'GET', reference, signal);
      const limit = answer.status === 200 ? MANIFEST_LIMIT_BYTES : ERROR_BODY_LIMIT_BYTES;
      const body = await answer.bytes(limit, what);
      if (answer.status === 200) return { answer, body };
      const credentialProblem = this.client.authorizer.problem(endpoint);
      throw refusalError({ ...refusedBy, status: answer.status, body, credentialProblem });
    });
  }

  private checkMediaType(mediaType: string, reference: string, { host }: Endpoint): void {
    if (MANIFEST_MEDIA_TYPES.includes(mediaType)) return;
    const name = this.named(reference);
    const data = { mediaType, reference: name };
    if (SCHEMA_1.includes(mediaType)) {
      throw new WctrError('unsupported-media-type', `${name} is an image of Docker's old schema 1`, {
        hint: 'push it again with a current docker: schema 2 and OCI images are taken',
        data,
      });
    }
    const shown = mediaType === '' ? 'without a media type' : `as ${quote(mediaType)}`;
    throw new WctrError('unsupported-media-type', `${host} sent the manifest for ${name} ${shown}`, { data });
  }

  private checkDigest(reference: string, announced: string | null, body: Uint8Array): Digest {
    const expected = isDigest(reference) ? reference : isDigest(announced) ? announced : undefined;
    const algorithm = expected === undefined ? 'sha256' : digestParts(expected).algorithm;
    const hasher = this.client.createHasher(algorithm);
    hasher.update(body);
    const actual = `${algorithm}:${hasher.digestHex()}` as Digest;
    if (expected === undefined || expected === actual) return actual;
    throw new WctrError(
      'digest-mismatch',
      `manifest for ${this.named(reference)}: expected ${expected}, got ${actual}`,
      {
        data: { expected, actual },
      },
    );
  }

  private named(reference: string): string {
    return `${this.shownName}${isDigest(reference) ? '@' : ':'}${reference}`;
  }

  /** Mirrors first; what a mirror cannot do is asked of the next, and the last one's error counts. */
  private async firstEndpoint<T>(use: (endpoint: Endpoint) => Promise<T | undefined>): Promise<T> {
    let failure: unknown;
    let found: T | undefined;
    for (const endpoint of this.endpoints) {
      try {
        found = await use(endpoint);
        if (found !== undefined) return found;
      } catch (error) {
        if (isWctrError(error, 'cancelled')) throw error;
        failure = error;
      }
    }
    if (failure !== undefined) throw failure;
    return found as T;
  }
}

function mediaTypeOf(answer: HttpAnswer): string {
  return (answer.headers.get('content-type') ?? '').split(';')[0]!.trim().toLowerCase();
}
