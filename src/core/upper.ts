/**
 * The journal of a container's writable layer: one file that holds, transaction by transaction, what the guest changed
 * over its image (format: abi/kernel.ts). The kernel writes transactions; this opens the file, replays it into a fresh
 * kernel, drops a torn end, and replaces the file by a shorter one when it has grown.
 */
import { WctrError } from '../errors.ts';
import * as abi from './abi/kernel.ts';

type Call = (...values: number[]) => number;

/** A file written at positions, synchronously, by whichever thread holds the kernel's lock. */
export interface JournalFile {
  readonly size: number;
  /** Fills `target` as far as the file goes; how many bytes. */
  read(position: number, target: Uint8Array): number;
  /** All of `source` or an error. `source` may lie in shared memory. */
  write(position: number, source: Uint8Array): void;
  /** Returns when what was written survives a power cut. */
  sync(): void;
  truncate(size: number): void;
  close(): void;
}

/** Where the file lies. */
export interface JournalStore {
  /** The journal; undefined when there is none and `create` is false. */
  open(create: boolean): JournalFile | undefined;
  /** An empty file beside it, which `commitNext` puts in its place, durably. */
  createNext(): JournalFile;
  commitNext(): void;
}

/** A thread's end of the kernel. `calls`: all exports of kernel.wasm. */
export interface UpperLink {
  readonly memory: WebAssembly.Memory;
  readonly calls: Readonly<Record<string, Call>>;
}

export interface Replayed {
  readonly transactions: number;
  /** Bytes of the journal that were whole. */
  readonly bytes: number;
  /** Bytes of a transaction that was not, dropped. */
  readonly dropped: number;
}

/** "wctrjrnl" */
const MAGIC = Uint8Array.of(0x77, 0x63, 0x74, 0x72, 0x6a, 0x72, 0x6e, 0x6c);
const DIGEST_AT = 16;
const DIGEST_BYTES = 32;
/** Below this a journal is never replaced. */
const COMPACT_BYTES = 16 * 1024 * 1024;
const COMPACT_FACTOR = 4;
const FIRST_GENERATION = 1;

export class UpperJournal {
  readonly #store: JournalStore;
  readonly #link: () => UpperLink;
  readonly #digest: Uint8Array;
  #file: JournalFile | undefined;
  /** Generation of the file that is open; undefined: whichever it is when it is first written. */
  #generation: number | undefined;
  #next: { readonly generation: number; readonly file: JournalFile } | undefined;
  #endBytes = 0;

  /**
   * `link` may come later than the journal, because the kernel imports `write`: it is asked when it is needed. `digest`:
   * at most 32 bytes that tell the image, checked at replay.
   */
  constructor(store: JournalStore, link: UpperLink | (() => UpperLink), options: { digest?: Uint8Array } = {}) {
    this.#store = store;
    this.#link = typeof link === 'function' ? link : () => link;
    this.#digest = new Uint8Array(DIGEST_BYTES);
    this.#digest.set((options.digest ?? new Uint8Array()).subarray(0, DIGEST_BYTES));
  }

