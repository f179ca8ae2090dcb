/**
 * A registry in a bucket of S3-compatible object storage, which several registries may serve at once:
 *
 * ```
 * <prefix>documents/<key>
 * <prefix>blobs/<algorithm>/<hex>
 * <prefix>uploads/<id>/state    UploadState: parts sent so far
 * <prefix>uploads/<id>/tail     bytes that are too few for a part
 * <prefix>uploads/<id>/data     what becomes the blob
 * ```
 *
 * An upload is a multipart upload of its `data` object; the end of it is a copy inside the bucket to the blob's name, which
 * is not known before. Nothing here is locked over processes: every fact is an object of its own (repositories.ts), and the
 * collector leaves alone what is young.
 */
import { AwsClient } from 'aws4fetch';
import { WctrError } from '../../errors.ts';
import { MemoryLocks } from '../../host/memory-locks.ts';
import { isDigest } from '../../images/digest.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { Driver, StoredBlob, StoredUpload, Upload } from './driver.ts';

export interface S3Options {
  /** With the bucket as its path: `http://127.0.0.1:9000/bucket`, `https://bucket.s3.eu-west-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region?: string;
  /** Of every object; default none. */
  readonly prefix?: string;
}

/** S3 takes no part but the last below 5 MiB, and 10,000 of them: 80 GB. */
const PART_BYTES = 8 << 20;
/** What one copy inside the bucket may move. */
const MAX_COPY_BYTES = 5 * 2 ** 30;
const COPY_PART_BYTES = 2 ** 30;
const RETRIES = 4;

interface UploadState {
  /** Of S3; there is none before the first part. */
  readonly uploadId: string | undefined;
  readonly parts: readonly string[];
  readonly partBytes: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function s3Driver(options: S3Options): Driver {
  const bucket = new Bucket(options);
  const blobKey = (digest: Digest) => `blobs/${digest.replace(':', '/')}`;
  return {
    documents: {
      get: (key) => bucket.get(`documents/${key}`),
      put: (key, value) => bucket.put(`documents/${key}`, value),
      delete: async (key) => {
        if ((await bucket.head(`documents/${key}`)) === undefined) return false;
        await bucket.delete(`documents/${key}`);
        return true;
      },
      list: (key) => bucket.segments(`documents/${key}/`),
    },
    blobs: {
      size: async (digest) => (await bucket.head(blobKey(digest)))?.sizeBytes,
      read: (digest, from, to) => bucket.read(blobKey(digest), from, to),
      put: (digest, bytes) => bucket.put(blobKey(digest), bytes),
    },
    uploads: {
      create: (id) => S3Upload.create(bucket, `uploads/${id}`, blobKey),
      open: (id) => S3Upload.open(bucket, `uploads/${id}`, blobKey),
      list: async () => {
        const found: StoredUpload[] = [];
        for await (const { name, modifiedMs } of bucket.list('uploads/')) {
          const id = /^uploads\/([^/]+)\/state$/.exec(name)?.[1];
          if (id !== undefined) found.push({ id, modifiedMs });
        }
        return found;
      },
    },
    locks: new MemoryLocks(),
    isExclusive: false,
    sweep: async (isNeeded) => {
      let blobs = 0;
      let reclaimedBytes = 0;
      for await (const { name, sizeBytes, modifiedMs } of bucket.list('blobs/')) {
        const digest = name.slice('blobs/'.length).replace('/', ':');
        if (!isDigest(digest) || isNeeded({ digest, sizeBytes, modifiedMs } satisfies StoredBlob)) continue;
        await bucket.delete(name);
        blobs += 1;
        reclaimedBytes += sizeBytes;
      }
      return { blobs, reclaimedBytes };
    },
  };
}

class S3Upload implements Upload {
  readonly #bucket: Bucket;
  readonly #at: string;
  readonly #blobKey: (digest: Digest) => string;
  #state: UploadState;
  #tail: Uint8Array[];
  #tailBytes: number;
  #isOpen = true;
  #isChanged = false;

