/** What the guard's answers mean to a person. */
import { WctrError, type WctrErrorOptions } from '../errors.ts';
import * as abi from './abi/guard.ts';

/** The fault as the guard left it in its block. */
export interface GuardFault {
  readonly status: number;
  readonly detail: number;
  /** Byte offset in the module. */
  readonly offset: number;
  readonly section: number;
  readonly value: number;
  readonly limit: number;
  /** `module.name` of the imports that were not granted. */
  readonly denied: readonly string[];
}

const SECTIONS = [
  'custom',
  'type',
  'import',
  'function',
  'table',
  'memory',
  'global',
  'export',
  'start',
  'element',
  'code',
  'data',
  'data count',
  'tag',
];

const PAGE_KIB = 64;
const LISTED_IMPORTS = 5;

/** Malformed: what is wrong with the bytes. */
const MALFORMED: Readonly<Record<number, (fault: GuardFault) => string>> = {
  [abi.DETAIL_VERSION]: (f) => `unknown WebAssembly version 0x${f.value.toString(16)}`,
  [abi.DETAIL_END]: () => 'the bytes end too early',
  [abi.DETAIL_LEB]: () => 'a number is encoded in too many bytes',
  [abi.DETAIL_SECTION_ORDER]: (f) => `section ${sectionName(f.value)} is out of order or there twice`,
  [abi.DETAIL_SECTION_UNKNOWN]: (f) => `unknown section ${f.value}`,
  [abi.DETAIL_SECTION_SIZE]: () => 'a size disagrees with the contents',
  [abi.DETAIL_TYPE_FORM]: (f) => `unknown type form 0x${f.value.toString(16)}`,
  [abi.DETAIL_VALUE_TYPE]: (f) => `unknown value type 0x${f.value.toString(16)}`,
  [abi.DETAIL_LIMITS]: () => 'impossible limits of a memory or table',
  [abi.DETAIL_CONST_EXPR]: (f) => `instruction 0x${f.value.toString(16)} in a constant expression`,
  [abi.DETAIL_INDEX]: (f) => `index ${f.value} of ${f.limit}`,
  [abi.DETAIL_KIND]: (f) => `unknown kind ${f.value}`,
  [abi.DETAIL_CODE_COUNT]: (f) => `${f.value} function bodies for ${f.limit} functions`,
  [abi.DETAIL_OPCODE]: (f) => `unknown instruction 0x${f.value.toString(16)} ${f.limit}`,
  [abi.DETAIL_NESTING]: () => 'blocks and ends do not match',
  [abi.DETAIL_SEGMENT]: (f) => `unknown segment flags ${f.value}`,
};

/** Well formed, but not allowed. */
const DENIED: Readonly<Record<number, readonly [message: string, hint: string]>> = {
  [abi.DETAIL_GC]: [
    'uses garbage-collected types, whose memory cannot be bounded',
    'build it for linear memory, without the GC proposal',
  ],
  [abi.DETAIL_MEMORY64]: ['uses 64-bit memory or tables', 'build it for wasm32'],
  [abi.DETAIL_PAGE_SIZE]: ['uses a custom page size', 'build it with 64 KiB pages'],
  [abi.DETAIL_SHARED_MEMORY]: ['declares a shared memory', 'build it without threads'],
  [abi.DETAIL_TAGS]: ['uses WebAssembly exceptions', 'build it without exception handling'],
  [abi.DETAIL_SHARED_TABLE]: ['declares a shared table', 'build it without shared-everything threads'],
  [abi.DETAIL_EXPORT_RESERVED]: ['exports a name that begins with "wctr."', 'rename the export'],
  [abi.DETAIL_EXN_TABLE]: ['keeps exceptions in a table', 'build it without tables of exnref'],
};

