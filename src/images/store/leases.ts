/**
 * Leases keep what a pull, load or build under way needs from the garbage collector until an image record does. A lease
 * is a record that expires unless its owner renews it, so a killed owner holds nothing for longer than a minute.
 */
import type { FileSystem, Locks } from '../../host/ports.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { CreateHasher } from '../digest.ts';
import { uniqueName } from './durable.ts';
import { GC_LOCK, type StoreLayout } from './layout.ts';
import { RecordFiles } from './records.ts';

interface LeaseRecord {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Blob digests, diff IDs and chain IDs alike. */
  readonly pins: readonly Digest[];
}

export interface LeasesOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly locks: Locks;
  readonly createHasher: CreateHasher;
  readonly now?: () => number;
  readonly lifetimeMs?: number;
}

export interface Lease {
  /** Call before looking whether the content is there: what is pinned first cannot vanish between look and use. */
  pin(digests: Iterable<Digest>): Promise<void>;
  release(): Promise<void>;
}

const LIFETIME_MS = 60_000;
/** A lease is for who works now: a power cut ends the work, so the disk is not waited for. */
const PASSING = { durable: false };

export class Leases {
  readonly #options: LeasesOptions;
  readonly #records: RecordFiles<LeaseRecord>;

  constructor(options: LeasesOptions) {
    this.#options = options;
    const { fs, layout, createHasher } = options;
    this.#records = new RecordFiles({ fs, dir: layout.leases, tempDir: layout.tmp, createHasher, what: 'lease' });
  }

  /** Nothing is written before the first pin. */
  open(): Lease {
    const { locks, now = Date.now, lifetimeMs = LIFETIME_MS } = this.#options;
    const key = uniqueName('lease');
    const pins = new Set<Digest>();
    let renewal: ReturnType<typeof setInterval> | undefined;
    let writing: Promise<void> = Promise.resolve();
    const write = (): Promise<void> => {
      // one after the other, so that an older set of pins never replaces a newer one
      writing = writing
        .catch(() => {})
        .then(() => this.#records.put({ key, expiresAtMs: now() + lifetimeMs, pins: [...pins] }, PASSING));
      return writing;
    };
    const pin = async (added: Iterable<Digest>): Promise<void> => {
      const before = pins.size;
      for (const one of added) pins.add(one);
      if (pins.size === before) return;
      const lock = await locks.acquire(GC_LOCK, { shared: true });
      try {
        await write();
      } finally {
        await lock.release();
      }
      renewal ??= unreferenced(setInterval(() => void write().catch(() => {}), lifetimeMs / 4));
    };
    return {
      pin,
      release: async () => {
        clearInterval(renewal);
        await writing.catch(() => {});
        // a lease that cannot be removed runs out by itself; the work it was for is done or has failed already
        if (pins.size > 0) await this.#records.delete(key, PASSING).catch(() => {});
      },
    };
  }

  /** Everything pinned by leases that are alive. Dead ones are removed by the collector alone, which holds the GC lock. */
  async pinned({ sweep = true }: { readonly sweep?: boolean } = {}): Promise<Set<Digest>> {
    const now = (this.#options.now ?? Date.now)();
    const pins = new Set<Digest>();
    // a damaged lease cannot say what it pins; its owner will notice when it commits
    for (const lease of await this.#records.list(() => {})) {
      if (lease.expiresAtMs < now) {
        if (sweep) await this.#records.delete(lease.key);
      } else for (const digest of lease.pins) pins.add(digest);
    }
    return pins;
  }
}

/** Where timers keep a process alive (Node), this one does not. */
function unreferenced<T>(timer: T): T {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}
