/** Requests as a client of distribution-spec 1.1 makes them, and content to send: for tests of registries, anybody's. */
import { createHash } from 'node:crypto';
import { type Descriptor, type Digest, MEDIA_TYPE } from '../../src/spec/image-spec.ts';

export function digestOf(bytes: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;
}

export class DistributionClient {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.url = url;
    this.headers = headers;
  }

  /** `path` may be a Location as it came. */
  send(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: Uint8Array | string,
  ): Promise<Response> {
    return fetch(new URL(path, this.url), {
      method,
      headers: { ...this.headers, ...headers },
      redirect: 'manual',
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
  }

  async start(repository: string, query = ''): Promise<string> {
    const answer = await this.send('POST', `/v2/${repository}/blobs/uploads/${query}`, { 'content-length': '0' });
    await answer.arrayBuffer();
    const location = answer.headers.get('location');
    if (answer.status !== 202 || location === null) throw new Error(`no upload: ${answer.status}`);
    return location;
  }

  async put(location: string, digest: string, bytes: Uint8Array | string, headers = {}): Promise<Response> {
    return this.send('PUT', withQuery(location, `digest=${digest}`), { ...OCTETS, ...headers }, bytes);
  }

  /** POST and PUT. */
  async pushBlob(repository: string, bytes: Uint8Array | string, algorithm: 'sha256' | 'sha512' = 'sha256') {
    const digest = digestOf(bytes, algorithm);
    const answer = await this.put(await this.start(repository), digest, bytes);
    await answer.arrayBuffer();
    if (answer.status !== 201) throw new Error(`blob not pushed: ${answer.status}`);
    return digest;
  }

  async pushManifest(repository: string, reference: string, manifest: Content, query = ''): Promise<Response> {
    const headers = { 'content-type': manifest.mediaType };
    return this.send('PUT', `/v2/${repository}/manifests/${reference}${query}`, headers, manifest.bytes);
  }
}

export const OCTETS = { 'content-type': 'application/octet-stream' };

export function withQuery(location: string, query: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}${query}`;
}

export interface Content {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export function document(mediaType: string, value: object): Content {
  return { mediaType, bytes: new TextEncoder().encode(JSON.stringify(value)) };
}

export function describes({ mediaType, bytes }: Content, algorithm: 'sha256' | 'sha512' = 'sha256'): Descriptor {
  return { mediaType, digest: digestOf(bytes, algorithm), size: bytes.length };
}

let seed = 0;

export interface ImageParts {
  readonly algorithm?: 'sha256' | 'sha512';
  readonly fields?: object;
  readonly configType?: string;
  readonly layers?: number;
}

/** An image nobody pushed before: its blobs and its manifest. */
export function image({
  algorithm = 'sha256',
  fields = {},
  configType = MEDIA_TYPE.ociConfig,
  layers = 1,
}: ImageParts = {}) {
  seed += 1;
  const config = document(configType, { architecture: 'wasm', os: 'wasip1', seed, at: Date.now() });
  const blobs = Array.from({ length: layers }, (_, i) =>
    document(MEDIA_TYPE.ociLayerTar, { layer: i, seed, at: Date.now() }),
  );
  const manifest = document(MEDIA_TYPE.ociManifest, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config: describes(config, algorithm),
    layers: blobs.map((blob) => describes(blob, algorithm)),
    ...fields,
  });
  return { config, layers: blobs, manifest, digest: digestOf(manifest.bytes, algorithm) };
}

export function index(manifests: readonly Descriptor[], fields: object = {}): Content {
  const value = { schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests, ...fields };
  return document(MEDIA_TYPE.ociIndex, value);
}

/** All of an image; under its tag, or its digest. */
export async function pushImage(
  client: DistributionClient,
  repository: string,
  parts: ReturnType<typeof image>,
  tag?: string,
  algorithm: 'sha256' | 'sha512' = 'sha256',
): Promise<Response> {
  for (const blob of [parts.config, ...parts.layers]) await client.pushBlob(repository, blob.bytes, algorithm);
  const answer = await client.pushManifest(repository, tag ?? parts.digest, parts.manifest);
  await answer.clone().arrayBuffer();
  return answer;
}
