/**
 * A blob's bytes out of a registry, from an offset on. A connection that breaks is picked up where it was by Range; a
 * server that ignores Range has the known part skipped. The bytes are not hashed here: who stores them does that.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import type { Descriptor } from '../../spec/image-spec.ts';
import type { BlobOrigin } from '../contracts.ts';
import { mayPointToResolved } from './address.ts';
import { describeNetworkError } from './network-error.ts';
import { refusalError } from './refusal.ts';
import { type HttpAnswer, type Transport, throwIfAborted } from './transport.ts';

export interface BlobSource {
  readonly host: string;
  open(range: string | undefined, signal: AbortSignal | undefined): Promise<HttpAnswer>;
  base(signal: AbortSignal | undefined): Promise<URL>;
  credentialProblem(): string | undefined;
}

export interface BlobRequest {
  readonly descriptor: Descriptor;
  /** For messages. */
  readonly repository: string;
  /** At least one, best first. */
  readonly sources: readonly BlobSource[];
  readonly transport: Transport;
}

/** A broken transfer is given up after this many tries in a row that brought less than `PROGRESS_BYTES`. */
const STALLED_TRIES = 5;
const PROGRESS_BYTES = 256 * 1024;
const ERROR_BODY_LIMIT_BYTES = 64 * 1024;

/** @throws not-found, unauthorized, size-mismatch, registry-unreachable, registry-error, cancelled while iterating */
export function blobOrigin(request: BlobRequest): BlobOrigin {
  return (offset, signal) => readBlob(request, offset, signal);
}

async function* readBlob(
  request: BlobRequest,
  offset: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { descriptor, transport } = request;
  let position = offset;
  let triesFrom = offset;
  let tries = 0;
  while (position < descriptor.size) {
    let broken: unknown;
    try {
      for await (const chunk of await openAnywhere(request, position, signal)) {
        position += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (error instanceof WctrError) throw error;
      broken = error;
    }
    if (position === descriptor.size) return;
    const url = await request.sources[0]!.base(signal);
    throwIfAborted({ url, signal });
    if (position - triesFrom >= PROGRESS_BYTES) {
      triesFrom = position;
      tries = 0;
    }
    if (++tries >= STALLED_TRIES) throw truncated(request, position, broken);
    await transport.pause(tries, undefined, { url, signal });
  }
}

async function openAnywhere(request: BlobRequest, position: number, signal: AbortSignal | undefined) {
  let failure: unknown;
  for (const source of request.sources) {
    try {
      return await openAt(request, source, position, signal);
    } catch (error) {
      if (isWctrError(error, 'cancelled')) throw error;
      failure = error;
    }
  }
  if (!isWctrError(failure, 'not-found')) throw failure;
  return (await openForeign(request, position, signal)) ?? Promise.reject(failure);
}

async function openAt(request: BlobRequest, source: BlobSource, position: number, signal: AbortSignal | undefined) {
  const answer = await source.open(rangeFrom(position), signal);
  const chunks = accept(request, source.host, answer, position);
  if (chunks !== undefined) return chunks;
  const { digest } = request.descriptor;
  throw refusalError({
    status: answer.status,
    body: await answer.bytes(ERROR_BODY_LIMIT_BYTES, 'an error of the registry').catch(() => new Uint8Array()),
    host: source.host,
    repository: request.repository,
    what: `blob ${digest} of ${request.repository}`,
    missing: 'not-found',
    credentialProblem: source.credentialProblem(),
  });
}

/** descriptor.md `urls`: places outside the registry. They get no credentials, and may not be in private networks. */
async function openForeign(request: BlobRequest, position: number, signal: AbortSignal | undefined) {
  const registry = await request.sources.at(-1)!.base(signal);
  for (const text of request.descriptor.urls ?? []) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') continue;
    if (!(await mayPointToResolved(registry, url, request.transport.lookup))) continue;
    const range = rangeFrom(position);
    const headers = range === undefined ? {} : { range };
    const answer = await request.transport.send({ url, headers, verified: true, signal });
    const chunks = accept(request, url.host, answer, position);
    if (chunks !== undefined) return chunks;
    answer.discard();
  }
  return undefined;
}

function rangeFrom(position: number): string | undefined {
  return position === 0 ? undefined : `bytes=${position}-`;
}

/** The bytes from `position` on; undefined when the answer is a refusal. */
function accept(
  request: BlobRequest,
  host: string,
  answer: HttpAnswer,
  position: number,
): AsyncGenerator<Uint8Array, void, undefined> | undefined {
  const { size } = request.descriptor;
  if (answer.status === 200) {
    checkAnnounced(request, host, answer, size);
    return limited(request, host, answer, position, size);
  }
  if (answer.status === 206 && position > 0) {
    const range = answer.headers.get('content-range');
    // Where the header cannot be seen, length and digest have to do.
    if (!isRange(range, position, size) && !(range === null && answer.hidesHeaders)) {
      answer.discard();
      throw new WctrError(
        'registry-error',
        `${host} sent another part of blob ${request.descriptor.digest} than asked`,
      );
    }
    checkAnnounced(request, host, answer, size - position);
    return limited(request, host, answer, 0, size - position);
  }
  if (answer.status !== 416) return undefined;
  answer.discard();
  throw wrongSize(request, `${host} has no byte ${position} of it`);
}

function checkAnnounced(request: BlobRequest, host: string, answer: HttpAnswer, expected: number): void {
  const announced = answer.announcedBytes;
  if (announced === undefined || announced === expected) return;
  answer.discard();
  throw wrongSize(request, `${host} announces ${announced + request.descriptor.size - expected}`);
}

/** RFC 9110, 14.4: `bytes first-last/size`, where size may be `*`. */
function isRange(header: string | null, first: number, size: number): boolean {
  const found = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header ?? '');
  if (found === null) return false;
  const complete = found[3] === '*' || Number(found[3]) === size;
  return Number(found[1]) === first && Number(found[2]) < size && complete;
}

/** Drops the first `skip` bytes and lets no more than `limit` (skipped ones included) through. */
async function* limited(
  request: BlobRequest,
  host: string,
  answer: HttpAnswer,
  skip: number,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0;
  for await (const chunk of answer.chunks()) {
    const before = received;
    received += chunk.length;
    if (received > limit) throw wrongSize(request, `${host} sends more`);
    const drop = Math.max(0, Math.min(skip - before, chunk.length));
    if (drop < chunk.length) yield drop === 0 ? chunk : chunk.subarray(drop);
  }
}

function wrongSize({ descriptor, repository }: BlobRequest, why: string): WctrError {
  const { digest, size } = descriptor;
  return new WctrError('size-mismatch', `blob ${digest} of ${repository} should have ${size} bytes, but ${why}`, {
    data: { digest, size },
  });
}

function truncated({ descriptor, repository, sources }: BlobRequest, position: number, broken: unknown): WctrError {
  const { digest, size } = descriptor;
  const data = { digest, size, received: position };
  const where = `blob ${digest} of ${repository} broke off after ${position} of ${size} bytes`;
  if (broken === undefined) return new WctrError('size-mismatch', `${where}`, { data });
  const { reason } = describeNetworkError(broken);
  const hint = 'what was received is kept: pull again to go on from there';
  return new WctrError('registry-unreachable', `${sources[0]!.host}: ${where}: ${reason}`, {
    hint,
    data,
    cause: broken,
  });
}
