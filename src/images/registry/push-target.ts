/** One repository of a registry, written to: blobs, manifests, tags. */
import { WctrError } from '../../errors.ts';
import {
  blobPath,
  HEADER_CONTENT_DIGEST,
  HEADER_SUBJECT,
  manifestPath,
  pushScope,
} from '../../spec/distribution-spec.ts';
import { type Descriptor, type Digest, MANIFEST_MEDIA_TYPES } from '../../spec/image-spec.ts';
import type { BlobOrigin } from '../contracts.ts';
import { isDigest } from '../digest.ts';
import { quote } from '../quote.ts';
import { familiarRepository } from '../reference.ts';
import type { RegistryClient, RegistryRequest, RepositoryName } from './client.ts';
import { refusalError } from './refusal.ts';
import type { Endpoint } from './registries.ts';
import type { HttpAnswer } from './transport.ts';
import { type UploadOptions, type UploadOutcome, type UploadPlace, uploadBlob } from './upload.ts';

const ERROR_BODY_LIMIT_BYTES = 64 * 1024;

export class PushTarget {
  /** As people write it, for messages. */
  readonly shownName: string;
  readonly domain: string;
  readonly path: string;
  readonly client: RegistryClient;
  private readonly endpoint: Endpoint;
  private readonly place: UploadPlace;

  constructor(client: RegistryClient, name: RepositoryName, endpoint: Endpoint) {
    this.client = client;
    this.domain = name.domain;
    this.path = name.path;
    this.shownName = familiarRepository(name);
    this.endpoint = endpoint;
    this.place = {
      host: endpoint.host,
      path: name.path,
      shownName: this.shownName,
      transport: client.transport,
      base: (signal) => client.base(endpoint, signal),
      send: (request, extraScope) => this.send(request, extraScope),
      credentialProblem: () => client.authorizer.problem(endpoint),
    };
  }

  /** By HEAD: is the blob there, with the size it has to have? */
  async hasBlob({ digest, size }: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.send({ method: 'HEAD', path: blobPath(this.path, digest), verified: true, signal });
    const announced = answer.announcedBytes;
    if (answer.status === 200 || answer.status === 404) {
      answer.discard();
      return answer.status === 200 && (announced === undefined || announced === size);
    }
    throw await this.refusal(answer, `blob ${digest}`);
  }

  upload(descriptor: Descriptor, origin: BlobOrigin, options: UploadOptions = {}): Promise<UploadOutcome> {
    return uploadBlob(this.place, descriptor, origin, { canStream: this.client.canStream, ...options });
  }

  /** The digest a tag or digest stands for here; undefined when there is none. */
  async manifestDigest(reference: string, signal?: AbortSignal): Promise<Digest | undefined> {
    const answer = await this.send({
      method: 'HEAD',
      path: manifestPath(this.path, reference),
      headers: { accept: MANIFEST_MEDIA_TYPES.join(', ') },
      signal,
    });
    const digest = answer.headers.get(HEADER_CONTENT_DIGEST);
    answer.discard();
    if (answer.status !== 200) return undefined;
    if (isDigest(reference)) return reference;
    return isDigest(digest) ? digest : undefined;
  }

  /**
   * Puts a manifest's bytes as they are, by tag or by its digest.
   * @returns whether the registry keeps referrers by itself, of a manifest with a subject
   * @throws digest-mismatch when the registry answers with another digest
   */
  async putManifest(
    reference: string,
    { mediaType, digest }: Descriptor,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<{ readonly keepsReferrers: boolean }> {
    const answer = await this.send({
      method: 'PUT',
      path: manifestPath(this.path, reference),
      headers: { 'content-type': mediaType },
      body: new Uint8Array(bytes),
      signal,
    });
    const what = `manifest ${isDigest(reference) ? reference : `for ${this.shownName}:${reference}`}`;
    if (answer.status !== 201 && answer.status !== 202 && answer.status !== 200) throw await this.refusal(answer, what);
    const announced = answer.headers.get(HEADER_CONTENT_DIGEST);
    answer.discard();
    // Another algorithm's digest cannot be compared; another value of the same means other bytes.
    const isOther = announced !== null && announced !== digest && announced.split(':')[0] === digest.split(':')[0];
    if (isOther) {
      throw new WctrError(
        'digest-mismatch',
        `${this.endpoint.host} stored ${what} as ${quote(announced)}, and it is ${digest}`,
        { data: { expected: digest, actual: announced.slice(0, 200) } },
      );
    }
    return { keepsReferrers: answer.headers.has(HEADER_SUBJECT) };
  }

  private send(request: Omit<RegistryRequest, 'scope' | 'repository'>, extraScope?: string): Promise<HttpAnswer> {
    const scope = pushScope(this.path);
    return this.client.send(this.endpoint, {
      ...request,
      scope: extraScope === undefined ? scope : `${scope} ${extraScope}`,
      repository: this.shownName,
    });
  }

  private async refusal(answer: HttpAnswer, what: string): Promise<WctrError> {
    return refusalError({
      status: answer.status,
      body: await answer.bytes(ERROR_BODY_LIMIT_BYTES, 'an error of the registry').catch(() => new Uint8Array()),
      host: this.endpoint.host,
      repository: this.shownName,
      what,
      missing: 'registry-error',
      action: 'push',
      credentialProblem: this.client.authorizer.problem(this.endpoint),
    });
  }
}
