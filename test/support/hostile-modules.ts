/** Modules that want to harm their host, assembled by hand: what no compiler would emit. */

type Bytes = readonly number[];

export interface HostileModule {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const I32 = 0x7f;
const V128 = 0x7b;
const FUNCREF = 0x70;
const EMPTY = 0x40;
const END = 0x0b;

export function leb(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** Signed, for i32.const. */
function sleb(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const done = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}

const text = (value: string): Bytes => [...leb(value.length), ...new TextEncoder().encode(value)];
const vector = (items: readonly Bytes[]): Bytes => [...leb(items.length), ...items.flat()];
const i32 = (value: number): Bytes => [0x41, ...sleb(value)];
const call = (index: number): Bytes => [0x10, ...leb(index)];
const DROP: Bytes = [0x1a];
const loop = (...body: Bytes[]): Bytes => [0x03, EMPTY, ...body.flat(), 0x0c, 0, END];

interface Parts {
  /** Of type 0: () -> (). Function 0 is `_start`, after the imports. */
  readonly bodies: readonly Bytes[];
  readonly locals?: Bytes;
  /** [name, type index]; types: 0 ()->(), 1 (i32,i32,i32,i32)->i32, 2 (i32,i32)->i32. */
  readonly imports?: readonly (readonly [string, number])[];
  readonly memory?: Bytes;
  readonly table?: Bytes;
  readonly start?: boolean;
  readonly types?: readonly Bytes[];
  readonly importModule?: string;
  readonly data?: Bytes;
}

const PLAIN_TYPES: readonly Bytes[] = [
  [0x60, 0, 0],
  [0x60, 4, I32, I32, I32, I32, 1, I32],
  [0x60, 2, I32, I32, 1, I32],
];

export function assemble(parts: Parts): Uint8Array<ArrayBuffer> {
  const imports = parts.imports ?? [];
  const module = parts.importModule ?? 'wasi_snapshot_preview1';
  const section = (id: number, body: Bytes): Bytes => [id, ...leb(body.length), ...body];
  const exports: Bytes[] = [[...text('memory'), 2, 0]];
  if (!parts.start) exports.push([...text('_start'), 0, ...leb(imports.length)]);
  else exports.push([...text('_start'), 0, ...leb(imports.length + parts.bodies.length - 1)]);
  const out: number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const add = (id: number, body: Bytes) => {
    for (const byte of section(id, body)) out.push(byte);
  };
  add(1, vector(parts.types ?? PLAIN_TYPES));
  if (imports.length > 0)
    add(2, vector(imports.map(([name, type]) => [...text(module), ...text(name), 0, ...leb(type)])));
  add(3, vector(parts.bodies.map(() => [0])));
  if (parts.table !== undefined) add(4, [1, ...parts.table]);
  add(5, [1, ...(parts.memory ?? [0, 1])]);
  add(7, vector(exports));
  if (parts.start) add(8, leb(imports.length));
  const locals = parts.locals ?? [0];
  const code: number[] = [...leb(parts.bodies.length)];
  for (const body of parts.bodies) {
    for (const byte of leb(locals.length + body.length + 1)) code.push(byte);
    for (const byte of locals) code.push(byte);
    for (const byte of body) code.push(byte);
    code.push(END);
  }
  out.push(10, ...leb(code.length));
  for (const byte of code) out.push(byte);
  if (parts.data !== undefined) add(11, parts.data);
  return new Uint8Array(out);
}

const tableGrow = (by: number): Bytes => [0xd0, FUNCREF, ...i32(by), 0xfc, 15, 0];
const tableSize: Bytes = [0xfc, 16, 0];

/** Grows its table until that fails, then aborts when it holds more than 10,000 entries. */
export const TABLE_GROWER = assemble({
  table: [FUNCREF, 0, 1],
  bodies: [
    [
      ...[0x03, EMPTY, ...tableGrow(1000), ...i32(-1), 0x47, 0x0d, 0, END],
      ...[...tableSize, ...i32(10_000), 0x4b, 0x04, EMPTY, 0x00, END],
    ],
  ],
});

const spin = loop();
const deepBlocks = (depth: number): Bytes => [
  ...new Array<Bytes>(depth).fill([0x02, EMPTY]).flat(),
  ...new Array<number>(depth).fill(END),
  ...spin,
];

/**
 * Each would run for ever, or take all there is. None ends by itself within a second, so that what ends it is the
 * sandbox: the guard before it runs, a limit, or the clock.
 */
export function hostileModules(): HostileModule[] {
  const modules: HostileModule[] = [];
  const add = (name: string, parts: Parts | Uint8Array<ArrayBuffer>) => {
    modules.push({ name, bytes: parts instanceof Uint8Array ? parts : assemble(parts) });
  };
  add('an empty loop', { bodies: [spin] });
  add('a loop in the start function', { bodies: [spin, []], start: true });
  for (const count of [1, 4, 16]) {
    add(`${count} functions that call each other for ever`, {
      bodies: Array.from({ length: count }, (_, i) => [...call((i + 1) % count), ...call(i)]),
    });
  }
  for (const locals of [10, 1000, 40_000]) {
    add(`recursion with ${locals} locals`, { locals: [1, ...leb(locals), V128], bodies: [call(0)] });
  }
  for (const pages of [1, 16, 256, 4096, 65535]) {
    add(`memory.grow by ${pages}`, { bodies: [loop(i32(pages), [0x40, 0], DROP)] });
    add(`memory.grow by ${pages}, filled`, {
      bodies: [
        loop(i32(pages), [0x40, 0], DROP, i32(0), i32(1), [0x3f, 0], i32(16), [0x74], i32(1), [0x6b], [0xfc, 11, 0]),
      ],
    });
  }
  for (const pages of [1024, 16_384, 65_536])
    add(`${pages} pages at the start`, { memory: [0, ...leb(pages)], bodies: [spin] });
  for (const by of [1, 100, 10_000, 1_000_000]) {
    add(`table.grow by ${by}`, { table: [FUNCREF, 0, 1], bodies: [loop(tableGrow(by), DROP)] });
  }
  for (const entries of [1_000_000, 9_999_999, 4_294_967_295]) {
    add(`a table of ${entries} entries`, { table: [FUNCREF, 0, ...leb(entries)], bodies: [spin] });
  }
  add('a table of a GC type', { table: [0x6e, 0, 1], bodies: [spin] });
  add('GC structs', {
    types: [
      [0x60, 0, 0],
      [0x5f, 1, I32, 1],
    ],
    bodies: [loop([0xfb, 1, 1], DROP)],
  });
  add('GC arrays', {
    types: [
      [0x60, 0, 0],
      [0x5e, I32, 1],
    ],
    bodies: [loop(i32(100_000_000), [0xfb, 7, 1], DROP)],
  });
  add('a 64-bit memory', { memory: [4, 1], bodies: [spin] });
  add('a shared memory to wait on', {
    memory: [3, 1, 1],
    bodies: [loop(i32(0), i32(0), [0x42, 0x7f], [0xfe, 1, 2, 0], DROP)],
  });
  add('two memories', new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 5, 2, 0, 1, 0, 1]));
  for (const depth of [100, 10_000, 200_000]) add(`${depth} nested blocks`, { bodies: [deepBlocks(depth)] });
  for (const count of [1000, 60_000]) {
    add(`${count} functions of many locals`, {
      locals: [1, ...leb(40_000), V128],
      bodies: Array.from({ length: count }, (_, i) => (i === 0 ? spin : [])),
    });
  }
  add('a br_table of a million targets', {
    bodies: [loop(i32(0), [0x0e, ...leb(1_000_000)], new Array<number>(1_000_001).fill(0))],
  });
  add('an import that nobody granted', { importModule: 'node:fs', imports: [['readFileSync', 0]], bodies: [spin] });
  add('an import from env', { importModule: 'env', imports: [['abort', 0]], bodies: [spin] });
  for (const size of [65_536, 1_000_000]) {
    add(`bulk fills of ${size} bytes`, { memory: [0, 64], bodies: [loop(i32(0), i32(1), i32(size), [0xfc, 11, 0])] });
    add(`bulk copies of ${size} bytes`, {
      memory: [0, 64],
      bodies: [loop(i32(0), i32(1), i32(size), [0xfc, 10, 0, 0])],
    });
  }
  const four = (a: number, b: number, c: number, d: number): Bytes => [i32(a), i32(b), i32(c), i32(d)].flat();
  for (const count of [1024, 0x7fffffff, -1]) {
    add(`fd_write of ${count} vectors`, {
      imports: [['fd_write', 1]],
      memory: [0, 64],
      bodies: [loop(four(1, 0, count, 8), call(0), DROP)],
    });
    add(`fd_read of ${count} vectors`, {
      imports: [['fd_read', 1]],
      memory: [0, 64],
      bodies: [loop(four(0, 0, count, 8), call(0), DROP)],
    });
    add(`poll_oneoff of ${count} subscriptions`, {
      imports: [['poll_oneoff', 1]],
      memory: [0, 64],
      bodies: [loop(four(0, 0x100000, count, 8), call(0), DROP)],
    });
    add(`random_get of ${count} bytes`, {
      imports: [['random_get', 2]],
      memory: [0, 64],
      bodies: [loop(i32(0), i32(count), call(0), DROP)],
    });
  }
  add('a flood of output', {
    imports: [['fd_write', 1]],
    memory: [0, 2],
    // One vector at 0: 64 KiB from 1024 on.
    data: [1, 0, ...i32(0), END, 8, 0, 4, 0, 0, 0, 0, 1, 0],
    bodies: [loop(four(1, 0, 1, 16), call(0), DROP)],
  });
  add('a flood of errors', {
    imports: [['fd_write', 1]],
    memory: [0, 2],
    data: [1, 0, ...i32(0), END, 8, 0, 4, 0, 0, 0, 0, 1, 0],
    bodies: [loop(four(2, 0, 1, 16), call(0), DROP)],
  });
  return modules;
}
