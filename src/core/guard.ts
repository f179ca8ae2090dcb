/**
 * Checks a guest's module against a policy and gives the module to compile in its place: memory and table maxima
 * clamped, on request fuel checks injected (assembly/guard; host/fuel.ts is the other end). What the guard lets through
 * is still the engine's to validate.
 */
import { WctrError } from '../errors.ts';
import * as abi from './abi/guard.ts';
import { OK } from './abi/status.ts';
import { guardError } from './guard-errors.ts';
import { DEFAULT_COUNTS, type GuardPolicy, type ImportGrant } from './guard-policy.ts';
import { createMemory } from './load.ts';

export type { GuardPolicy } from './guard-policy.ts';
export { WASI_GRANTS } from './guard-policy.ts';

export interface GuardedModule {
  /** The module to compile. Own memory, also where nothing had to change. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly info: GuardInfo;
}

export interface GuardInfo {
  /** `granted` is false for functions the host has to link to something that traps. */
  readonly imports: readonly { module: string; name: string; kind: ExternKind; granted: boolean }[];
  /** The module's own exports, without the guard's. */
  readonly exports: readonly { name: string; kind: ExternKind; index: number }[];
  readonly memory:
    | {
        readonly minPages: number;
        readonly maxPages: number;
        readonly shared: boolean;
        /** Comes from the host: `wctr` means the guard moved it to the import "wctr" "memory". */
        readonly imported: false | 'guest' | 'wctr';
      }
    | undefined;
  /** Entries over all tables. */
  readonly tableMin: number;
  readonly tableMax: number;
  /** With fuel or state it is not run by the engine: the host calls "wctr.start", once everything is in place. */
  readonly hasStart: boolean;
  readonly functions: number;
  /** ASYNCIFY_* (abi/guard.ts), where it was asked for. */
  readonly asyncify?: number;
  /** What was charged; undefined when the code is as it was. */
  readonly fuel: { readonly entries: number; readonly loops: number; readonly bulk: number } | undefined;
}

export type ExternKind = 'function' | 'table' | 'memory' | 'global' | 'tag';

/** A compiled core module (dist/wasm/core.wasm with its memory import unshared). */
export interface GuardCore {
  readonly module: WebAssembly.Module;
}

interface GuardExports {
  guardBegin(inputLength: number, grantsLength: number): number;
  guardRun(block: number): number;
}

interface GuardInstance {
  readonly memory: WebAssembly.Memory;
  readonly guard: GuardExports;
}

const kept = new WeakMap<WebAssembly.Module, GuardInstance>();
const KEPT_BYTES = 8 * 1024 * 1024;

const KINDS: readonly ExternKind[] = ['function', 'table', 'memory', 'global', 'tag'];
const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
/** Code, tables of types and functions, what the rewriting adds: grown by the guard beyond this. */
const SPARE_BYTES = 1024 * 1024;
/** Polled for the first time after about this many loop iterations. */
const FIRST_REFILL = 20_000;
const UTF8 = new TextEncoder();
const NAME_SHOWN = 64;

/**
 * Throws WctrError: 'invalid-module' (not Wasm, malformed: section and offset), 'module-denied' (imports that were not
 * granted, refused features, too many of something), 'no-memory' (its minimum is over the limit), 'unsupported' (a
 * component), 'limit-exceeded' (too large to check).
 */
export function guardModule(core: GuardCore, bytes: Uint8Array, policy: GuardPolicy): GuardedModule {
  const counts = { ...DEFAULT_COUNTS, ...policy.counts };
  if (bytes.length > counts.moduleBytes) {
    throw new WctrError('module-denied', `the module has ${bytes.length} bytes, the limit is ${counts.moduleBytes}`, {
      hint: 'use a smaller module',
    });
  }
  const grants = encodeGrants(policy.imports);
  const { memory, guard } = guardInstance(core, bytes.length);
  const block = guard.guardBegin(bytes.length, grants.length);
  if (block === 0) throw new WctrError('no-memory', 'no memory to check the module in', { hint: 'free some memory' });

  const view = new DataView(memory.buffer);
  const field = (offset: number) => view.getUint32(block + offset, true);
  writePolicy(view, block, policy, counts);
  new Uint8Array(memory.buffer).set(grants, field(abi.BLOCK_GRANTS_PTR));
  new Uint8Array(memory.buffer).set(bytes, field(abi.BLOCK_INPUT_PTR));

  const status = guard.guardRun(block);
  const result = new GuardResult(memory.buffer, block, bytes);
  if (memory.buffer.byteLength > KEPT_BYTES) kept.delete(core.module);
  if (status !== OK) throw guardError(result.fault(status));
  const info = result.info(policy.fuel === true);
  return { bytes: result.output(), info: policy.asyncify === true ? { ...info, asyncify: result.asyncify } : info };
}

