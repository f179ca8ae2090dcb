/**
 * Checksums of a context's files, kept from one build to the next: a file whose size, times, inode and device are what
 * they were is not read again. One file for each context directory, `<root>/build/contexts/<sha256 of its path>`:
 *
 * ```
 * {"version":1,"directory":"/home/me/app","sha256":"<of all that follows the line>"}\n
 * <path> NUL <size mtimeNs ctimeNs inode device> NUL <hex of the content's SHA-256> NUL …
 * ```
 *
 * What is damaged is forgotten. Nothing is kept of a file that was changed just before it was looked at: another change
 * within the same tick of the file system's clock would leave no trace (git's racy entries).
 */
import type { FileSystem, SyncStat } from '../../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../../images/digest.ts';
import { writeAtomically } from '../../images/store/durable.ts';
import type { StoreLayout } from '../../images/store/layout.ts';

export interface KeptChecksumsOptions {
  readonly fs: FileSystem;
  readonly layout: StoreLayout;
  readonly createHasher: CreateHasher;
  readonly now?: () => number;
}

/** Longer than the tick of any file system's clock: FAT's is two seconds. */
const RACY_NS = 2_500_000_000n;
const DAY_MS = 24 * 3_600_000;
const VERSION = 1;
const FIELDS = 3;

export class KeptChecksums {
  readonly #options: KeptChecksumsOptions;

  constructor(options: KeptChecksumsOptions) {
    this.#options = options;
  }

  get createHasher(): CreateHasher {
    return this.#options.createHasher;
  }

  /** `directory`: an absolute path of the host. */
  async open(directory: string): Promise<ContextChecksums> {
    const { fs, layout, createHasher, now = Date.now } = this.#options;
    const name = digestParts(digestOf(createHasher, new TextEncoder().encode(directory))).hex;
    const path = `${layout.buildContexts}/${name}`;
    const bytes = await fs.readFile(path).catch(() => undefined);
    const known = bytes === undefined ? undefined : decode(bytes, directory, createHasher);
    // Written again once a day, so that its time tells when it was of use
    const writtenMs = known === undefined ? 0 : ((await fs.stat(path).catch(() => undefined))?.mtimeMs ?? 0);
    const isDue = known !== undefined && now() - writtenMs > DAY_MS;
    return new ContextChecksums(known ?? new Map(), isDue, now, async (kept) => {
      const data = encode(kept, directory, createHasher);
      // What cannot be kept is computed again.
      await writeAtomically(fs, layout.tmp, path, data).catch(() => {});
    });
  }
}

/** A file as it was before it was read. */
export interface FoundFile {
  readonly path: string;
  readonly size: number;
  readonly state: string;
  /** Nanoseconds since the epoch, the later one of its times. */
  readonly changedNs: bigint;
}

interface Kept {
  readonly state: string;
  readonly hex: string;
}

export class ContextChecksums {
  readonly #known: Map<string, Kept>;
  readonly #now: () => number;
  readonly #write: (kept: ReadonlyMap<string, Kept>) => Promise<void>;
  #isChanged = false;

  constructor(
    known: Map<string, Kept>,
    isDue: boolean,
    now: () => number,
    write: (kept: ReadonlyMap<string, Kept>) => Promise<void>,
  ) {
    this.#known = known;
    this.#isChanged = isDue;
    this.#now = now;
    this.#write = write;
  }

  get({ path, state }: FoundFile): string | undefined {
    const kept = this.#known.get(path);
    return kept?.state === state ? kept.hex : undefined;
  }

  set({ path, state, changedNs }: FoundFile, hex: string): void {
    if (changedNs >= BigInt(this.#now()) * 1_000_000n - RACY_NS) {
      if (this.#known.delete(path)) this.#isChanged = true;
      return;
    }
    this.#known.set(path, { state, hex });
    this.#isChanged = true;
  }

  /** Writes down what is new, without what `isGone`. */
  async save(isGone: (path: string) => boolean): Promise<void> {
    if (!this.#isChanged) return;
    for (const path of this.#known.keys()) if (isGone(path)) this.#known.delete(path);
    this.#isChanged = false;
    await this.#write(this.#known);
  }
}

/** What tells a file's content from another, without it. */
export function fileState({ size, mtimeNs, ctimeNs, ino, dev }: SyncStat): string {
  return `${size} ${mtimeNs} ${ctimeNs} ${ino} ${dev}`;
}

export function changedAt({ mtimeNs, ctimeNs }: SyncStat): bigint {
  return mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
}

function encode(kept: ReadonlyMap<string, Kept>, directory: string, createHasher: CreateHasher): Uint8Array {
  const encoder = new TextEncoder();
  const fields: string[] = [];
  for (const [path, { state, hex }] of kept) fields.push(path, state, hex);
  const body = encoder.encode(fields.join('\0'));
  const { hex } = digestParts(digestOf(createHasher, body));
  const head = encoder.encode(`${JSON.stringify({ version: VERSION, directory, sha256: hex })}\n`);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head, 0);
  whole.set(body, head.length);
  return whole;
}

function decode(bytes: Uint8Array, directory: string, createHasher: CreateHasher): Map<string, Kept> | undefined {
  const decoder = new TextDecoder();
  const newline = bytes.indexOf(0x0a);
  const head = contextHead(bytes.subarray(0, Math.max(0, newline)));
  const body = bytes.subarray(newline + 1);
  if (head?.directory !== directory || head.sha256 !== digestParts(digestOf(createHasher, body)).hex) return undefined;
  const fields = body.length === 0 ? [] : decoder.decode(body).split('\0');
  const known = new Map<string, Kept>();
  for (let at = 0; at + FIELDS <= fields.length; at += FIELDS) {
    known.set(fields[at] as string, { state: fields[at + 1] as string, hex: fields[at + 2] as string });
  }
  return known;
}

/** The first line of such a file, for who lists them. Undefined when it is none of this version. */
export function contextHead(line: Uint8Array): { readonly directory: string; readonly sha256: string } | undefined {
  try {
    const { version, directory, sha256 } = JSON.parse(new TextDecoder().decode(line)) as Record<string, unknown>;
    if (version !== VERSION || typeof directory !== 'string' || typeof sha256 !== 'string') return undefined;
    return { directory, sha256 };
  } catch {
    return undefined;
  }
}