  private constructor(
    bucket: Bucket,
    at: string,
    blobKey: (digest: Digest) => string,
    state: UploadState,
    tail: Uint8Array,
  ) {
    this.#bucket = bucket;
    this.#at = at;
    this.#blobKey = blobKey;
    this.#state = state;
    this.#tail = [tail];
    this.#tailBytes = tail.length;
  }

  static async create(bucket: Bucket, at: string, blobKey: (digest: Digest) => string): Promise<S3Upload> {
    const state: UploadState = { uploadId: undefined, parts: [], partBytes: 0 };
    await bucket.put(`${at}/state`, encoder.encode(JSON.stringify(state)));
    return new S3Upload(bucket, at, blobKey, state, new Uint8Array(0));
  }

  static async open(bucket: Bucket, at: string, blobKey: (digest: Digest) => string): Promise<S3Upload | undefined> {
    const stored = await bucket.get(`${at}/state`);
    if (stored === undefined) return undefined;
    const state = JSON.parse(decoder.decode(stored)) as UploadState;
    // Named by how much came before it, so that the tail of an older state is never taken for this one's.
    const tail = (await bucket.get(`${at}/tail-${state.partBytes}`)) ?? new Uint8Array(0);
    return new S3Upload(bucket, at, blobKey, state, tail);
  }