const COUNTED: Readonly<Record<number, string>> = {
  [abi.DETAIL_MEMORIES]: 'memories',
  [abi.DETAIL_TABLES]: 'tables',
  [abi.DETAIL_TYPES]: 'types',
  [abi.DETAIL_FUNCTIONS]: 'functions',
  [abi.DETAIL_GLOBALS]: 'globals',
  [abi.DETAIL_IMPORTS]: 'imports',
  [abi.DETAIL_EXPORTS]: 'exports',
  [abi.DETAIL_TAG_COUNT]: 'tags',
  [abi.DETAIL_ELEMENT_SEGMENTS]: 'element segments',
  [abi.DETAIL_DATA_SEGMENTS]: 'data segments',
  [abi.DETAIL_CUSTOM_SECTIONS]: 'custom sections',
  [abi.DETAIL_PARAMS]: 'parameters in one type',
  [abi.DETAIL_RESULTS]: 'results in one type',
  [abi.DETAIL_LOCALS]: 'locals in one function',
  [abi.DETAIL_TOTAL_LOCALS]: 'locals over all functions',
  [abi.DETAIL_BODY_BYTES]: 'bytes in one function',
  [abi.DETAIL_ELEMENTS]: 'entries in element segments',
  [abi.DETAIL_TABLE_ELEMENTS]: 'table entries at the start',
};

export function guardError(fault: GuardFault): WctrError {
  const data = { offset: fault.offset, section: sectionName(fault.section), detail: fault.detail };
  if (fault.detail === abi.DETAIL_NOT_WASM) {
    return error('invalid-module', 'not a WebAssembly module', { hint: 'the file must begin with \\0asm', data });
  }
  if (fault.detail === abi.DETAIL_COMPONENT) {
    return error('unsupported', 'the module is a WASI 0.2 component, which this build cannot run', {
      hint: 'use the core module (wasm32-wasip1), or extract it with `wasm-tools component unbundle`',
      data: { ...data, component: true },
    });
  }
  if (fault.detail === abi.DETAIL_HEAP) {
    return error('limit-exceeded', 'the module is too large to be checked', { hint: 'use a smaller module', data });
  }
  if (fault.detail === abi.DETAIL_MEMORY_PAGES) {
    return error(
      'no-memory',
      `the module wants ${fault.value * PAGE_KIB} KiB of memory at the start, the limit is ${fault.limit * PAGE_KIB} KiB`,
      { hint: 'raise the limit with --memory', data: { ...data, pages: fault.value, limitPages: fault.limit } },
    );
  }
  if (fault.detail === abi.DETAIL_IMPORT_DENIED) return importsDenied(fault.denied, data);
  const counted = COUNTED[fault.detail];
  if (counted !== undefined) {
    return error('module-denied', `the module has ${fault.value} ${counted}, the limit is ${fault.limit}`, {
      hint: 'split the module or raise the limit',
      data: { ...data, value: fault.value, limit: fault.limit },
    });
  }
  const denied = DENIED[fault.detail];
  if (denied !== undefined) return error('module-denied', `the module ${denied[0]}`, { hint: denied[1], data });
  const what = MALFORMED[fault.detail]?.(fault) ?? `status ${fault.status}, detail ${fault.detail}`;
  const where = fault.section === abi.NO_SECTION ? '' : ` in the ${sectionName(fault.section)} section`;
  return error('invalid-module', `malformed WebAssembly${where} at byte ${fault.offset}: ${what}`, {
    hint: 'build the module again; it may be truncated or made for a newer WebAssembly',
    data,
  });
}

/** `denied`: `module.name` each. */
export function importsDenied(denied: readonly string[], data: Record<string, unknown> = {}): WctrError {
  const listed = denied.slice(0, LISTED_IMPORTS).join(', ');
  const more = denied.length > LISTED_IMPORTS ? ` and ${denied.length - LISTED_IMPORTS} more` : '';
  return error('module-denied', `the module imports what is not granted: ${listed}${more}`, {
    hint: 'only the WASI functions are granted to a guest',
    data: { ...data, imports: denied },
  });
}

function sectionName(id: number): string {
  return SECTIONS[id] ?? `${id}`;
}

function error(code: WctrError['code'], message: string, options: WctrErrorOptions): WctrError {
  return new WctrError(code, message, options);
}
