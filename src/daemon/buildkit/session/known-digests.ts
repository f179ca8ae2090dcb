/**
 * Checksums of a client's files from builds before: one whose size, mode and time are what they were is not sent again, as
 * BuildKit has it. Kept in memory, for the directories used last.
 */
import type { ReceivedFile } from './received-files.ts';

const MAX_DIRECTORIES = 32;
const MAX_FILES = 200_000;
/** A file changed just before it was read may change again without a trace in its time. */
const RACY_NS = 2.5e9;

export interface KnownDigests {
  get(file: ReceivedFile): string | undefined;
  set(file: ReceivedFile, digestHex: string): void;
}

interface Known {
  readonly size: number;
  readonly modTime: number;
  readonly digestHex: string;
}

export class DigestMemory {
  readonly #directories = new Map<string, Map<string, Known>>();

  /** `key` names a directory of one client; without one nothing is remembered. */
  of(key: string | undefined): KnownDigests {
    if (key === undefined) return { get: () => undefined, set: () => {} };
    const known = this.#directories.get(key) ?? new Map<string, Known>();
    // Used last.
    this.#directories.delete(key);
    this.#directories.set(key, known);
    for (const [oldest] of this.#directories) {
      if (this.#directories.size <= MAX_DIRECTORIES) break;
      this.#directories.delete(oldest);
    }
    return {
      get({ path, size, modTime }) {
        const found = known.get(path);
        return found?.size === size && found.modTime === modTime ? found.digestHex : undefined;
      },
      set({ path, size, modTime }, digestHex) {
        if (modTime <= 0 || modTime > Date.now() * 1e6 - RACY_NS) return;
        if (known.size >= MAX_FILES) known.clear();
        known.set(path, { size, modTime, digestHex });
      },
    };
  }
}