  /** The kernel's import `journal_write`. */
  readonly write = (generation: number, low: number, high: number, pointer: number, length: number): number => {
    try {
      const position = (low >>> 0) + (high >>> 0) * 2 ** 32;
      const next = this.#next;
      if (next?.generation === generation && length === 0) {
        next.file.sync();
        this.#store.commitNext();
        this.#file?.close();
        this.#file = next.file;
        this.#generation = generation;
        this.#next = undefined;
        return 0;
      }
      const file = next?.generation === generation ? next.file : this.#current(generation);
      file.write(position, new Uint8Array(this.#link().memory.buffer, pointer >>> 0, length >>> 0));
      return 0;
    } catch (error) {
      return -errnoOf(error);
    }
  };

  /**
   * Main thread, after rootfs_mount and before anything is written: makes the kernel's writable layer what the journal
   * says. Throws 'store-corrupt' (damaged, or of another image), 'no-space', 'no-memory', or what the file system says.
   */
  replay(): Replayed {
    const file = this.#store.open(true)!;
    this.#file = file;
    this.#generation = FIRST_GENERATION;
    const { calls } = this.#link();
    if (!this.#readHeader(file)) {
      file.truncate(0);
      this.#writeHeader(file);
      file.sync();
    }
    const size = file.size;
    let end = abi.JOURNAL_HEADER_BYTES;
    let transactions = 0;
    const t = calls.process_create!(0, 0, 0, abi.PROCESS_HOST);
    if (t < 0 && t > -4096) throw new WctrError('no-memory', 'no memory to read the writable layer in');
    for (;;) {
      const bytes = this.#transaction(t, file, end, size, transactions + 1);
      if (bytes === 0) break;
      end += bytes;
      transactions++;
    }
    calls.process_exit!(t, 0);
    if (size > end) {
      file.truncate(end);
      file.sync();
    }
    calls.upper_journal!(FIRST_GENERATION, end >>> 0, Math.floor(end / 2 ** 32), transactions);
    this.#endBytes = end;
    return { transactions, bytes: end, dropped: size - end };
  }

  /** What changed goes to the file and the file to the disk. 0 or a negative errno; then the next one tries again. */
  trySync(t: number): number {
    const { calls, memory } = this.#link();
    const result = calls.upper_sync!(t);
    if (result < 0) return result;
    this.#noteEnd(memory, t);
    try {
      // Another thread may have written our part and not be done with the disk: so always.
      this.#file ??= this.#store.open(false);
      this.#file?.sync();
      return 0;
    } catch (error) {
      return -errnoOf(error);
    }
  }

  /** As trySync; throws 'no-space' or 'internal'. */
  sync(t: number): void {
    must(this.trySync(t), 'the writable layer could not be written');
  }

  /**
   * Replaces the journal by a snapshot when it is much longer than what it says; `always`: in any case. One thread only,
   * at any time; others go on afterwards. Was it replaced? Throws as sync; the journal is then as it was.
   */
  compact(t: number, always = false): boolean {
    const { calls, memory } = this.#link();
    const held = calls.kernel_data_bytes!();
    if (!always && this.#bytes <= Math.max(COMPACT_BYTES, COMPACT_FACTOR * held)) return false;
    const generation = (this.#generation ?? FIRST_GENERATION) + 1;
    const failed = 'the writable layer could not be written anew';
    let file: JournalFile | undefined;
    try {
      file = this.#store.createNext();
      this.#writeHeader(file);
      this.#next = { generation, file };
      must(calls.upper_snapshot!(t, generation), failed);
    } catch (error) {
      this.#next = undefined;
      file?.close();
      if (error instanceof WctrError) throw error;
      must(-errnoOf(error), failed);
    }
    this.#noteEnd(memory, t);
    return true;
  }

  /** Whether `compact` is worth its calls. */
  get isLong(): boolean {
    return this.#bytes > COMPACT_BYTES;
  }

  /** Other threads write to it, too. */
  get #bytes(): number {
    return Math.max(this.#endBytes, this.#file?.size ?? 0);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** The file of a generation. When another thread has replaced it, ours is of no use any more. */
  #current(generation: number): JournalFile {
    if (this.#file === undefined || (this.#generation ?? generation) !== generation) {
      this.#file?.close();
      this.#file = this.#store.open(false);
      if (this.#file === undefined) throw new WctrError('internal', 'the journal of the writable layer is gone');
    }
    this.#generation = generation;
    return this.#file;
  }

  #noteEnd(memory: WebAssembly.Memory, t: number): void {
    const view = new DataView(memory.buffer);
    this.#endBytes = view.getUint32(t + abi.TASK_R1, true) + view.getUint32(t + abi.TASK_R2, true) * 2 ** 32;
  }

  #writeHeader(file: JournalFile): void {
    const header = new Uint8Array(abi.JOURNAL_HEADER_BYTES);
    header.set(MAGIC);
    const view = new DataView(header.buffer);
    view.setUint32(8, abi.JOURNAL_VERSION, true);
    view.setUint32(12, abi.KERNEL_ABI_VERSION, true);
    header.set(this.#digest, DIGEST_AT);
    file.write(0, header);
  }

  /** False: nothing was ever in it. */
  #readHeader(file: JournalFile): boolean {
    const header = new Uint8Array(abi.JOURNAL_HEADER_BYTES);
    if (file.size < header.length) return false;
    file.read(0, header);
    // The first write of a file that was never synced may be lost, its length kept.
    if (file.size === header.length && header.every((byte) => byte === 0)) return false;
    const view = new DataView(header.buffer);
    const version = view.getUint32(8, true);
    if (!MAGIC.every((byte, i) => header[i] === byte)) throw corrupt('is not one');
    if (version !== abi.JOURNAL_VERSION) throw corrupt(`is of version ${version}, not ${abi.JOURNAL_VERSION}`);
    const digest = header.subarray(DIGEST_AT, DIGEST_AT + DIGEST_BYTES);
    const known = digest.some((byte) => byte !== 0) && this.#digest.some((byte) => byte !== 0);
    if (known && !digest.every((byte, i) => this.#digest[i] === byte)) throw corrupt('belongs to another image');
    return true;
  }

  /** Replays the transaction at `at`; its bytes, 0 when there is no whole one. */
  #transaction(t: number, file: JournalFile, at: number, size: number, number: number): number {
    const frame = readFrame(file, at, size);
    if (frame === undefined || frame.number !== number) return 0;
    const { calls, memory } = this.#link();
    const buffer = calls.upper_buffer!(frame.metadataBytes) >>> 0;
    if (buffer === 0) throw new WctrError('no-memory', 'no memory to read the writable layer in');
    const piece = buffer + Math.ceil(frame.metadataBytes / 16) * 16;
    const dataAt = at + abi.TRANSACTION_BYTES + frame.metadataBytes;
    const load = (from: number, pointer: number, length: number) => {
      const target = new Uint8Array(memory.buffer, pointer, length);
      return file.read(from, target) === length;
    };
    const pieces = function* () {
      for (let done = 0; done < frame.dataBytes; done += abi.UPPER_PIECE_BYTES) {
        yield [dataAt + done, Math.min(abi.UPPER_PIECE_BYTES, frame.dataBytes - done)] as const;
      }
    };
    let whole = load(at + abi.TRANSACTION_BYTES, buffer, frame.metadataBytes);
    calls.upper_checksum!(1, buffer, frame.metadataBytes, 0);
    for (const [from, length] of pieces()) {
      whole &&= load(from, piece, length);
      calls.upper_checksum!(0, piece, length, 0);
    }
    new Uint8Array(memory.buffer).set(frame.bytes, piece);
    if (!whole || calls.upper_checksum!(0, piece, 0, 1) >>> 0 !== frame.checksum) {
      calls.upper_end!();
      const next = readFrame(file, dataAt + frame.dataBytes, size);
      if (next?.number === number + 1) throw corrupt(`is damaged in transaction ${number}`);
      return 0;
    }
    const broken = `does not fit together in transaction ${number}`;
    mustApply(calls.upper_apply!(frame.metadataBytes), broken);
    for (const [from, length] of pieces()) {
      load(from, piece, length);
      mustApply(calls.upper_data!(t, length), broken);
    }
    mustApply(calls.upper_end!(), broken);
    return abi.TRANSACTION_BYTES + frame.metadataBytes + frame.dataBytes;
  }
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly number: number;
  readonly metadataBytes: number;
  readonly checksum: number;
  readonly dataBytes: number;
}

/** A frame whose transaction ends inside the file, else undefined. */
function readFrame(file: JournalFile, at: number, size: number): Frame | undefined {
  const bytes = new Uint8Array(abi.TRANSACTION_BYTES);
  if (at + bytes.length > size || file.read(at, bytes) !== bytes.length) return undefined;
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) !== abi.TRANSACTION_MAGIC) return undefined;
  const number = view.getUint32(4, true);
  const metadataBytes = view.getUint32(8, true);
  const dataBytes = Number(view.getBigUint64(16, true));
  if (at + bytes.length + metadataBytes + dataBytes > size) return undefined;
  return { bytes, number, metadataBytes, checksum: view.getUint32(12, true), dataBytes };
}

function corrupt(what: string): WctrError {
  return new WctrError('store-corrupt', `the journal of the container's writable layer ${what}`);
}

function mustApply(result: number, broken: string): void {
  if (result >= 0) return;
  if (result === -abi.ENOSPC) throw new WctrError('no-space', "the writable layer does not fit the container's limits");
  if (result === -abi.ENOMEM) throw new WctrError('no-memory', 'no memory for the writable layer');
  throw corrupt(broken);
}

function must(result: number, what: string): void {
  if (result >= 0) return;
  const full = result === -abi.ENOSPC || result === -abi.EDQUOT;
  throw new WctrError(full ? 'no-space' : 'internal', `${what}: errno ${-result}`, { data: { errno: -result } });
}

function errnoOf(error: unknown): number {
  const code = (error as { code?: unknown } | null)?.code;
  if (code === 'ENOSPC' || code === 'no-space') return abi.ENOSPC;
  return code === 'EDQUOT' ? abi.EDQUOT : abi.EIO;
}