  get sizeBytes(): number {
    return this.#state.partBytes + this.#tailBytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    this.#isChanged = true;
    this.#tail.push(chunk.slice());
    this.#tailBytes += chunk.length;
    if (this.#tailBytes >= PART_BYTES) await this.#sendPart();
  }

  async #sendPart(): Promise<void> {
    const bytes = joined(this.#tail, this.#tailBytes);
    const { parts, partBytes } = this.#state;
    const uploadId = this.#state.uploadId ?? (await this.#bucket.startMultipart(`${this.#at}/data`));
    const tag = await this.#bucket.putPart(`${this.#at}/data`, uploadId, parts.length + 1, bytes);
    this.#state = { uploadId, parts: [...parts, tag], partBytes: partBytes + bytes.length };
    this.#tail = [];
    this.#tailBytes = 0;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#isChanged) return;
    await this.#bucket.put(`${this.#at}/tail-${this.#state.partBytes}`, joined(this.#tail, this.#tailBytes));
    await this.#bucket.put(`${this.#at}/state`, encoder.encode(JSON.stringify(this.#state)));
  }

  /** Parts cannot be read before they are one object; so they are made one. Nothing can be appended after it. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const size = this.sizeBytes;
    await this.#complete();
    if (size > 0) yield* this.#bucket.read(`${this.#at}/data`, 0, size);
  }

  #isComplete = false;

  async #complete(): Promise<void> {
    if (this.#isComplete) return;
    this.#isComplete = true;
    const data = `${this.#at}/data`;
    if (this.#state.uploadId === undefined) {
      await this.#bucket.put(data, joined(this.#tail, this.#tailBytes));
      return;
    }
    const size = this.sizeBytes;
    if (this.#tailBytes > 0) await this.#sendPart();
    if (this.sizeBytes !== size) throw new WctrError('internal', 'an upload has lost bytes');
    await this.#bucket.completeMultipart(data, this.#state.uploadId, this.#state.parts);
  }

  async commit(digest: Digest): Promise<void> {
    const size = this.sizeBytes;
    await this.#complete();
    await this.#bucket.copy(`${this.#at}/data`, this.#blobKey(digest), size);
    await this.#bucket.deleteAll(`${this.#at}/`);
  }

  async cancel(): Promise<void> {
    this.#isOpen = false;
    const { uploadId } = this.#state;
    if (!this.#isComplete && uploadId !== undefined) await this.#bucket.abortMultipart(`${this.#at}/data`, uploadId);
    await this.#bucket.deleteAll(`${this.#at}/`);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

interface Listed {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** The requests of S3 that a registry needs: https://docs.aws.amazon.com/AmazonS3/latest/API/ */
class Bucket {
  readonly #client: AwsClient;
  readonly #endpoint: string;
  readonly #prefix: string;

  constructor({ endpoint, prefix = '', region = 'us-east-1', ...keys }: S3Options) {
    this.#client = new AwsClient({ ...keys, service: 's3', region, retries: RETRIES });
    this.#endpoint = endpoint.replace(/\/+$/, '');
    this.#prefix = prefix === '' ? '' : `${prefix.replace(/^\/+|\/+$/g, '')}/`;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const answer = await this.#send('GET', key);
    if (answer === undefined) return undefined;
    return new Uint8Array(await answer.arrayBuffer());
  }

  async *read(key: string, from: number, to: number): AsyncGenerator<Uint8Array> {
    if (to <= from) return;
    const answer = await this.#send('GET', key, '', undefined, { range: `bytes=${from}-${to - 1}` });
    if (answer?.body == null) throw new WctrError('not-found', `${key} is not in the bucket`);
    const reader = answer.body.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } finally {
      void reader.cancel().catch(() => {});
    }
  }

  async head(key: string): Promise<{ sizeBytes: number } | undefined> {
    const answer = await this.#send('HEAD', key);
    return answer === undefined ? undefined : { sizeBytes: Number(answer.headers.get('content-length')) };
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await drained(await this.#send('PUT', key, '', bytes));
  }

  async delete(key: string): Promise<void> {
    await drained(await this.#send('DELETE', key));
  }

  async deleteAll(prefix: string): Promise<void> {
    for await (const { name } of this.list(prefix)) await this.delete(name);
  }

  async startMultipart(key: string): Promise<string> {
    const text = await this.#text('POST', key, '?uploads=');
    const id = textOf(text, 'UploadId');
    if (id === undefined) throw unexpected(text);
    return id;
  }

  async putPart(key: string, uploadId: string, number: number, bytes: Uint8Array): Promise<string> {
    const query = `?partNumber=${number}&uploadId=${encodeURIComponent(uploadId)}`;
    const answer = await this.#send('PUT', key, query, bytes);
    await drained(answer);
    return answer?.headers.get('etag') ?? '';
  }

  async completeMultipart(key: string, uploadId: string, tags: readonly string[]): Promise<void> {
    const parts = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escaped(tag)}</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
    const query = `?uploadId=${encodeURIComponent(uploadId)}`;
    const text = await this.#text('POST', key, query, encoder.encode(body));
    // A 200 may still say that it failed.
    if (text.includes('<Error>')) throw unexpected(text);
  }

  async abortMultipart(key: string, uploadId: string): Promise<void> {
    await drained(await this.#send('DELETE', key, `?uploadId=${encodeURIComponent(uploadId)}`));
  }

  async copy(from: string, to: string, sizeBytes: number): Promise<void> {
    const source = { 'x-amz-copy-source': encodeURI(`${this.#bucketPath()}/${this.#prefix}${from}`) };
    if (sizeBytes <= MAX_COPY_BYTES) {
      const text = await this.#text('PUT', to, '', undefined, source);
      if (text.includes('<Error>')) throw unexpected(text);
      return;
    }
    const uploadId = await this.startMultipart(to);
    const tags: string[] = [];
    for (let at = 0; at < sizeBytes; at += COPY_PART_BYTES) {
      const range = `bytes=${at}-${Math.min(at + COPY_PART_BYTES, sizeBytes) - 1}`;
      const query = `?partNumber=${tags.length + 1}&uploadId=${encodeURIComponent(uploadId)}`;
      const text = await this.#text('PUT', to, query, undefined, { ...source, 'x-amz-copy-source-range': range });
      const tag = textOf(text, 'ETag');
      if (tag === undefined) throw unexpected(text);
      tags.push(tag);
    }
    await this.completeMultipart(to, uploadId, tags);
  }

  async *list(prefix: string): AsyncGenerator<Listed> {
    for (let token: string | undefined = ''; token !== undefined; ) {
      const page = await this.#page(prefix, token === '' ? {} : { 'continuation-token': token });
      yield* page.objects;
      token = page.next;
    }
  }

  /**
   * What comes next in the keys that begin so, up to a slash. Without S3's delimiter, which servers get wrong: the collector
   * must not take a repository for missing. What lies below a name that was seen is skipped.
   */
  async segments(prefix: string): Promise<string[]> {
    const found = new Set<string>();
    for (let after: string | undefined = ''; after !== undefined; ) {
      const page = await this.#page(prefix, after === '' ? {} : { 'start-after': this.#prefix + after });
      let last = '';
      for (const { name } of page.objects) {
        last = name.slice(prefix.length).split('/', 1)[0]!;
        found.add(last);
      }
      // A tilde sorts behind everything a key may have.
      after = page.next === undefined ? undefined : `${prefix}${last}/~`;
    }
    return [...found];
  }

  async #page(prefix: string, more: Readonly<Record<string, string>>) {
    const query = new URLSearchParams({ 'list-type': '2', prefix: this.#prefix + prefix, ...more });
    const text = await this.#text('GET', undefined, `?${query.toString().replaceAll('+', '%20')}`);
    const objects = [...text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].map(
      ([, contents = '']): Listed => ({
        name: (textOf(contents, 'Key') ?? '').slice(this.#prefix.length),
        sizeBytes: Number(textOf(contents, 'Size')),
        modifiedMs: Date.parse(textOf(contents, 'LastModified') ?? ''),
      }),
    );
    const next = textOf(text, 'IsTruncated') === 'true' ? textOf(text, 'NextContinuationToken') : undefined;
    return { objects, next };
  }

  /** `/bucket` where the endpoint has it as its path, else its first label. */
  #bucketPath(): string {
    const { pathname, hostname } = new URL(this.#endpoint);
    return pathname === '/' ? `/${hostname.split('.')[0]}` : pathname;
  }

  async #text(method: string, key: string | undefined, query = '', body?: Uint8Array, headers = {}): Promise<string> {
    return (await this.#send(method, key, query, body, headers))?.text() ?? '';
  }

  /** Undefined: there is no such object. */
  async #send(
    method: string,
    key: string | undefined,
    query = '',
    body?: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response | undefined> {
    const path = key === undefined ? '' : `/${encodeURI(this.#prefix + key).replaceAll('+', '%2B')}`;
    const answer = await this.#client
      .fetch(`${this.#endpoint}${path}${query}`, {
        method,
        headers: { ...headers, ...(body === undefined ? {} : { 'content-length': `${body.length}` }) },
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
      })
      .catch((cause: unknown) => {
        throw new WctrError('registry-unreachable', 'cannot reach the object storage', { cause });
      });
    if (answer.ok) return answer;
    const text = method === 'HEAD' ? '' : await answer.text();
    if (answer.status === 404 && !text.includes('NoSuchBucket')) return undefined;
    const code = answer.status === 403 ? 'store-read-only' : 'internal';
    throw new WctrError(code, `the object storage answered ${answer.status} ${textOf(text, 'Code') ?? ''}`.trim(), {
      data: { status: answer.status, method },
    });
  }
}

async function drained(answer: Response | undefined): Promise<void> {
  await answer?.arrayBuffer();
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** The text of the first element of that name: answers of S3 have no attributes where this looks. */
function textOf(xml: string, element: string): string | undefined {
  const found = new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1];
  return found?.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}

function escaped(text: string): string {
  return text.replace(/[<>&"]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function unexpected(text: string): WctrError {
  return new WctrError('internal', `the object storage failed: ${textOf(text, 'Code') ?? 'unexpected answer'}`);
}
