/**
 * A directory of the client as a tree, through its session: moby.filesync.v1.FileSync/DiffCopy. The client names all its
 * files; the contents of those a build reads are asked for then, once. Packets, as fsutil has them (send.go, receive.go of
 * github.com/tonistiigi/fsutil):
 *
 *     client: STAT … STAT, STAT without a stat         every file, and that there are no more
 *     daemon: REQ id                                   id: its place among the STATs
 *     client: DATA id bytes …, DATA id without bytes   its content, and its end
 *     daemon: FIN, client: FIN                         either: ERR message
 */
import { baseOf, byBytes, type FileTree, type TreeEntry } from '../../../build/tree/file-tree.ts';
import { WctrError } from '../../../errors.ts';
import type { Hasher } from '../../../host/ports.ts';
import { quote } from '../../../images/quote.ts';
import type { GrpcStream } from '../grpc/client.ts';
import { asWctrError } from '../grpc/status.ts';
import type { Of } from '../proto/codec.ts';
import { PACKET, PACKET_DATA, PACKET_ERR, PACKET_FIN, PACKET_REQ, PACKET_STAT } from '../proto/session.ts';
import type { KnownDigests } from './known-digests.ts';
import { type ReceivedFile, ReceivedFiles } from './received-files.ts';
import type { Session } from './session.ts';
import type { Spool, SpooledFile } from './spool.ts';

export const DIFF_COPY = '/moby.filesync.v1.FileSync/DiffCopy';

/** Whoever reads one small file reads its neighbours next: so many are asked for with it. */
const AHEAD_FILES = 128;
const AHEAD_FILE_BYTES = 32 << 10;
const AHEAD_BYTES = 2 << 20;
/** nghttp2 sends no more in one block of headers. */
const MAX_PATTERNS_CHARS = 32 << 10;

type Packet = Of<typeof PACKET>;

export interface SessionTreeOptions {
  /** What the client calls the directory: `context`, `dockerfile`. */
  readonly name: string;
  /** How messages call it. */
  readonly what: string;
  /** Left out by the client, in .dockerignore's patterns: a saving, not a promise. */
  readonly excludes?: readonly string[];
  /** Only these, and what their links lead to. */
  readonly only?: readonly string[];
  readonly spool: Spool;
  readonly createHasher: () => Hasher;
  readonly known: KnownDigests;
  readonly signal: AbortSignal;
  /** Told how many bytes of contents have come. */
  readonly onBytes?: (sum: number) => void;
}

interface Transfer {
  readonly file: ReceivedFile;
  readonly content: SpooledFile;
  readonly hasher: Hasher;
  length: number;
  digest: string;
  readonly done: Promise<void>;
  finish(): void;
  fail(error: Error): void;
}

/** The client's directory, when all its files have been named. */
export async function openSessionTree(session: Session, options: SessionTreeOptions): Promise<SessionTree> {
  if (!session.methods.has(DIFF_COPY)) throw new WctrError('invalid-argument', 'the client serves no files');
  const stream = session.client.stream(DIFF_COPY, PACKET, PACKET, metadataOf(options), options.signal);
  const tree = new SessionTree(stream, options);
  await tree.named;
  return tree;
}

export class SessionTree implements FileTree {
  readonly what: string;
  /** Resolves when all files are named. */
  readonly named: Promise<void>;
  readonly #stream: GrpcStream<Packet, Packet>;
  readonly #options: SessionTreeOptions;
  readonly #files: ReceivedFiles;
  readonly #transfers = new Map<number, Transfer>();
  #wanted: number[] = [];
  #bytes = 0;
  #failure: Error | undefined;

