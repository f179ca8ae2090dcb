/** Reads what a log driver has written: the last lines, a span of time, and what comes while the container runs. */
import { WctrError } from '../../errors.ts';
import type { FileHandle, FileSystem } from '../../host/ports.ts';
import { isMissing } from '../../images/store/disk-error.ts';
import type { LogConfig } from '../../spec/engine-api.ts';
import { limitsOf, logFormat } from './driver.ts';
import type { LogEntry, LogFormat } from './format.ts';
import { PACKED, unpacked } from './packing.ts';
import type { LogChunk, LogOptions } from './ports.ts';
import { formatTimeFixed, parseTimeBound } from './time.ts';

const READ_BYTES = 64 * 1024;
/** No entry is longer: 16 KiB of text, six bytes a character at worst, and what is around it. */
const MAX_ENTRY_BYTES = 256 * 1024;
const POLL_MIN_MS = 10;
const POLL_MAX_MS = 200;

export interface LogSource {
  readonly fs: FileSystem;
  readonly path: string;
  readonly log: LogConfig;
}

/**
 * @param ended for `follow`: resolves when the container has ended and all of its output is in the log.
 * Throws 'unsupported' for the driver `none`, 'invalid-argument' for times that are none.
 */
export async function* readLogs(
  source: LogSource,
  options: LogOptions = {},
  ended: Promise<unknown> = Promise.resolve(),
): AsyncGenerator<LogChunk, void> {
  const format = logFormat(source.log);
  if (format === undefined) throw new WctrError('unsupported', 'configured logging driver does not support reading');
  const since = options.since ? parseTimeBound(options.since, 'since') : undefined;
  const until = options.until ? parseTimeBound(options.until, 'until') : undefined;
  const streams = { stdout: options.stdout ?? true, stderr: options.stderr ?? true };
  const files = new LogFiles(source.fs, source.path, limitsOf(source.log).maxFiles, format);
  try {
    for await (const entry of files.entries(options, ended)) {
      if (until !== undefined && entry.time > until) return;
      if (!streams[entry.stream] || (since !== undefined && entry.time < since)) continue;
      yield { stream: entry.stream, bytes: prefixed(entry, options) };
    }
  } finally {
    await files.close();
  }
}

/** docker's order: time, then details. */
function prefixed(entry: LogEntry, { timestamps = false, details = false }: LogOptions): Uint8Array {
  if (!timestamps && !details) return entry.bytes;
  const prefix = new TextEncoder().encode(
    `${timestamps ? `${formatTimeFixed(entry.time)} ` : ''}${details ? `${detailsOf(entry)} ` : ''}`,
  );
  const line = new Uint8Array(prefix.length + entry.bytes.length);
  line.set(prefix);
  line.set(entry.bytes, prefix.length);
  return line;
}

function detailsOf({ attributes = {} }: LogEntry): string {
  const keys = Object.keys(attributes).sort();
  return keys.map((key) => `${encodeURIComponent(key)}=${encodeURIComponent(String(attributes[key]))}`).join(',');
}

/** A file of the log as it was when it was opened. */
interface LogFile {
  readonly handle: FileHandle;
  /** Can be read from its beginning only. */
  readonly isPacked: boolean;
}

class LogFiles {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #maxFiles: number;
  readonly #format: LogFormat;
  #handles: FileHandle[] = [];

