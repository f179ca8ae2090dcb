/** Whether ADD unpacks a file: by what is in it, not by its name. */

export type ArchiveKind = 'tar' | 'gzip' | 'bzip2' | 'xz' | 'zstd';

/** What compressors begin their output with. */
const MAGIC: readonly (readonly [ArchiveKind, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
];
const BLOCK = 512;

/** Of a file by its first block. Compressed data may have something else than a tar in it. */
export function archiveKind(head: Uint8Array): ArchiveKind | undefined {
  const compressed = MAGIC.find(([, magic]) => magic.every((byte, i) => head[i] === byte));
  if (compressed !== undefined) return compressed[0];
  return isTarHeader(head) ? 'tar' : undefined;
}

export function isTarHeader(head: Uint8Array): boolean {
  if (head.length < BLOCK) return false;
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += i >= 148 && i < 156 ? 0x20 : (head[i] as number);
  const stated = String.fromCharCode(...head.subarray(148, 156)).replace(/[\0 ]+$/, '');
  return /^ *[0-7]+$/.test(stated) && Number.parseInt(stated, 8) === sum;
}

/** The first block of a file, or all of a shorter one. */
export async function headOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const head = new Uint8Array(BLOCK);
  let length = 0;
  for await (const chunk of chunks) {
    const part = chunk.subarray(0, BLOCK - length);
    head.set(part, length);
    length += part.length;
    if (length === BLOCK) break;
  }
  return head.subarray(0, length);
}