  constructor(stream: GrpcStream<Packet, Packet>, options: SessionTreeOptions) {
    this.what = options.what;
    this.#stream = stream;
    this.#options = options;
    this.#files = new ReceivedFiles(options.what);
    this.named = new Promise((resolve, reject) => {
      void this.#receive(resolve).then(
        () => this.#fail(new WctrError('build-failed', `the client ended the transfer of ${this.what}`), reject),
        (error: unknown) => this.#fail(this.#asFailure(error), reject),
      );
    });
  }

  async lstat(path: string): Promise<TreeEntry | undefined> {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const { kind, mode, uid, gid, size } = file;
    if (kind === 'directory') return { kind, mode, uid, gid, size };
    if (kind === 'symlink') return { kind, mode, uid, gid, size, target: file.target };
    return { kind, mode, uid, gid, size, read: () => this.#read(file), digest: () => this.#digest(file) };
  }

  async list(path: string): Promise<readonly string[]> {
    return (this.#files.get(path)?.children ?? []).map(baseOf).sort(byBytes);
  }

  /** No more will be read. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      await this.#stream.send({ type: PACKET_FIN });
      this.#stream.end();
    }
    this.#failure ??= new WctrError('cancelled', `${this.what} is not read any more`);
    if ([...this.#transfers.values()].some(({ digest }) => digest === '')) this.#stream.cancel();
  }

  async *#read(file: ReceivedFile): AsyncGenerator<Uint8Array> {
    if (file.size === 0) return;
    const transfer = this.#transfer(file, () => true);
    await transfer.done;
    yield* transfer.content.read();
  }

  async #digest(file: ReceivedFile): Promise<string> {
    const { known } = this.#options;
    const before = known.get(file);
    if (before !== undefined) return before;
    if (file.size === 0) return this.#options.createHasher().digestHex();
    const transfer = this.#transfer(file, (next) => known.get(next) === undefined);
    await transfer.done;
    return transfer.digest;
  }

  #transfer(file: ReceivedFile, isNeeded: (next: ReceivedFile) => boolean): Transfer {
    const begun = this.#transfers.get(file.id);
    if (begun !== undefined) return begun;
    const transfer = this.#begin(file);
    if (file.size <= AHEAD_FILE_BYTES) this.#askAhead(file, isNeeded);
    return transfer;
  }

  #askAhead(file: ReceivedFile, isNeeded: (next: ReceivedFile) => boolean): void {
    let count = 0;
    let sum = 0;
    for (const next of this.#files.after(file.id)) {
      count += 1;
      if (count > AHEAD_FILES || sum > AHEAD_BYTES || this.#transfers.has(next.id)) return;
      if (next.kind !== 'file' || next.size === 0 || next.size > AHEAD_FILE_BYTES) continue;
      if (!isNeeded(next)) continue;
      sum += next.size;
      this.#begin(next);
    }
  }

  #begin(file: ReceivedFile): Transfer {
    const { spool, createHasher } = this.#options;
    let settle: Pick<Transfer, 'finish' | 'fail'> | undefined;
    const done = new Promise<void>((finish, fail) => {
      settle = { finish, fail };
    });
    // Nobody may wait for what was asked for ahead.
    done.catch(() => {});
    const transfer: Transfer = {
      file,
      content: spool.file(file.size),
      hasher: createHasher(),
      length: 0,
      digest: '',
      done,
      ...settle!,
    };
    this.#transfers.set(file.id, transfer);
    if (this.#failure !== undefined) transfer.fail(this.#failure);
    else {
      if (this.#wanted.length === 0) queueMicrotask(() => this.#ask());
      this.#wanted.push(file.id);
    }
    return transfer;
  }

  #ask(): void {
    const requests = this.#wanted.map((ID) => ({ type: PACKET_REQ, ID }));
    this.#wanted = [];
    void this.#stream.sendAll(requests);
  }

  /** Resolves when the client has ended the stream as it should. */
  async #receive(named: () => void): Promise<void> {
    let isNamed = false;
    for await (const { type, stat, ID, data } of this.#stream.messages) {
      if (type === PACKET_STAT) {
        if (isNamed) throw new WctrError('invalid-argument', 'the client named a file after the last one');
        if (stat !== undefined) this.#files.add(stat);
        else {
          isNamed = true;
          named();
        }
      } else if (type === PACKET_DATA) await this.#take(ID, data);
      else if (type === PACKET_ERR) throw new Error(new TextDecoder().decode(data.subarray(0, 2_000)));
      else if (type === PACKET_FIN) return;
      else throw new WctrError('invalid-argument', `the client sent a packet of the unknown type ${type}`);
    }
  }

  #asFailure(error: unknown): WctrError {
    if (this.#options.signal.aborted) return new WctrError('cancelled', 'the client has gone', { cause: error });
    return asWctrError(error, `failed to transfer ${this.what}`);
  }

  async #take(id: number, data: Uint8Array): Promise<void> {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined || transfer.digest !== '') {
      throw new WctrError('invalid-argument', 'the client sent a file nobody asked for');
    }
    const { file, content, hasher } = transfer;
    transfer.length += data.length;
    const isLast = data.length === 0;
    if (transfer.length > file.size || (isLast && transfer.length < file.size)) throw changed(file);
    if (isLast) {
      const { known } = this.#options;
      const expected = known.get(file);
      transfer.digest = hasher.digestHex();
      known.set(file, transfer.digest);
      // The cache would take one content for another.
      if (expected !== undefined && expected !== transfer.digest) throw changed(file);
      transfer.finish();
      return;
    }
    hasher.update(data);
    await content.write(data);
    this.#bytes += data.length;
    this.#options.onBytes?.(this.#bytes);
  }

  #fail(error: Error, reject: (error: Error) => void): void {
    this.#failure ??= error;
    reject(this.#failure);
    for (const transfer of this.#transfers.values()) transfer.fail(this.#failure);
  }
}

function changed({ path }: ReceivedFile): WctrError {
  return new WctrError('conflict', `${quote(path)} changed while it was sent`, { hint: 'build again' });
}

function metadataOf({
  name,
  excludes = [],
  only = [],
}: SessionTreeOptions): Record<string, string | readonly string[]> {
  const fits = excludes.reduce((sum, { length }) => sum + length + 32, 0) <= MAX_PATTERNS_CHARS;
  return {
    'dir-name': name,
    ...(excludes.length === 0 || !fits ? {} : encoded('exclude-patterns', excludes)),
    ...(only.length === 0 ? {} : encoded('followpaths', only)),
  };
}

/** Headers hold ASCII: BuildKit says so beside what is not, and then writes it as forms do. */
function encoded(name: string, values: readonly string[]): Record<string, string | readonly string[]> {
  if (values.every((value) => /^[\x20-\x7e]*$/.test(value))) return { [name]: values };
  return {
    [name]: values.map((value) => encodeURIComponent(value).replaceAll('%20', '+')),
    [`${name}-encoded`]: '1',
  };
}
