/**
 * Writes tars that are the same bytes for the same members: no times, owners or names of this machine. ustar, with a
 * PAX record only for a path over 100 bytes or a size over 8 GiB.
 */

export interface TarMember {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Seconds since the epoch, default 0. */
  readonly mtime?: number;
  readonly data?: () => AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
const MAX_OCTAL_SIZE = 8 ** 11;

/** Throws a RangeError if a member's data is not as long as it says. */
export async function* writeTar(members: AsyncIterable<TarMember> | Iterable<TarMember>): AsyncGenerator<Uint8Array> {
  for await (const member of members) {
    const name = new TextEncoder().encode(member.kind === 'directory' ? `${member.path}/` : member.path);
    const extended = [
      ...(name.length > 100 ? [paxRecord('path', name)] : []),
      ...(member.sizeBytes >= MAX_OCTAL_SIZE
        ? [paxRecord('size', new TextEncoder().encode(`${member.sizeBytes}`))]
        : []),
    ];
    if (extended.length > 0) {
      const size = extended.reduce((sum, record) => sum + record.length, 0);
      yield header(new TextEncoder().encode('PaxHeader'), 'x', 0o644, size, 0);
      yield* extended;
      yield padding(size);
    }
    const size = member.kind === 'directory' ? 0 : member.sizeBytes;
    yield header(name, member.kind === 'directory' ? '5' : '0', member.mode, size, member.mtime ?? 0);
    let written = 0;
    for await (const chunk of member.data?.() ?? []) {
      written += chunk.length;
      if (written > size) break;
      yield chunk;
    }
    if (written !== size) throw new RangeError(`${member.path} is not ${size} bytes long`);
    yield padding(size);
  }
  yield new Uint8Array(2 * BLOCK);
}

/** One record counts its own length, digits included. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  const head = new TextEncoder().encode(`${length} ${key}=`);
  const record = new Uint8Array(length);
  record.set(head, 0);
  record.set(value, head.length);
  record[length - 1] = 0x0a;
  return record;
}

function header(name: Uint8Array, type: string, mode: number, size: number, mtime: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  const octal = (at: number, digits: number, value: number) => put(at, value.toString(8).padStart(digits, '0'));
  block.set(name.subarray(0, 100), 0);
  octal(100, 7, mode);
  octal(108, 7, 0);
  octal(116, 7, 0);
  octal(124, 11, size < MAX_OCTAL_SIZE ? size : 0);
  octal(136, 11, mtime);
  put(148, '        ');
  put(156, type);
  put(257, 'ustar');
  put(263, '00');
  octal(329, 7, 0);
  octal(337, 7, 0);
  octal(
    148,
    6,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  block[154] = 0;
  return block;
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
