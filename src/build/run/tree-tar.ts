/** A part of a tree as a tar, to fill a mount with. Names are relative to the directory. */
import { fromText } from '../../containers/files/names.ts';
import { encodeHeader, TAR_END, tarPadding } from '../../containers/files/tar-header.ts';
import { type FileTree, join, type TreeEntry } from '../tree/file-tree.ts';

const TYPES = { file: '0', directory: '5', symlink: '2' } as const;

/** What is in directory `source`, parents first. Trees keep no times: all have `mtime`, seconds. */
export function treeTar(tree: FileTree, source: string, mtime: number): AsyncGenerator<Uint8Array> {
  return batched(members(tree, source, mtime));
}

async function* members(tree: FileTree, source: string, mtime: number): AsyncGenerator<Uint8Array> {
  const namesIn = async (path: string, prefix: string) =>
    [...(await tree.list(path))].reverse().map((name) => ({ path: join(path, name), name: prefix + name }));
  const waiting = await namesIn(source, '');
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { path, name } = next;
    const entry = await tree.lstat(path);
    if (entry === undefined) continue;
    const { kind, size, target } = entry;
    yield encodeHeader({
      name: fromText(kind === 'directory' ? `${name}/` : name),
      type: TYPES[kind],
      mode: entry.mode,
      uid: entry.uid,
      gid: entry.gid,
      size: kind === 'file' ? size : 0,
      mtime,
      ...(kind === 'symlink' ? { link: fromText(target ?? '') } : {}),
    });
    if (kind === 'file') {
      yield* exactly(contentOf(entry), size);
      yield tarPadding(size);
    } else if (kind === 'directory') {
      waiting.push(...(await namesIn(path, `${name}/`)));
    }
  }
  yield TAR_END;
}

export async function* contentOf({ read }: TreeEntry): AsyncGenerator<Uint8Array> {
  if (read !== undefined) yield* read();
}

/** A file that shrinks or grows while it is read has the size it had. */
async function* exactly(data: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let rest = size;
  for await (const chunk of data) {
    if (rest === 0) return;
    yield chunk.subarray(0, rest);
    rest -= Math.min(rest, chunk.length);
  }
  for (; rest > 0; rest -= Math.min(rest, ZEROS.length)) yield ZEROS.subarray(0, rest);
}

const ZEROS = new Uint8Array(65536);

const BATCH_BYTES = 256 * 1024;

/** Fewer and larger pieces: each is a message to another process. */
async function* batched(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let batch = new Uint8Array(BATCH_BYTES);
  let used = 0;
  for await (const chunk of chunks) {
    if (used + chunk.length > batch.length && used > 0) {
      yield batch.subarray(0, used);
      batch = new Uint8Array(BATCH_BYTES);
      used = 0;
    }
    if (chunk.length > batch.length) {
      yield chunk;
      continue;
    }
    batch.set(chunk, used);
    used += chunk.length;
  }
  if (used > 0) yield batch.subarray(0, used);
}
