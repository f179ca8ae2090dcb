/**
 * One blob into a registry (distribution-spec 1.1, "Pushing blobs"): mounted from another repository where that may be;
 * small ones in one request; large ones streamed. A transfer that breaks goes on where the registry says it stopped, in
 * chunks from then on, so that what was acknowledged counts; a registry that has lost the session gets a new one.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import {
  blobPath,
  ERROR_CODES,
  HEADER_CHUNK_MIN_LENGTH,
  MANIFEST_LIMIT_BYTES,
  parseErrorBody,
  uploadsPath,
} from '../../spec/distribution-spec.ts';
import type { Descriptor, Digest } from '../../spec/image-spec.ts';
import type { BlobOrigin } from '../contracts.ts';
import { mayPointToResolved } from './address.ts';
import type { RegistryRequest } from './client.ts';
import { refusalError } from './refusal.ts';
import { type HttpAnswer, type StreamedBody, type Transport, throwIfAborted } from './transport.ts';

/** What an upload needs of its repository. */
export interface UploadPlace {
  readonly host: string;
  /** Within the registry: `library/hello`. */
  readonly path: string;
  readonly shownName: string;
  readonly transport: Transport;
  base(signal: AbortSignal | undefined): Promise<URL>;
  /** With the token for pushing here, and `extraScope` where given. */
  send(request: Omit<RegistryRequest, 'scope' | 'repository'>, extraScope?: string): Promise<HttpAnswer>;
  credentialProblem(): string | undefined;
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (sentBytes: number) => void;
  /** Repository of the same registry that has the blob, perhaps. */
  readonly mountFrom?: string | undefined;
  /** Whether the host's fetch sends a stream as it comes. Otherwise large blobs go in chunks. Default true. */
  readonly canStream?: boolean;
  readonly chunkBytes?: number;
}

export type UploadOutcome = 'mounted' | 'uploaded';

/** Up to here a blob is sent in one piece from memory. */
const WHOLE_BYTES = MANIFEST_LIMIT_BYTES;
const CHUNK_BYTES = 8 * 1024 * 1024;
/** A registry that wants larger chunks than this is not believed: they are held in memory. */
const CHUNK_LIMIT_BYTES = 256 * 1024 * 1024;
/** Given up after so many failures in a row with less than `PROGRESS_BYTES` between them. */
const STALLED_TRIES = 5;
const PROGRESS_BYTES = 256 * 1024;
const ERROR_BODY_LIMIT_BYTES = 64 * 1024;
/** A registry that has all bytes of a blob may read them once more before it answers: no slower than this. */
const COMMIT_BYTES_PER_MS = 10_000;
const CANCEL_TIMEOUT_MS = 3_000;
const OCTETS = 'application/octet-stream';
const PIECE_BYTES = 256 * 1024;

/** @throws unauthorized, registry-unreachable, registry-error, digest-mismatch, too-many-requests, cancelled */
export async function uploadBlob(
  place: UploadPlace,
  descriptor: Descriptor,
  origin: BlobOrigin,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  return new Upload(place, descriptor, origin, options).run();
}

class Upload {
  private readonly place: UploadPlace;
  private readonly descriptor: Descriptor;
  private readonly origin: BlobOrigin;
  private readonly options: UploadOptions;
  /** Where the session is; undefined before it is begun. */
  private session: URL | undefined;
  private offset = 0;
  private chunked: boolean;
  private chunkBytes: number;
  /** After bytes that were not the blob's; that happens once. */
  private begunAnew = false;
  /** Why the bytes could not be read, which fetch would tell as a fault of the network. */
  private unreadable: { readonly error: unknown } | undefined;

  constructor(place: UploadPlace, descriptor: Descriptor, origin: BlobOrigin, options: UploadOptions) {
    this.place = place;
    this.descriptor = descriptor;
    this.origin = origin;
    this.options = options;
    this.chunked = options.canStream === false;
    this.chunkBytes = options.chunkBytes ?? CHUNK_BYTES;
  }

