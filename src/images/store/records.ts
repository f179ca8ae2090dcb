/**
 * Small JSON records, one file per key, each with the checksum of its own text:
 *
 * ```
 * {"sha256":"<64 hex>","record":<JSON text the checksum is of>}\n
 * ```
 *
 * Any JSON tool can read one; a torn or flipped one is noticed. A key may be any text: the file is named by its hash,
 * so keys that differ in case only stay apart on every file system.
 */
import { WctrError } from '../../errors.ts';
import type { FileSystem } from '../../host/ports.ts';
import { type CreateHasher, digestOf, digestParts } from '../digest.ts';
import { diskError, isMissing } from './disk-error.ts';
import { syncDirectory, writeAtomically, writeDurably } from './durable.ts';

const PREFIX = '{"sha256":"';
const MIDDLE = '","record":';
const HEAD_CHARS = PREFIX.length + 64 + MIDDLE.length;
const READ_AT_ONCE = 32;
const MAX_RECORD_BYTES = 8 * 1024 * 1024;

export interface RecordFilesOptions {
  readonly fs: FileSystem;
  /** Directory of these records; nothing else lives there. */
  readonly dir: string;
  /** Directory for temp files, on the same file system. */
  readonly tempDir: string;
  readonly createHasher: CreateHasher;
  /** What messages call one: `image record`. */
  readonly what: string;
  /** Whether what was read has the shape of today; an earlier release may have written another one. */
  readonly isCurrent?: (record: object) => boolean;
}

/** Every record is an object that carries its own key, so a listing needs no names. */
export class RecordFiles<T extends { readonly key: string }> {
  readonly #options: RecordFilesOptions;

  constructor(options: RecordFilesOptions) {
    this.#options = options;
  }

  /** Throws `store-corrupt` for a record that fails its checksum. */
  async get(key: string): Promise<T | undefined> {
    return this.#read(this.#path(key));
  }

  /**
   * Durable when the promise resolves, unless `durable` is false: a record that is to go with its process need not
   * outlive the machine. Throws `no-space` or `store-read-only`.
   */
  async put(record: T, options: { readonly durable?: boolean } = {}): Promise<void> {
    const { fs, tempDir, what, dir } = this.#options;
    try {
      const write = options.durable === false ? writeAtomically : writeDurably;
      await write(fs, tempDir, this.#path(record.key), this.#encode(record));
    } catch (error) {
      throw diskError(error, `write the ${what}`, dir);
    }
  }

  async delete(key: string, options: { readonly durable?: boolean } = {}): Promise<void> {
    const { fs, dir, what } = this.#options;
    try {
      await fs.rm(this.#path(key), { force: true });
      if (options.durable !== false) await syncDirectory(fs, dir);
    } catch (error) {
      throw diskError(error, `remove the ${what}`, dir);
    }
  }

  /**
   * All records in no order. Throws `store-corrupt` unless `onCorrupt` takes the error. `verify: false` is for who only
   * shows them: a record that can be read as one is believed without its checksum, which is most of the time it takes.
   */
  async list(onCorrupt?: (error: WctrError) => void, options: { readonly verify?: boolean } = {}): Promise<T[]> {
    const { fs, dir } = this.#options;
    const files = await fs.readdir(dir).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw diskError(error, `list ${dir}`, dir);
    });
    const names = files.filter((name) => name.endsWith('.json'));
    const records: T[] = [];
    for (let at = 0; at < names.length; at += READ_AT_ONCE) {
      const some = names.slice(at, at + READ_AT_ONCE).map((name) => {
        return this.#readOrReport(`${dir}/${name}`, onCorrupt, options.verify !== false);
      });
      for (const record of await Promise.all(some)) if (record !== undefined) records.push(record);
    }
    return records;
  }

  async #readOrReport(
    path: string,
    onCorrupt: ((error: WctrError) => void) | undefined,
    verify: boolean,
  ): Promise<T | undefined> {
    try {
      return await this.#read(path, verify);
    } catch (error) {
      if (onCorrupt === undefined || !(error instanceof WctrError)) throw error;
      onCorrupt(error);
      return undefined;
    }
  }

  #path(key: string): string {
    const { createHasher, dir } = this.#options;
    return `${dir}/${digestParts(digestOf(createHasher, new TextEncoder().encode(key))).hex}.json`;
  }

  #encode(record: T): Uint8Array {
    const text = JSON.stringify(record);
    const { hex } = digestParts(digestOf(this.#options.createHasher, new TextEncoder().encode(text)));
    return new TextEncoder().encode(`${PREFIX}${hex}${MIDDLE}${text}}\n`);
  }

  async #read(path: string, verify = true): Promise<T | undefined> {
    const { fs, what, dir, isCurrent } = this.#options;
    let bytes: Uint8Array;
    try {
      bytes = await fs.readFile(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw diskError(error, `read the ${what}`, dir);
    }
    const text = bytes.length > MAX_RECORD_BYTES ? '' : new TextDecoder().decode(bytes);
    const body = text.slice(HEAD_CHARS, -2);
    const stated = text.slice(PREFIX.length, PREFIX.length + 64);
    const isWhole = text.startsWith(PREFIX) && text.endsWith('}\n') && (!verify || stated === this.#hashOf(body));
    const record = isWhole ? parsed<T>(body) : undefined;
    if (record === undefined) {
      throw new WctrError('store-corrupt', `the ${what} ${path} is damaged`, {
        hint: 'delete that file, and make or pull again what it recorded',
        data: { path },
      });
    }
    if (isCurrent?.(record) === false) {
      throw new WctrError('store-corrupt', `the ${what} ${path} was written by another version of wctr`, {
        hint: 'delete that file, or use that version',
        data: { path },
      });
    }
    return record;
  }

  #hashOf(text: string): string {
    return digestParts(digestOf(this.#options.createHasher, new TextEncoder().encode(text))).hex;
  }
}

function parsed<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
