/**
 * Uploads under way: bytes in order, hashed as they come. What is known of one beside its bytes (the state of its hash) is
 * in memory; another process, or this one started again, goes on from the bytes and hashes them once more at the end.
 */
import type { Hasher } from '../host/ports.ts';
import { type CreateHasher, type DigestAlgorithm, digestOf, digestParts } from '../images/digest.ts';
import type { Digest } from '../spec/image-spec.ts';
import { Refusal } from './refusal.ts';
import type { Driver, Upload } from './storage/driver.ts';

interface Progress {
  readonly algorithm: DigestAlgorithm;
  readonly hasher: Hasher;
  /** Bytes the hasher has seen. */
  hashedBytes: number;
  touchedMs: number;
}

export interface UploadSessionsOptions {
  readonly driver: Driver;
  readonly createHasher: CreateHasher;
  readonly randomId: () => string;
  readonly now: () => number;
}

/** One request's hold on an upload. */
export interface UploadSession {
  readonly id: string;
  readonly sizeBytes: number;
  append(chunk: Uint8Array): Promise<void>;
  /** The digest of all bytes by this algorithm; ends the appending. */
  finish(algorithm: DigestAlgorithm): Promise<Digest>;
  /** After `finish`. */
  commit(digest: Digest): Promise<void>;
  cancel(): Promise<void>;
  /** Lets the next request have it. */
  release(): Promise<void>;
}

/** A session nobody spoke to for this long is forgotten; its bytes stay until the collector takes them. */
const FORGET_MS = 30 * 60_000;
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export class UploadSessions {
  readonly #options: UploadSessionsOptions;
  readonly #progress = new Map<string, Progress>();
  /** Who has each upload now; the next waits for it. */
  readonly #held = new Map<string, Promise<void>>();

  constructor(options: UploadSessionsOptions) {
    this.#options = options;
  }

  /** Requests that have an upload at this moment. */
  get active(): number {
    return this.#held.size;
  }

  async begin(repository: string, algorithm: DigestAlgorithm): Promise<UploadSession> {
    this.#forgetOld();
    const id = this.#options.randomId();
    const release = await this.#hold(id);
    try {
      const upload = await this.#options.driver.uploads.create(this.#stored(repository, id));
      const hasher = this.#options.createHasher(algorithm);
      this.#progress.set(id, { algorithm, hasher, hashedBytes: 0, touchedMs: this.#options.now() });
      return this.#session(id, upload, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Throws BLOB_UPLOAD_UNKNOWN. Waits while another request has it. */
  async resume(repository: string, id: string): Promise<UploadSession> {
    if (!ID.test(id)) throw unknown(id);
    const release = await this.#hold(id);
    try {
      const upload = await this.#options.driver.uploads.open(this.#stored(repository, id));
      if (upload === undefined) throw unknown(id);
      return this.#session(id, upload, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The name in storage says whose it is, so that it cannot be gone on with in another repository. */
  #stored(repository: string, id: string): string {
    const owner = digestParts(digestOf(this.#options.createHasher, new TextEncoder().encode(repository))).hex;
    return `${id}-${owner.slice(0, 32)}`;
  }

  async #hold(id: string): Promise<() => void> {
    const before = this.#held.get(id);
    let done = () => {};
    const mine = new Promise<void>((resolve) => {
      done = resolve;
    });
    const turn = (before ?? Promise.resolve()).then(() => mine);
    this.#held.set(id, turn);
    await before;
    return () => {
      done();
      if (this.#held.get(id) === turn) this.#held.delete(id);
    };
  }

  #session(id: string, upload: Upload, letGo: () => void): UploadSession {
    const { createHasher, now } = this.#options;
    const progress = this.#progress.get(id);
    const touch = () => {
      if (progress !== undefined) progress.touchedMs = now();
    };
    touch();
    return {
      id,
      get sizeBytes() {
        return upload.sizeBytes;
      },
      append: async (chunk) => {
        const isWhole = progress?.hashedBytes === upload.sizeBytes;
        const written = upload.append(chunk);
        // The disk works while the hash is taken; the hasher must not be ahead of what is stored for good, though.
        written.catch(() => {});
        if (progress !== undefined && isWhole) {
          progress.hasher.update(chunk);
          progress.hashedBytes += chunk.length;
        }
        await written;
      },
      finish: async (algorithm) => {
        await upload.close();
        this.#progress.delete(id);
        if (progress?.algorithm === algorithm && progress.hashedBytes === upload.sizeBytes) {
          return `${algorithm}:${progress.hasher.digestHex()}`;
        }
        const hasher = createHasher(algorithm);
        for await (const chunk of upload.bytes()) hasher.update(chunk);
        return `${algorithm}:${hasher.digestHex()}`;
      },
      commit: (digest) => upload.commit(digest),
      cancel: async () => {
        this.#progress.delete(id);
        await upload.cancel();
      },
      release: async () => {
        try {
          await upload.close();
        } finally {
          touch();
          letGo();
        }
      },
    };
  }

  #forgetOld(): void {
    const oldest = this.#options.now() - FORGET_MS;
    for (const [id, { touchedMs }] of this.#progress) {
      if (touchedMs < oldest && !this.#held.has(id)) this.#progress.delete(id);
    }
  }
}

function unknown(id: string): Refusal {
  return new Refusal('blobUploadUnknown', 'blob upload unknown to registry', { detail: { upload: id.slice(0, 100) } });
}