  async run(): Promise<UploadOutcome> {
    const { signal } = this.options;
    try {
      if (await this.begin(this.options.mountFrom)) return 'mounted';
      let tries = 0;
      let best = 0;
      for (;;) {
        const failure = await this.attempt().catch((error: unknown) => {
          if (this.unreadable !== undefined) throw this.unreadable.error;
          if (!isBroken(error)) throw error;
          return error;
        });
        if (failure === undefined) return 'uploaded';
        const waitMs = failure.data.retryAfterMs;
        if (this.offset >= best + PROGRESS_BYTES) {
          best = this.offset;
          tries = 0;
        }
        if (++tries >= STALLED_TRIES) throw this.brokeOff(failure);
        const url = await this.place.base(signal);
        await this.place.transport.pause(tries, typeof waitMs === 'number' ? waitMs : undefined, { url, signal });
        if (await this.recover()) return 'uploaded';
      }
    } catch (error) {
      await this.cancel();
      throw error;
    }
  }

  /** Opens a session; true when the blob was mounted and there is nothing to send. */
  private async begin(mountFrom?: string): Promise<boolean> {
    const answer = await this.post(mountFrom).catch((error: unknown) => {
      // A token server that knows no such repository must not keep us from sending the bytes.
      if (mountFrom === undefined || !isWctrError(error, 'unauthorized')) throw error;
      return this.post(undefined);
    });
    if (answer.status === 201 && mountFrom !== undefined) {
      answer.discard();
      return true;
    }
    if (answer.status !== 202) {
      if (mountFrom === undefined) throw await this.refusal(answer, 'start an upload');
      answer.discard();
      return this.begin();
    }
    const least = Number(answer.headers.get(HEADER_CHUNK_MIN_LENGTH) ?? 0);
    if (least > this.chunkBytes && least <= CHUNK_LIMIT_BYTES) this.chunkBytes = least;
    await this.moveTo(answer, 'required');
    this.offset = 0;
    return false;
  }

  private post(mountFrom: string | undefined): Promise<HttpAnswer> {
    const { place, descriptor, options } = this;
    const mount = mountFrom === undefined ? {} : { mount: descriptor.digest, from: mountFrom };
    const request = {
      method: 'POST' as const,
      path: uploadsPath(place.path),
      query: mount,
      headers: { 'content-length': '0' },
      signal: options.signal,
    };
    return place.send(request, mountFrom === undefined ? undefined : `repository:${mountFrom}:pull`);
  }

  /** Sends what is left. Resolves with the failure after which it may go on. */
  private async attempt(): Promise<WctrError | undefined> {
    const { size } = this.descriptor;
    if (this.offset === 0 && size <= WHOLE_BYTES) return this.commit(this.inPieces(await this.read(0, size)));
    if (!this.chunked) {
      return this.commit({
        sizeBytes: size - this.offset,
        open: () => this.counted(this.offset),
      });
    }
    while (this.offset < size) {
      const failure = await this.sendChunk();
      if (failure !== undefined) return failure;
    }
    return this.commit(new Uint8Array(0));
  }

  /** The last request: closes the session under the blob's digest, with whatever bytes are left. */
  private async commit(body: NonNullable<RegistryRequest['body']>): Promise<WctrError | undefined> {
    const { digest, size } = this.descriptor;
    const sizeBytes = typeof body === 'string' ? body.length : 'sizeBytes' in body ? body.sizeBytes : body.length;
    const answer = await this.place.send({
      method: 'PUT',
      path: this.session!,
      query: { digest },
      headers: {
        'content-type': OCTETS,
        ...(sizeBytes === 0 ? { 'content-length': '0' } : {}),
        ...(this.offset > 0 && sizeBytes > 0 ? { 'content-range': `${this.offset}-${size - 1}` } : {}),
      },
      body,
      signal: this.options.signal,
      attempts: 1,
      headersTimeoutMs: this.answerTimeoutMs(size),
    });
    if (answer.status === 201 || answer.status === 204) {
      answer.discard();
      this.session = undefined;
      this.options.onProgress?.(size);
      return undefined;
    }
    return this.failed(answer, `blob ${digest}`);
  }

