/**
 * An instance's memory, mutable globals and tables, as far as they differ from those of a fresh instance of the same
 * module. The guard exports them (assembly/guard/state.ts), and leaves the start function to the host, so that a fresh
 * instance is as its module describes it and nothing of it has run.
 */
import { WctrError } from '../../errors.ts';
import {
  BLOCK_BYTES,
  type BlockRange,
  type Checkpoint,
  damaged,
  type GlobalState,
  readInto,
  type TableState,
} from './format.ts';

export interface InstanceState {
  readonly pages: number;
  readonly ranges: readonly BlockRange[];
  readonly globals: readonly GlobalState[];
  readonly tables: readonly TableState[];
}

const PAGE_BYTES = 65536;
const BLOCK_WORDS = BLOCK_BYTES / 4;
/** Ranges as near as this become one: reading a few blocks too many costs less than another read. */
const MAX_GAP_BLOCKS = 4;
const NULL_FUNCTION = -1;

const MEMORY = 'wctr.m0';
const GLOBAL = /^wctr\.g(\d+)$/;
const TABLE = /^wctr\.t(\d+)$/;

/** Throws 'unsupported' for what cannot be kept, saying what it is. */
export function captureInstance(instance: WebAssembly.Instance, module: WebAssembly.Module): InstanceState {
  const fresh = freshInstance(module);
  const memory = memoryOf(instance);
  const functions = new FunctionFinder(fresh);
  return {
    pages: (memory?.buffer.byteLength ?? 0) / PAGE_BYTES,
    ranges: memory === undefined ? [] : changedBlocks(memory.buffer, memoryOf(fresh)!.buffer),
    globals: numbered(instance, GLOBAL).flatMap(([index, name]) =>
      globalState(index, globalOf(instance, name), globalOf(fresh, name), functions),
    ),
    tables: numbered(instance, TABLE).flatMap(([index, name]) =>
      tableState(index, tableOf(instance, name), tableOf(fresh, name), functions),
    ),
  };
}

/** Throws 'store-corrupt' for a checkpoint that does not fit the module, 'no-memory' beyond the container's limits. */
export function restoreInstance(instance: WebAssembly.Instance, checkpoint: Checkpoint): void {
  const { header } = checkpoint;
  const functions = new FunctionFinder(instance);
  try {
    // All are found before the first table changes.
    const tables = header.tables.map((state) => ({
      table: tableOf(instance, `wctr.t${state.index}`),
      state,
      values: state.slots.map(([slot, func]) => [slot, functions.find(func)] as const),
    }));
    const globals = header.globals.map((state) => ({
      global: globalOf(instance, `wctr.g${state.index}`),
      value: state.type === 'f' ? functions.find(Number(state.value)) : numberOf(state),
    }));
    restoreMemory(memoryOf(instance), checkpoint);
    for (const { global, value } of globals) global.value = value;
    for (const { table, state, values } of tables) {
      if (state.length > table.length) grow(() => table.grow(state.length - table.length), 'table');
      for (const [slot, value] of values) table.set(slot, value);
    }
  } catch (error) {
    if (error instanceof WctrError) throw error;
    // A slot beyond the table's end, a value of another type.
    throw damaged('it does not fit the program', error);
  }
}

function restoreMemory(memory: WebAssembly.Memory | undefined, { header, ranges, dataAt, source }: Checkpoint): void {
  if (memory === undefined) {
    if (header.pages > 0) throw damaged('the program has no memory');
    return;
  }
  const missing = header.pages - memory.buffer.byteLength / PAGE_BYTES;
  if (missing < 0) throw damaged('the program begins with more memory');
  if (missing > 0) grow(() => memory.grow(missing), 'memory');
  let position = dataAt;
  for (const { first, blocks } of ranges) {
    const target = new Uint8Array(memory.buffer, first * BLOCK_BYTES, blocks * BLOCK_BYTES);
    readInto(source, position, target);
    position += target.length;
  }
}

function grow(by: () => void, what: string): void {
  try {
    by();
  } catch (cause) {
    throw new WctrError('no-memory', `the checkpoint needs more ${what} than the container may have`, {
      hint: 'raise its limit: -m',
      cause,
    });
  }
}

/** Nothing of it runs: the start function is the host's to call. */
function freshInstance(module: WebAssembly.Module): WebAssembly.Instance {
  const imports: Record<string, Record<string, () => number>> = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] = { ...imports[from], [name]: () => 0 };
  }
  return new WebAssembly.Instance(module, imports);
}

/** Of the current memory; what it has grown by is zeros in a fresh one. */
export function changedBlocks(current: ArrayBufferLike, fresh: ArrayBufferLike): BlockRange[] {
  const words = new Uint32Array(current);
  const before = new Uint32Array(fresh);
  const ranges: { first: number; blocks: number }[] = [];
  for (let block = 0; block < words.length / BLOCK_WORDS; block++) {
    const end = (block + 1) * BLOCK_WORDS;
    let at = block * BLOCK_WORDS;
    if (end <= before.length) while (at < end && words[at] === before[at]) at++;
    else while (at < end && words[at] === 0) at++;
    if (at === end) continue;
    const last = ranges.at(-1);
    if (last !== undefined && block - (last.first + last.blocks) <= MAX_GAP_BLOCKS)
      last.blocks = block + 1 - last.first;
    else ranges.push({ first: block, blocks: 1 });
  }
  return ranges;
}