/**
 * An instance is kept for the next small module, since a memory is costly to make; one that a large module has grown
 * goes, and its memory with it.
 */
function guardInstance(core: GuardCore, moduleBytes: number): GuardInstance {
  const known = kept.get(core.module);
  if (known !== undefined && moduleBytes + SPARE_BYTES <= KEPT_BYTES) return known;
  const memory = createMemory({
    initialPages: Math.min(MAX_PAGES, Math.ceil((moduleBytes + SPARE_BYTES) / PAGE_BYTES)),
    maximumPages: MAX_PAGES,
    shared: false,
  });
  const instance = new WebAssembly.Instance(core.module, { env: { memory } });
  const made = { memory, guard: instance.exports as unknown as GuardExports };
  kept.set(core.module, made);
  return made;
}

function writePolicy(view: DataView, block: number, policy: GuardPolicy, counts: typeof DEFAULT_COUNTS): void {
  const flags =
    (policy.memoryImport ? abi.POLICY_ALLOW_MEMORY_IMPORT : 0) |
    (policy.sharedMemory ? abi.POLICY_ALLOW_SHARED_MEMORY : 0) |
    (policy.exceptions === false ? 0 : abi.POLICY_ALLOW_TAGS) |
    (policy.hostMemory ? abi.POLICY_IMPORT_MEMORY : 0) |
    (policy.fuel ? abi.POLICY_FUEL : 0) |
    (policy.ungranted === 'trap' ? abi.POLICY_TRAP_UNGRANTED : 0) |
    (policy.state ? abi.POLICY_STATE : 0) |
    (policy.stateOfAsyncify ? abi.POLICY_STATE_OF_ASYNCIFY : 0) |
    (policy.asyncify ? abi.POLICY_ASYNCIFY : 0);
  const fields: readonly (readonly [number, number])[] = [
    [abi.POLICY_FLAGS, flags],
    [abi.POLICY_MAX_MEMORY_PAGES, Math.min(policy.maxMemoryPages, MAX_PAGES)],
    [abi.POLICY_MAX_TABLE_ELEMENTS, policy.maxTableElements],
    [abi.POLICY_MAX_MEMORIES, counts.memories],
    [abi.POLICY_MAX_TABLES, counts.tables],
    [abi.POLICY_MAX_TYPES, counts.types],
    [abi.POLICY_MAX_FUNCTIONS, counts.functions],
    [abi.POLICY_MAX_GLOBALS, counts.globals],
    [abi.POLICY_MAX_IMPORTS, counts.imports],
    [abi.POLICY_MAX_EXPORTS, counts.exports],
    [abi.POLICY_MAX_TAGS, counts.tags],
    [abi.POLICY_MAX_ELEMENT_SEGMENTS, counts.elementSegments],
    [abi.POLICY_MAX_DATA_SEGMENTS, counts.dataSegments],
    [abi.POLICY_MAX_CUSTOM_SECTIONS, counts.customSections],
    [abi.POLICY_MAX_PARAMS, counts.params],
    [abi.POLICY_MAX_RESULTS, counts.results],
    [abi.POLICY_MAX_LOCALS, counts.locals],
    [abi.POLICY_MAX_TOTAL_LOCALS, counts.totalLocals],
    [abi.POLICY_MAX_BODY_BYTES, counts.bodyBytes],
    [abi.POLICY_MAX_ELEMENTS, policy.maxTableElements],
    [abi.POLICY_GRANT_COUNT, grantPairs(policy.imports).length],
    [abi.POLICY_FIRST_REFILL, FIRST_REFILL],
  ];
  for (const [offset, value] of fields) view.setUint32(block + offset, value, true);
}

function grantPairs(grants: readonly ImportGrant[]): { module: string; name: string | undefined }[] {
  return grants.flatMap(({ module, names }) => (names ?? [undefined]).map((name) => ({ module, name })));
}