  private async sendChunk(): Promise<WctrError | undefined> {
    const { size, digest } = this.descriptor;
    const chunk = await this.read(this.offset, Math.min(this.chunkBytes, size - this.offset));
    const answer = await this.place.send({
      method: 'PATCH',
      path: this.session!,
      headers: {
        'content-type': OCTETS,
        'content-range': `${this.offset}-${this.offset + chunk.length - 1}`,
      },
      body: this.inPieces(chunk),
      signal: this.options.signal,
      attempts: 1,
      headersTimeoutMs: this.answerTimeoutMs(chunk.length),
    });
    if (answer.status !== 202) return this.failed(answer, `a chunk of blob ${digest}`);
    await this.moveTo(answer, 'optional');
    const received = receivedBytes(answer.headers.get('range'));
    // A registry may take less than it was given, but not more.
    const taken = received === undefined ? this.offset + chunk.length : received;
    if (taken <= this.offset || taken > this.offset + chunk.length) {
      return broken(`${this.place.host} says it has ${taken} bytes of blob ${digest} after ${this.offset} and a chunk`);
    }
    this.offset = taken;
    this.options.onProgress?.(taken);
    return undefined;
  }

  /** After a failure: is it there after all, where does it go on? True when there is nothing left to do. */
  private async recover(): Promise<boolean> {
    const { place, descriptor, options } = this;
    const { signal } = options;
    const head = await place.send({ method: 'HEAD', path: blobPath(place.path, descriptor.digest), signal });
    head.discard();
    if (head.status === 200) return true;
    // From now on, only what is acknowledged chunk by chunk is lost to the next failure.
    this.chunked = true;
    const state = await this.status().catch((error: unknown) => {
      if (isWctrError(error, 'cancelled')) throw error;
      return undefined;
    });
    if (state === undefined) {
      await this.cancel();
      await this.begin();
    } else this.offset = state;
    options.onProgress?.(this.offset);
    return false;
  }

  /** How much the registry has; undefined when it does not know the session any more. */
  private async status(): Promise<number | undefined> {
    const { session } = this;
    if (session === undefined) return undefined;
    const answer = await this.place.send({ path: session, signal: this.options.signal });
    if (answer.status !== 204 && answer.status !== 202) {
      answer.discard();
      return undefined;
    }
    const range = answer.headers.get('range');
    await this.moveTo(answer, 'optional');
    const received = receivedBytes(range) ?? 0;
    // `0-0` is one byte, and what servers say of none; nobody sends so little that it matters.
    return received > this.descriptor.size || received === 1 ? undefined : received;
  }

  /** Leaves nothing half done behind, where the registry still answers. */
  private async cancel(): Promise<void> {
    const { session } = this;
    if (session === undefined) return;
    this.session = undefined;
    const leave = new AbortController();
    const timer = setTimeout(() => leave.abort(), CANCEL_TIMEOUT_MS);
    await this.place
      .send({ method: 'DELETE', path: session, signal: leave.signal, attempts: 1 })
      .then((answer) => answer.discard())
      .catch(() => {});
    clearTimeout(timer);
  }

  /** Takes in where the session goes on. Never from https to http, nor into a network only we can reach. */
  private async moveTo(answer: HttpAnswer, need: 'required' | 'optional'): Promise<void> {
    const { transport } = this.place;
    const location = answer.headers.get('location');
    answer.discard();
    const from = answer.url;
    if (location === null) {
      if (need === 'optional') return;
      throw new WctrError('registry-error', `${this.place.host} started an upload and did not say where`);
    }
    const to = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const refuse = (why: string): WctrError =>
      new WctrError('registry-error', `${from.host} sends the upload to ${to?.host ?? 'no address'}: ${why}`);
    if (to === undefined || !/^https?:$/.test(to.protocol)) throw refuse('it is not http(s)');
    if (from.protocol === 'https:' && to.protocol === 'http:') throw refuse('that is plain http');
    if (!(await mayPointToResolved(from, to, transport.lookup))) throw refuse('that is a private network');
    to.username = '';
    to.password = '';
    to.hash = '';
    this.session = to;
  }

