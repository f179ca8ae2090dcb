/** Whether ADD would unpack a file: by what is in it, not by its name. */

/** What a compressor, of which ADD knows four, begins its output with. */
const MAGIC: readonly (readonly number[])[] = [
  [0x1f, 0x8b, 0x08],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  [0x28, 0xb5, 0x2f, 0xfd],
];
const BLOCK = 512;

/** Compressed data counts as an archive here: whether a tar is in it is not looked at. */
export function isArchive(head: Uint8Array): boolean {
  if (MAGIC.some((magic) => magic.every((byte, i) => head[i] === byte))) return true;
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