function encodeGrants(grants: readonly ImportGrant[]): Uint8Array {
  const parts = grantPairs(grants).map(({ module, name }) => {
    const text = UTF8.encode(module + (name ?? ''));
    const moduleLength = UTF8.encode(module).length;
    const record = new Uint8Array(4 + text.length);
    const view = new DataView(record.buffer);
    view.setUint16(0, moduleLength, true);
    view.setUint16(2, name === undefined ? abi.GRANT_ANY_NAME : text.length - moduleLength, true);
    record.set(text, 4);
    return record;
  });
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Reads the guard's block after a run. */
class GuardResult {
  readonly #buffer: ArrayBufferLike;
  readonly #view: DataView;
  readonly #block: number;
  readonly #bytes: Uint8Array;

  constructor(buffer: ArrayBufferLike, block: number, bytes: Uint8Array) {
    this.#buffer = buffer;
    this.#view = new DataView(buffer);
    this.#block = block;
    this.#bytes = bytes;
  }

  #field(offset: number): number {
    return this.#view.getUint32(this.#block + offset, true);
  }

  fault(status: number) {
    return {
      status,
      detail: this.#field(abi.RESULT_DETAIL),
      offset: this.#field(abi.RESULT_OFFSET),
      section: this.#field(abi.RESULT_SECTION),
      value: this.#field(abi.RESULT_VALUE),
      limit: this.#field(abi.RESULT_LIMIT),
      denied: this.#imports()
        .filter((entry) => entry.denied)
        .map(
          ({ module, name, kind }) =>
            `${printable(module)}.${printable(name)}${kind === 'function' ? '' : ` (${kind})`}`,
        ),
    };
  }

  output(): Uint8Array<ArrayBuffer> {
    const output = new Uint8Array(this.#field(abi.RESULT_OUTPUT_LENGTH));
    const pieces = this.#field(abi.RESULT_PIECES_PTR);
    let at = 0;
    for (let i = 0; i < this.#field(abi.RESULT_PIECE_COUNT); i++) {
      const address = this.#view.getUint32(pieces + i * abi.PIECE_BYTES, true);
      const length = this.#view.getUint32(pieces + i * abi.PIECE_BYTES + 4, true);
      output.set(new Uint8Array(this.#buffer, address, length), at);
      at += length;
    }
    return output;
  }

  get asyncify(): number {
    return this.#field(abi.RESULT_ASYNCIFY);
  }

  info(fuel: boolean): GuardInfo {
    const flags = this.#field(abi.RESULT_MEMORY_FLAGS);
    return {
      imports: this.#imports().map(({ denied, ...entry }) => ({ ...entry, granted: !denied })),
      exports: this.#exports(),
      memory:
        flags & abi.MEMORY_PRESENT
          ? {
              minPages: this.#field(abi.RESULT_MEMORY_MIN),
              maxPages: this.#field(abi.RESULT_MEMORY_MAX),
              shared: (flags & abi.MEMORY_SHARED) !== 0,
              imported: flags & abi.MEMORY_MOVED ? 'wctr' : flags & abi.MEMORY_IMPORTED ? 'guest' : false,
            }
          : undefined,
      tableMin: this.#field(abi.RESULT_TABLE_MIN),
      tableMax: this.#field(abi.RESULT_TABLE_MAX),
      hasStart: this.#field(abi.RESULT_HAS_START) !== 0,
      functions: this.#field(abi.RESULT_FUNCTION_COUNT),
      fuel:
        fuel && this.#field(abi.RESULT_FUNCTION_COUNT) > 0
          ? {
              entries: this.#field(abi.RESULT_FUEL_ENTRIES),
              loops: this.#field(abi.RESULT_FUEL_LOOPS),
              bulk: this.#field(abi.RESULT_FUEL_BULK),
            }
          : undefined,
    };
  }

  #imports() {
    const base = this.#field(abi.RESULT_IMPORTS_PTR);
    return Array.from({ length: this.#field(abi.RESULT_IMPORT_COUNT) }, (_, i) => {
      const word = (n: number) => this.#view.getUint32(base + i * abi.IMPORT_RECORD_BYTES + n * 4, true);
      return {
        module: this.#text(word(0), word(1)),
        name: this.#text(word(2), word(3)),
        kind: KINDS[word(4)]!,
        denied: word(5) !== 0,
      };
    });
  }

  #exports() {
    const base = this.#field(abi.RESULT_EXPORTS_PTR);
    return Array.from({ length: this.#field(abi.RESULT_EXPORT_COUNT) }, (_, i) => {
      const word = (n: number) => this.#view.getUint32(base + i * abi.EXPORT_RECORD_BYTES + n * 4, true);
      return { name: this.#text(word(0), word(1)), kind: KINDS[word(2)]!, index: word(3) };
    });
  }

  #text(offset: number, length: number): string {
    return new TextDecoder().decode(this.#bytes.subarray(offset, offset + length));
  }
}

/** A guest's name on a line of ours: short, and inert on a terminal. */
function printable(name: string): string {
  const shown = name.length > NAME_SHOWN ? `${name.slice(0, NAME_SHOWN)}…` : name;
  return shown.replace(/[^\x20-\x7e…]/g, '?');
}