  private async *counted(offset: number): AsyncGenerator<Uint8Array> {
    let sent = offset;
    try {
      for await (const chunk of this.origin(offset, this.options.signal)) {
        sent += chunk.length;
        yield chunk;
        this.options.onProgress?.(Math.min(sent, this.descriptor.size));
      }
    } catch (error) {
      this.unreadable = { error };
      throw error;
    }
  }

  /** Also the time for the bytes themselves, where they do not go as a stream. */
  private answerTimeoutMs(sizeBytes: number): number {
    const { headersTimeoutMs } = this.place.transport.timing;
    const bytesPerMs = this.options.canStream === false ? COMMIT_BYTES_PER_MS / 500 : COMMIT_BYTES_PER_MS;
    return 2 * headersTimeoutMs + sizeBytes / bytesPerMs;
  }

  /** As a stream where that can be, so that a connection on which nothing moves is noticed. */
  private inPieces(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | StreamedBody {
    if (bytes.length === 0 || this.options.canStream === false) return bytes;
    return {
      sizeBytes: bytes.length,
      open: async function* () {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
      },
    };
  }

  private async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let at = 0;
    if (length === 0) return bytes;
    for await (const chunk of this.origin(offset, this.options.signal)) {
      const part = chunk.subarray(0, length - at);
      bytes.set(part, at);
      at += part.length;
      if (at === length) return bytes;
    }
    throw new WctrError('size-mismatch', `blob ${this.descriptor.digest} ends after ${offset + at} bytes`, {
      data: { digest: this.descriptor.digest, size: this.descriptor.size },
    });
  }

  /** A refusal that another try may not meet is given back, any other is thrown. */
  private async failed(answer: HttpAnswer, what: string): Promise<WctrError> {
    const error = await this.refusal(answer, what);
    const { status } = answer;
    // Deno's and Bun's fetch send a request again whose connection broke, after what the registry has of it already.
    if (error.code === 'digest-mismatch' && !this.begunAnew) {
      this.begunAnew = true;
      await this.cancel();
      return error;
    }
    // 404: the session is gone; 416: the registry has another number of bytes than we think.
    if (status === 404 || status === 408 || status === 416 || status >= 500) return error;
    throw error;
  }

  private async refusal(answer: HttpAnswer, what: string): Promise<WctrError> {
    const { host, shownName, credentialProblem } = this.place;
    const body = await answer.bytes(ERROR_BODY_LIMIT_BYTES, 'an error of the registry').catch(() => new Uint8Array());
    const codes = parseErrorBody(new TextDecoder().decode(body)).map(({ code }) => code);
    if (answer.status === 400 && codes.includes(ERROR_CODES.digestInvalid)) {
      return new WctrError('digest-mismatch', `${host} got other bytes than those of ${what}`, {
        data: { digest: this.descriptor.digest },
      });
    }
    return refusalError({
      status: answer.status,
      body,
      host,
      repository: shownName,
      what: `${what} to ${shownName}`,
      missing: 'registry-error',
      action: 'push',
      credentialProblem: credentialProblem(),
    });
  }

  private brokeOff(cause: WctrError): WctrError {
    const { digest, size } = this.descriptor;
    const { host } = this.place;
    throwIfAborted({ url: new URL(`https://${host}`), signal: this.options.signal });
    return new WctrError(
      'registry-unreachable',
      `${host}: the upload of blob ${digest} broke off after ${this.offset} of ${size} bytes: ${cause.message}`,
      { hint: 'push again: what the registry has is not sent twice', cause, data: { host, digest: digest as Digest } },
    );
  }
}

/** Failures of the way there, not of what was sent. */
function isBroken(error: unknown): error is WctrError {
  return isWctrError(error, 'registry-unreachable') || isWctrError(error, 'too-many-requests');
}

function broken(message: string): WctrError {
  return new WctrError('registry-unreachable', message);
}

/** `0-1023`, with `bytes=` before it from some: how many bytes there are. */
function receivedBytes(range: string | null): number | undefined {
  const last = /^(?:bytes=)?0-(\d{1,15})$/.exec(range ?? '')?.[1];
  return last === undefined ? undefined : Number(last) + 1;
}