  constructor(fs: FileSystem, path: string, maxFiles: number, format: LogFormat) {
    this.#fs = fs;
    this.#path = path;
    this.#maxFiles = maxFiles;
    this.#format = format;
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close().catch(() => {})));
  }

  /** Oldest first. The files are opened together, so that a rotation in between moves nothing. */
  async *entries(options: LogOptions, ended: Promise<unknown>): AsyncGenerator<LogEntry, void> {
    const files = await this.#openAll();
    let { first, at } = await this.#startOf(files, options.tail);
    for (; first < files.length && (first < files.length - 1 || files[first]!.isPacked); first += 1) {
      yield* this.#entriesOf(files[first]!, at);
      at = 0;
    }
    const current = files[first]?.handle;
    if (options.follow !== true) {
      if (current !== undefined) yield* this.#read(current, at);
      return;
    }
    yield* this.#follow(current, at, ended, options.signal);
  }

  /** `at`: a position, or how many entries of a packed one to leave out. */
  async *#entriesOf({ handle, isPacked }: LogFile, at: number): AsyncGenerator<LogEntry, void> {
    if (!isPacked) {
      yield* this.#read(handle, at);
      return;
    }
    let left = at;
    for await (const entry of this.#unpack(handle)) {
      if (left > 0) left -= 1;
      else yield entry;
    }
  }

  /** What is damaged is the end of it. */
  async *#unpack(handle: FileHandle): AsyncGenerator<LogEntry, void> {
    const chunks = unpacked(handle);
    let pending = new Uint8Array(0);
    try {
      for (;;) {
        const { value, done } = await chunks.next().catch(() => ({ value: undefined, done: true }));
        if (done === true || value === undefined) return;
        const bytes = joined(pending, value);
        let used = 0;
        for (let next = this.#format.decode(bytes, 0); next !== undefined; next = this.#format.decode(bytes, used)) {
          used = next.next;
          if (next.entry !== undefined) yield next.entry;
        }
        pending = bytes.slice(used);
        if (pending.length > MAX_ENTRY_BYTES) return;
      }
    } finally {
      await chunks.return(undefined);
    }
  }

  async *#follow(
    opened: FileHandle | undefined,
    position: number,
    ended: Promise<unknown>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LogEntry, void> {
    let handle = opened;
    let at = position;
    let isOver = false;
    void ended
      .catch(() => {})
      .then(() => {
        isOver = true;
      });
    // A promise that has resolved already is seen in the first round.
    await Promise.resolve();
    for (let wait = POLL_MIN_MS; signal?.aborted !== true; ) {
      // Asked before reading: what is written until then is read in this round.
      const isLast = isOver;
      const before = at;
      handle ??= await this.#openOne(this.#path);
      if (handle !== undefined) {
        const rest = this.#read(handle, at);
        for (let next = await rest.next(); ; next = await rest.next()) {
          if (next.done) {
            at = next.value;
            break;
          }
          yield next.value;
        }
        if (await this.#wasReplaced(handle, at)) {
          // Between the last read and the rotation there may have been more.
          const tail = this.#read(handle, at);
          for (let next = await tail.next(); next.done !== true; next = await tail.next()) yield next.value;
          handle = await this.#nextAfter(handle);
          at = 0;
          continue;
        }
      }
      if (isLast) return;
      wait = at > before ? POLL_MIN_MS : Math.min(wait * 2, POLL_MAX_MS);
      await settled(wait, ended, isOver, signal);
    }
  }

  /** The file that was begun after this one: it may itself have been rotated away meanwhile. */
  async #nextAfter(handle: FileHandle): Promise<FileHandle | undefined> {
    const { ino } = await handle.stat();
    await handle.close();
    this.#handles = this.#handles.filter((other) => other !== handle);
    for (let i = 1; i < this.#maxFiles; i += 1) {
      const older = await this.#fs.stat(`${this.#path}.${i}`).catch(() => undefined);
      if (older !== undefined && older.ino === ino) {
        return this.#openOne(i === 1 ? this.#path : `${this.#path}.${i - 1}`);
      }
    }
    return this.#openOne(this.#path);
  }

  async #wasReplaced(handle: FileHandle, at: number): Promise<boolean> {
    const [mine, named] = await Promise.all([handle.stat(), this.#fs.stat(this.#path).catch(() => undefined)]);
    if (named === undefined) return false;
    return named.ino !== mine.ino || named.size < at;
  }

  async #openAll(): Promise<LogFile[]> {
    const files: LogFile[] = [];
    for (let i = this.#maxFiles - 1; i >= 0; i -= 1) {
      const path = i === 0 ? this.#path : `${this.#path}.${i}`;
      const plain = await this.#openOne(path);
      // It is packed first and removed then.
      const packed = plain === undefined && i > 0 ? await this.#openOne(`${path}${PACKED}`) : undefined;
      const handle = plain ?? packed;
      if (handle !== undefined) files.push({ handle, isPacked: packed !== undefined });
    }
    return files;
  }

  async #openOne(path: string): Promise<FileHandle | undefined> {
    try {
      const handle = await this.#fs.open(path, 'r');
      this.#handles.push(handle);
      return handle;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Where the last `tail` entries begin. */
  async #startOf(files: readonly LogFile[], tail: number | undefined): Promise<{ first: number; at: number }> {
    if (tail === undefined || tail < 0) return { first: 0, at: 0 };
    let left = tail;
    for (let i = files.length - 1; i >= 0; i -= 1) {
      const { handle, isPacked } = files[i]!;
      if (isPacked && left > 0) {
        let count = 0;
        for await (const _ of this.#unpack(handle)) count += 1;
        if (count >= left) return { first: i, at: count - left };
        left -= count;
        continue;
      }
      const { size } = await handle.stat();
      let end = size;
      let from = size;
      let bytes = new Uint8Array(0);
      for (; end > 0 && left > 0; left -= 1) {
        let begin = this.#format.previous(bytes, end - from);
        if (begin < 0 && from > 0) {
          from = Math.max(0, end - MAX_ENTRY_BYTES);
          bytes = await readAt(handle, from, end - from);
          begin = this.#format.previous(bytes, end - from);
        }
        // The first entry of a file has nothing before it to be told by.
        end = from + Math.max(0, begin);
      }
      if (left === 0) return { first: i, at: tail === 0 ? size : end };
    }
    return { first: 0, at: 0 };
  }

  /** Whole entries from `at` to the end as it is now; returns where the next one will begin. */
  async *#read(handle: FileHandle, at: number): AsyncGenerator<LogEntry, number> {
    let position = at;
    let pending = new Uint8Array(0);
    for (;;) {
      const more = await readAt(handle, position + pending.length, READ_BYTES);
      if (more.length === 0) return position;
      const bytes = pending.length === 0 ? more : joined(pending, more);
      let used = 0;
      for (let next = this.#format.decode(bytes, 0); next !== undefined; next = this.#format.decode(bytes, used)) {
        used = next.next;
        if (next.entry !== undefined) yield next.entry;
      }
      position += used;
      pending = bytes.slice(used);
      // Not what a driver writes: there is no entry in it.
      if (pending.length > MAX_ENTRY_BYTES) return position;
    }
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const buffer = new Uint8Array(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await handle.read(buffer, got, length - got, position + got);
    if (bytesRead === 0) break;
    got += bytesRead;
  }
  return buffer.subarray(0, got);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

async function settled(ms: number, ended: Promise<unknown>, isOver: boolean, signal?: AbortSignal): Promise<void> {
  if (isOver) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort = () => {};
  await Promise.race([
    ended.catch(() => {}),
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
      onAbort = resolve;
      signal?.addEventListener('abort', onAbort);
    }),
  ]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', onAbort);
}
