/** A layer's tar with one time on every member, in place of those its program left. */

import { fromBytes, toBytes } from '../../containers/files/names.ts';
import { roundUp, TAR_BLOCK } from '../../containers/files/tar-header.ts';
import { WctrError } from '../../errors.ts';

const MAX_EXTENDED_BYTES = 1 << 20;
const TIMES = /^(?:[acm]time|LIBARCHIVE\.creationtime)$/;

/** `mtime` in seconds. Everything but times stays the same bytes. Throws `invalid-layer` for what is no tar. */
export async function* withTime(tar: AsyncIterable<Uint8Array>, mtime: number): AsyncGenerator<Uint8Array> {
  const input = new Blocks(tar);
  let size: number | undefined;
  for (;;) {
    const header = await input.block();
    if (header === undefined) return;
    if (header.every((byte) => byte === 0)) {
      yield header;
      yield* input.rest();
      return;
    }
    const type = String.fromCharCode(header[156] as number);
    const stated = numberAt(header, 124);
    if (type !== 'x' && type !== 'g') {
      yield stamped(header, mtime);
      yield* input.take(
        roundUp(type === '0' || type === '\0' || type === '7' || 'LK'.includes(type) ? (size ?? stated) : 0),
      );
      if (!'LK'.includes(type)) size = undefined;
      continue;
    }
    if (stated > MAX_EXTENDED_BYTES) throw bad();
    const body = await input.whole(roundUp(stated));
    const records = recordsOf(body.subarray(0, stated));
    size = Number(records.find(([key]) => key === 'size')?.[1] ?? size ?? Number.NaN);
    if (Number.isNaN(size)) size = undefined;
    const kept = records.filter(([key]) => !TIMES.test(key));
    if (kept.length === 0) continue;
    const text = toBytes(kept.map(([key, value]) => recordOf(key, value)).join(''));
    const padded = new Uint8Array(roundUp(text.length));
    padded.set(text);
    yield withSize(stamped(header, mtime), text.length);
    yield padded;
  }
}

function stamped(header: Uint8Array, mtime: number): Uint8Array {
  return withNumber(header, 136, mtime);
}

function withSize(header: Uint8Array, size: number): Uint8Array {
  return withNumber(header, 124, size);
}

/** 11 octal digits, and the checksum made right again. */
function withNumber(header: Uint8Array, at: number, value: number): Uint8Array {
  const block = header.slice();
  const put = (to: number, text: string) => block.set(new TextEncoder().encode(text), to);
  put(at, `${value.toString(8).padStart(11, '0')}\0`);
  put(148, '        ');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** Octal digits, or base 256 where the first bit is set. */
function numberAt(header: Uint8Array, at: number): number {
  const field = header.subarray(at, at + 12);
  if ((field[0] as number) & 0x80) {
    let value = 0;
    for (const byte of field.subarray(1)) value = value * 256 + byte;
    if (!Number.isSafeInteger(value)) throw bad();
    return value;
  }
  const text = String.fromCharCode(...field).replace(/[\0 ].*$/s, '');
  if (!/^[0-7]*$/.test(text)) throw bad();
  return text === '' ? 0 : Number.parseInt(text, 8);
}

function recordsOf(bytes: Uint8Array): [string, string][] {
  const text = fromBytes(bytes);
  const records: [string, string][] = [];
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(' ', at);
    const length = Number(text.slice(at, space));
    const equals = text.indexOf('=', space);
    if (space < 0 || equals < 0 || !Number.isInteger(length) || length <= space - at || at + length > text.length) {
      throw bad();
    }
    records.push([text.slice(space + 1, equals), text.slice(equals + 1, at + length - 1)]);
    at += length;
  }
  return records;
}

/** One record counts its own length, digits included. */
function recordOf(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + `${rest}`.length;
  length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
}

function bad(): WctrError {
  return new WctrError('invalid-layer', 'what a RUN wrote came back as no tar');
}

/** Chunks of any size, taken by blocks. */
class Blocks {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #left = new Uint8Array(0) as Uint8Array;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Undefined at the end. */
  async block(): Promise<Uint8Array | undefined> {
    if (this.#left.length === 0 && !(await this.#next())) return undefined;
    return this.whole(TAR_BLOCK);
  }

  async whole(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let at = 0;
    for await (const piece of this.take(length)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  async *take(length: number): AsyncGenerator<Uint8Array> {
    for (let open = length; open > 0; ) {
      if (this.#left.length === 0 && !(await this.#next())) throw bad();
      const piece = this.#left.subarray(0, open);
      this.#left = this.#left.subarray(piece.length);
      open -= piece.length;
      yield piece;
    }
  }

  async *rest(): AsyncGenerator<Uint8Array> {
    do {
      if (this.#left.length > 0) yield this.#left;
      this.#left = new Uint8Array(0);
    } while (await this.#next());
  }

  async #next(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return false;
      if (value.length === 0) continue;
      this.#left = value;
      return true;
    }
  }
}
