/** One transfer of one blob into a temp file: resumes, verifies, and says whether the file may be kept. */
import { type ErrorCode, isWctrError, WctrError } from '../../errors.ts';
import type { FileHandle, FileSystem } from '../../host/ports.ts';
import type { Descriptor } from '../../spec/image-spec.ts';
import type { BlobOrigin, BlobVerifier } from '../contracts.ts';
import { digestParts } from '../digest.ts';
import { isMissing } from './disk-error.ts';
import { openCreating, writeAll } from './durable.ts';

const REREAD_BYTES = 1024 * 1024;
/** An origin that breaks off is asked again this often, as long as each time brought something. */
const MAX_RESUMES = 16;

export interface Transfer {
  readonly fs: FileSystem;
  readonly path: string;
  readonly descriptor: Descriptor;
  readonly origin: BlobOrigin;
  readonly createVerifier: () => BlobVerifier;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (receivedBytes: number) => void;
}

/**
 * Leaves the complete, verified and synced blob at `path`. Throws `digest-mismatch` or `size-mismatch` with nothing left
 * at `path`; after other errors a prefix may be left there to go on from.
 */
export async function transferBlob(transfer: Transfer): Promise<void> {
  if (await attempt(transfer)) return;
  // the digest is wrong and part of the bytes were from an earlier attempt: those may be the bad ones
  await transfer.fs.rm(transfer.path, { force: true });
  await attempt(transfer);
}

/** False when the digest is wrong but the attempt was a resumed one. */
async function attempt(transfer: Transfer): Promise<boolean> {
  const { fs, path, descriptor } = transfer;
  const verifier = transfer.createVerifier();
  const { handle, resumedAt } = await openPartial(transfer, verifier);
  try {
    await receive(transfer, handle, verifier, resumedAt);
    const actual = await verifier.digestHex();
    const { algorithm, hex } = digestParts(descriptor.digest);
    if (actual === hex) {
      await handle.sync();
      return true;
    }
    if (resumedAt > 0) return false;
    throw new WctrError('digest-mismatch', `blob ${descriptor.digest}: the bytes received are ${algorithm}:${actual}`, {
      hint: 'the registry or archive is damaged or has been tampered with; nothing was stored',
      data: { expected: descriptor.digest, actual: `${algorithm}:${actual}`, sizeBytes: descriptor.size },
    });
  } catch (error) {
    // bytes worth going on from stay; an empty file is not
    const isEmpty = (await handle.stat().catch(() => undefined))?.size === 0;
    if (isUseless(error) || isEmpty || isDiskFull(error)) await fs.rm(path, { force: true }).catch(() => {});
    throw error;
  } finally {
    await handle.close();
  }
}

async function openPartial(
  { fs, path, descriptor, signal }: Transfer,
  verifier: BlobVerifier,
): Promise<{ handle: FileHandle; resumedAt: number }> {
  let handle: FileHandle;
  try {
    handle = await fs.open(path, 'r+');
  } catch (error) {
    if (!isMissing(error)) throw error;
    return { handle: await openCreating(fs, path, 'wx+'), resumedAt: 0 };
  }
  try {
    const { size } = await handle.stat();
    if (size > descriptor.size) {
      await handle.truncate(0);
      return { handle, resumedAt: 0 };
    }
    const buffer = new Uint8Array(Math.min(REREAD_BYTES, size));
    for (let at = 0; at < size; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at);
      if (bytesRead === 0) throw new WctrError('store-corrupt', `${path} changed while it was read`);
      await verifier.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return { handle, resumedAt: size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function receive(transfer: Transfer, handle: FileHandle, verifier: BlobVerifier, from: number): Promise<void> {
  const { descriptor, origin, signal, onProgress } = transfer;
  let received = from;
  for (let resumes = 0; received < descriptor.size || resumes === 0; resumes += 1) {
    const before = received;
    if (received === descriptor.size && from > 0) break;
    try {
      for await (const chunk of abortable(origin(received, signal), signal)) {
        if (received + chunk.length > descriptor.size) throw overlong(descriptor);
        const written = writeAll(handle, chunk, received);
        // the disk works while the hash is taken; a failed write must not go unhandled if the verifier throws first
        written.catch(() => {});
        await verifier.update(chunk);
        await written;
        received += chunk.length;
        onProgress(received);
      }
    } catch (error) {
      if (received === before || resumes >= MAX_RESUMES || !isWorthAnotherTry(error, signal)) throw error;
      continue;
    }
    if (received < descriptor.size && (received === before || resumes >= MAX_RESUMES))
      throw tooShort(descriptor, received);
  }
}

/** Ends when the signal fires even if the source never answers again. */
async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let onAbort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
  aborted.catch(() => {});
  let isDone = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = iterator.next();
      next.catch(() => {});
      const result = await Promise.race([next, aborted]);
      isDone = result.done === true;
      if (result.done === true) return;
      yield result.value;
    }
  } catch (error) {
    isDone ||= !signal?.aborted;
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // not awaited: a source that hangs would hang here as well
    if (!isDone) iterator.return?.()?.catch(() => {});
  }
}

function isWorthAnotherTry(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted) return false;
  return isWctrError(error, 'registry-unreachable') || isWctrError(error, 'timeout');
}

/** The bytes are complete and wrong, or right and (as a verifier that looks into them found) of no use. */
const USELESS: readonly ErrorCode[] = [
  'digest-mismatch',
  'size-mismatch',
  'invalid-layer',
  'limit-exceeded',
  'unsupported-media-type',
];

function isUseless(error: unknown): boolean {
  return USELESS.some((code) => isWctrError(error, code));
}

function isDiskFull(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' || name === 'QuotaExceededError';
}

function overlong({ digest, size }: Descriptor): WctrError {
  return new WctrError('size-mismatch', `blob ${digest}: more than the ${size} bytes its descriptor states`, {
    hint: 'the registry or archive is damaged or has been tampered with; nothing was stored',
    data: { digest, expectedBytes: size },
  });
}

function tooShort({ digest, size }: Descriptor, received: number): WctrError {
  return new WctrError('size-mismatch', `blob ${digest}: ended after ${received} of ${size} bytes`, {
    hint: 'the transfer broke off or the registry or archive is damaged; nothing was stored',
    data: { digest, expectedBytes: size, receivedBytes: received },
  });
}