function globalState(
  index: number,
  current: WebAssembly.Global,
  fresh: WebAssembly.Global,
  functions: FunctionFinder,
): GlobalState[] {
  const value = heldBy(current, index);
  if (Object.is(value, heldBy(fresh, index))) return [];
  if (typeof value === 'bigint') {
    return [{ index, type: 'l', value: BigInt.asUintN(64, value).toString(16).padStart(16, '0') }];
  }
  if (typeof value === 'number') return [{ index, type: 'n', value: bitsOf(value) }];
  const where = `global ${index}`;
  const func = functions.indexOf(value, where);
  if (func === functions.indexOf(heldBy(fresh, index), where)) return [];
  return [{ index, type: 'f', value: String(functions.mustFind(func, where)) }];
}

/** Vectors and exceptions have no value in JavaScript. */
function heldBy(global: WebAssembly.Global, index: number): unknown {
  try {
    return global.value as unknown;
  } catch (cause) {
    throw cannotKeep(`its global ${index} holds a vector or an exception`, { cause });
  }
}

function tableState(
  index: number,
  current: WebAssembly.Table,
  fresh: WebAssembly.Table,
  functions: FunctionFinder,
): TableState[] {
  const slots: [number, number][] = [];
  for (let slot = 0; slot < current.length; slot++) {
    const where = `table ${index}`;
    const func = functions.indexOf(current.get(slot), where);
    const before = slot < fresh.length ? functions.indexOf(fresh.get(slot), where) : NULL_FUNCTION;
    if (func !== before) slots.push([slot, functions.mustFind(func, where)]);
  }
  return slots.length === 0 && current.length === fresh.length ? [] : [{ index, length: current.length, slots }];
}

/** Functions by their index in the module, from an instance in which nothing has run: its tables and exports. */
class FunctionFinder {
  readonly #instance: WebAssembly.Instance;
  #known: Map<number, unknown> | undefined;

  constructor(instance: WebAssembly.Instance) {
    this.#instance = instance;
  }

  /** -1 for null. An exported function's name is its index (JavaScript interface, section 5.6). */
  indexOf(value: unknown, where: string): number {
    if (value === null || value === undefined) return NULL_FUNCTION;
    const name = typeof value === 'function' ? value.name : '';
    if (!/^\d+$/.test(name)) throw cannotKeep(`its ${where} holds a value of the host`);
    return Number(name);
  }

  mustFind(index: number, where: string): number {
    if (index !== NULL_FUNCTION && !this.#functions().has(index)) {
      throw cannotKeep(`its ${where} holds a function that no other table and no export has`);
    }
    return index;
  }

  find(index: number): unknown {
    if (index === NULL_FUNCTION) return null;
    const found = this.#functions().get(index);
    if (found === undefined) throw damaged(`it names function ${index}, which the program does not give away`);
    return found;
  }

  #functions(): Map<number, unknown> {
    if (this.#known !== undefined) return this.#known;
    const known = new Map<number, unknown>();
    const note = (value: unknown) => {
      if (typeof value === 'function' && /^\d+$/.test(value.name)) known.set(Number(value.name), value);
    };
    for (const value of Object.values(this.#instance.exports)) note(value);
    for (const [, name] of numbered(this.#instance, TABLE)) {
      const table = tableOf(this.#instance, name);
      for (let slot = 0; slot < table.length; slot++) note(table.get(slot));
    }
    this.#known = known;
    return known;
  }
}

function numbered({ exports }: WebAssembly.Instance, form: RegExp): (readonly [number, string])[] {
  return Object.keys(exports).flatMap((name) => {
    const index = form.exec(name)?.[1];
    return index === undefined ? [] : [[Number(index), name] as const];
  });
}

function memoryOf({ exports }: WebAssembly.Instance): WebAssembly.Memory | undefined {
  return exports[MEMORY] as WebAssembly.Memory | undefined;
}

function globalOf({ exports }: WebAssembly.Instance, name: string): WebAssembly.Global {
  const found = exports[name];
  if (found instanceof WebAssembly.Global) return found;
  throw damaged('it names a global that the program does not have');
}

function tableOf({ exports }: WebAssembly.Instance, name: string): WebAssembly.Table {
  const found = exports[name];
  if (found instanceof WebAssembly.Table) return found;
  throw damaged('it names a table that the program does not have');
}

function bitsOf(value: number): string {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

function numberOf({ type, value }: GlobalState): number | bigint {
  const bits = BigInt(`0x${value}`);
  if (type === 'l') return BigInt.asIntN(64, bits);
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

export function cannotKeep(why: string, options: { readonly hint?: string; readonly cause?: unknown } = {}): WctrError {
  return new WctrError('unsupported', `the program cannot be frozen: ${why}`, {
    hint: options.hint ?? 'the README says what can be frozen, under Checkpoints',
    ...(options.cause === undefined ? {} : { cause: options.cause }),
  });
}
