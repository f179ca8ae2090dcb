/**
 * What a component imports and exports, from its binary's own sections (component-model, design/mvp/Binary.md, pre-release
 * layer 0x0d): names only, for the config of a Wasm artifact.
 */
import { WctrError } from '../errors.ts';

export interface ComponentInterface {
  readonly exports: readonly string[];
  readonly imports: readonly string[];
}

const HEADER_BYTES = 8;
const SECTION_IMPORT = 10;
const SECTION_EXPORT = 11;
const MAX_NAMES = 10_000;

/** Throws `invalid-module`. */
export function componentInterface(bytes: Uint8Array): ComponentInterface {
  const reader = new Reader(bytes, HEADER_BYTES, bytes.length);
  const imports: string[] = [];
  const exports: string[] = [];
  while (reader.left > 0) {
    const id = reader.byte();
    const section = reader.part(reader.number());
    if (id !== SECTION_IMPORT && id !== SECTION_EXPORT) continue;
    const count = section.number();
    if (count > MAX_NAMES) throw broken(`it has ${count} names in one section`);
    for (let i = 0; i < count; i++) {
      const name = externName(section);
      if (id === SECTION_IMPORT) {
        externDescriptor(section);
        imports.push(name);
      } else {
        sort(section);
        section.number();
        // An ascribed type follows a one.
        if (section.byte() === 1) externDescriptor(section);
        exports.push(name);
      }
    }
  }
  return { exports, imports };
}

function externName(reader: Reader): string {
  const kind = reader.byte();
  if (kind > 2) throw broken(`a name of kind ${kind}`);
  const name = reader.text();
  // Kind 2 has a version suffix behind the name.
  if (kind === 2) reader.text();
  return name;
}

function sort(reader: Reader): void {
  if (reader.byte() === 0) reader.byte();
}

function externDescriptor(reader: Reader): void {
  const kind = reader.byte();
  if (kind === 0) {
    reader.byte();
    reader.number();
  } else if (kind === 1 || kind === 4 || kind === 5) reader.number();
  else if (kind === 3) {
    // (eq i), (sub resource)
    if (reader.byte() === 0) reader.number();
  } else throw broken(`an import of kind ${kind}`);
}

function broken(why: string): WctrError {
  return new WctrError('invalid-module', `the component cannot be read: ${why}`);
}

class Reader {
  private readonly bytes: Uint8Array;
  private at: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw broken('it ends too early');
    return this.bytes[this.at++]!;
  }

  /** LEB128, 32 bits. */
  number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw broken('a number has more than 32 bits');
  }

  part(length: number): Reader {
    if (length > this.left) throw broken('it ends within a section');
    const part = new Reader(this.bytes, this.at, this.at + length);
    this.at += length;
    return part;
  }

  text(): string {
    const length = this.number();
    if (length > this.left) throw broken('it ends within a name');
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }
}
