/** Assembles WebAssembly modules byte by byte, also ones no tool would write: for the guard's tests. */

export type Bytes = readonly number[];

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
export const FUNCREF = 0x70;
export const EXTERNREF = 0x6f;
export const EXNREF = 0x69;
export const VOID = 0x40;
export const END = 0x0b;
export const DROP = 0x1a;
export const UNREACHABLE = 0x00;

export const MAGIC: Bytes = [0x00, 0x61, 0x73, 0x6d];
export const HEADER: Bytes = [...MAGIC, 1, 0, 0, 0];
export const COMPONENT_HEADER: Bytes = [...MAGIC, 0x0d, 0, 1, 0];

/** Section ids. */
export const ID = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed LEB128 of an i32. */
export function sleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

/** The value in exactly `length` bytes: not the shortest form. */
export function paddedLeb(value: number, length: number): number[] {
  return Array.from({ length }, (_, i) => (Math.floor(value / 128 ** i) % 128) | (i < length - 1 ? 0x80 : 0));
}

export const name = (text: string): Bytes => {
  const bytes = new TextEncoder().encode(text);
  return [...leb(bytes.length), ...bytes];
};
export const vector = (items: readonly Bytes[]): Bytes => [...leb(items.length), ...items.flat()];
export const section = (id: number, payload: Bytes): Bytes => [id, ...leb(payload.length), ...payload];
export const custom = (title: string, payload: Bytes = []): Bytes => section(ID.custom, [...name(title), ...payload]);
export const functionType = (params: Bytes, results: Bytes): Bytes => [
  0x60,
  ...leb(params.length),
  ...params,
  ...leb(results.length),
  ...results,
];
export const limits = (min: number, max?: number): Bytes =>
  max === undefined ? [0, ...leb(min)] : [1, ...leb(min), ...leb(max)];
export const i32Const = (value: number): Bytes => [0x41, ...sleb(value)];
export const call = (index: number): Bytes => [0x10, ...leb(index)];
/** A body: `locals` are [count, type] groups; the final `end` is added. */
export const body = (code: Bytes, locals: readonly (readonly [number, number])[] = []): Bytes => {
  const content = [...vector(locals.map(([count, type]) => [...leb(count), type])), ...code, END];
  return [...leb(content.length), ...content];
};
/** `loop ... br 0 end`. */
export const endless = (...code: Bytes[]): Bytes => [0x03, VOID, ...code.flat(), 0x0c, 0, END];

export interface Parts {
  readonly types?: readonly Bytes[];
  /** [module, name, kind and type]. */
  readonly imports?: readonly (readonly [string, string, Bytes])[];
  /** Type of each function. */
  readonly functions?: readonly number[];
  readonly tables?: readonly Bytes[];
  readonly memories?: readonly Bytes[];
  readonly tags?: readonly Bytes[];
  readonly globals?: readonly Bytes[];
  /** [name, kind, index]. */
  readonly exports?: readonly (readonly [string, number, number])[];
  readonly start?: number;
  readonly elements?: readonly Bytes[];
  readonly bodies?: readonly Bytes[];
  readonly data?: readonly Bytes[];
  /** Sections as they are, at the end. */
  readonly tail?: readonly Bytes[];
}

const optional = (id: number, items: readonly Bytes[] | undefined): Bytes =>
  items === undefined ? [] : section(id, vector(items));

/** A whole module; only the sections that are given. */
export function wasmModule(parts: Parts): Uint8Array<ArrayBuffer> {
  return bytesOf(
    HEADER,
    optional(ID.type, parts.types),
    optional(
      ID.import,
      parts.imports?.map(([from, what, type]) => [...name(from), ...name(what), ...type]),
    ),
    optional(
      ID.function,
      parts.functions?.map((type) => leb(type)),
    ),
    optional(ID.table, parts.tables),
    optional(ID.memory, parts.memories),
    optional(ID.tag, parts.tags),
    optional(ID.global, parts.globals),
    optional(
      ID.export,
      parts.exports?.map(([what, kind, index]) => [...name(what), kind, ...leb(index)]),
    ),
    parts.start === undefined ? [] : section(ID.start, leb(parts.start)),
    optional(ID.element, parts.elements),
    optional(ID.code, parts.bodies),
    optional(ID.data, parts.data),
    ...(parts.tail ?? []),
  );
}

/** One function `_start` of type () -> () with this code, and what else is given. */
export function program(code: Bytes, parts: Parts = {}): Uint8Array<ArrayBuffer> {
  return wasmModule({
    types: [functionType([], [])],
    functions: [0],
    exports: [['_start', 0, 0]],
    bodies: [body(code)],
    ...parts,
  });
}

export function bytesOf(...parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
