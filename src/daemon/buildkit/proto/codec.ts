/**
 * Messages of Protocol Buffers as tables of their fields: https://protobuf.dev/programming-guides/encoding/. The bytes are
 * read and written by @bufbuild/protobuf; what is not in a table is skipped, as the format wants it. Absent fields have
 * proto3's defaults, except messages, which are undefined. Decoding throws `invalid-argument`.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { isWctrError, WctrError } from '../../../errors.ts';

/** Two bytes of a message may stand for an object of a hundred. */
const MAX_ITEMS = 200_000;

export interface Field<T> {
  readonly number: number;
  readonly wireType: WireType;
  initial(): T;
  /** The value so far with what the reader is at. */
  read(reader: BinaryReader, before: T): T;
  write(writer: BinaryWriter, value: T): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a table has fields of every type
type Fields = Readonly<Record<string, Field<any>>>;
type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export interface Message<T> {
  encode(value: Partial<T>): Uint8Array;
  decode(bytes: Uint8Array): T;
  /** Inside of another one. */
  write(writer: BinaryWriter, value: Partial<T>): void;
  /** Up to an offset of the reader's bytes. */
  read(reader: BinaryReader, end: number): T;
}

export type Of<M> = M extends Message<infer T> ? T : never;

export function message<F extends Fields>(fields: F): Message<Values<F>> {
  type T = Values<F>;
  const table = Object.entries(fields);
  const byNumber = new Map(table.map(([name, field]) => [field.number, { name, field }]));
  const write = (writer: BinaryWriter, value: Partial<T>) => {
    for (const [name, field] of table) {
      const given = value[name];
      if (given !== undefined) field.write(writer, given);
    }
  };
  const read = (reader: BinaryReader, end: number): T => {
    const values: Record<string, unknown> = {};
    for (const [name, field] of table) values[name] = field.initial();
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const known = byNumber.get(number);
      if (known === undefined || known.field.wireType !== wireType) reader.skip(wireType, number);
      else values[known.name] = known.field.read(reader, values[known.name]);
    }
    if (reader.pos > end) throw new RangeError('a field is longer than its message');
    return values as T;
  };
  return {
    write,
    read,
    encode(value) {
      const writer = new BinaryWriter();
      write(writer, value);
      return writer.finish();
    },
    decode(bytes) {
      const reader = new BinaryReader(bytes);
      try {
        return read(reader, reader.len);
      } catch (cause) {
        if (isWctrError(cause)) throw cause;
        throw new WctrError('invalid-argument', `malformed message: ${(cause as Error).message}`, { cause });
      }
    },
  };
}

/** A message with its length before it. */
function readInner<T>(reader: BinaryReader, inner: Message<T>): T {
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError('a message is longer than what it is in');
  return inner.read(reader, end);
}

function writeInner<T>(writer: BinaryWriter, inner: Message<T>, value: Partial<T>): void {
  writer.fork();
  inner.write(writer, value);
  writer.join();
}

/** Numbers and flags: what equals the default is not written. */
function scalar<T extends string | number | boolean>(
  number: number,
  zero: T,
  read: (reader: BinaryReader) => T,
  write: (writer: BinaryWriter, value: T) => void,
): Field<T> {
  return {
    number,
    wireType: WireType.Varint,
    initial: () => zero,
    read,
    write(writer, value) {
      if (value === zero) return;
      writer.tag(number, WireType.Varint);
      write(writer, value);
    },
  };
}

export function uint32(number: number): Field<number> {
  return scalar(
    number,
    0,
    (reader) => reader.uint32(),
    (writer, value) => writer.uint32(value),
  );
}

/** An enum, too. */
export function int32(number: number): Field<number> {
  return scalar(
    number,
    0,
    (reader) => reader.int32(),
    (writer, value) => writer.int32(value),
  );
}

/** Beyond 2^53 the nearest number. */
export function int64(number: number): Field<number> {
  return scalar(
    number,
    0,
    (reader) => Number(reader.int64()),
    (writer, value) => writer.int64(value),
  );
}

export function bool(number: number): Field<boolean> {
  return scalar(
    number,
    false,
    (reader) => reader.bool(),
    (writer, value) => writer.bool(value),
  );
}

function delimited<T>(
  number: number,
  initial: () => T,
  read: (reader: BinaryReader, before: T) => T,
  write: (put: () => BinaryWriter, value: T) => void,
): Field<T> {
  return {
    number,
    wireType: WireType.LengthDelimited,
    initial,
    read,
    write: (writer, value) => write(() => writer.tag(number, WireType.LengthDelimited), value),
  };
}

export function string(number: number): Field<string> {
  return delimited(
    number,
    () => '',
    (reader) => reader.string(),
    (put, value) => void (value !== '' && put().string(value)),
  );
}

const EMPTY = new Uint8Array();

/** A view of the message's own bytes. */
export function bytes(number: number): Field<Uint8Array> {
  return delimited(
    number,
    () => EMPTY,
    (reader) => reader.bytes(),
    (put, value) => void (value.length > 0 && put().bytes(value)),
  );
}

/** A message inside of another one; undefined where there is none. */
export function one<T>(number: number, inner: Message<T>): Field<Partial<T> | undefined> {
  return delimited<Partial<T> | undefined>(
    number,
    () => undefined,
    (reader, before) => {
      const read = readInner(reader, inner);
      return before === undefined ? read : { ...before, ...read };
    },
    (put, value) => {
      if (value !== undefined) writeInner(put(), inner, value);
    },
  );
}

function list<T>(
  number: number,
  read: (reader: BinaryReader) => T,
  write: (writer: BinaryWriter, value: T) => unknown,
) {
  return delimited<readonly T[]>(
    number,
    () => [],
    (reader, before) => {
      const values = before.length === 0 ? [] : (before as T[]);
      if (values.length >= MAX_ITEMS) throw tooMany();
      values.push(read(reader));
      return values;
    },
    (put, values) => {
      for (const value of values) write(put(), value);
    },
  );
}

export function many<T>(number: number, inner: Message<T>): Field<readonly Partial<T>[]> {
  return list<Partial<T>>(
    number,
    (reader) => readInner(reader, inner),
    (writer, value) => writeInner(writer, inner, value),
  );
}

export function strings(number: number): Field<readonly string[]> {
  return list(
    number,
    (reader) => reader.string(),
    (writer, value) => writer.string(value),
  );
}

export function bytesList(number: number): Field<readonly Uint8Array[]> {
  return list(
    number,
    (reader) => reader.bytes(),
    (writer, value) => writer.bytes(value),
  );
}

/** `map<string, …>`: entries are messages of key and value. */
function map<V>(number: number, value: Field<V>): Field<ReadonlyMap<string, V>> {
  const entry = message({ key: string(1), value });
  return delimited<ReadonlyMap<string, V>>(
    number,
    () => new Map(),
    (reader, before) => {
      const values = before as Map<string, V>;
      if (values.size >= MAX_ITEMS) throw tooMany();
      const read = readInner(reader, entry) as { key: string; value: V };
      return values.set(read.key, read.value);
    },
    (put, values) => {
      for (const [key, item] of values) writeInner(put(), entry, { key, value: item } as never);
    },
  );
}

export const stringMap = (number: number) => map(number, string(2));
export const bytesMap = (number: number) => map(number, bytes(2));

function tooMany(): WctrError {
  return new WctrError('limit-exceeded', `a message with more than ${MAX_ITEMS} values of one field`);
}
