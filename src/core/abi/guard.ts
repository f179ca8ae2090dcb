/**
 * The guard's block: what the host tells the guard and what it gets back. One block per run, u32 fields, little
 * endian. `guardBegin` lays it out, the host fills the policy, copies the grants and the module in, `guardRun` answers.
 * The guard owns the heap of its instance from `__heap_base` on; `guardBegin` forgets the run before.
 *
 * ```
 * policy, written by the host                      result, written by the guard
 *   0 flags (POLICY_*)                              112 detail (DETAIL_*) when the status is below zero
 *   4 maxMemoryPages   sum over memories            116 byte offset of the fault in the module
 *   8 maxTableElements sum over tables              120 id of the section it is in, NO_SECTION outside
 *  12 maxMemories   16 maxTables                    124 value: what was found   128 limit: what was allowed
 *  20 maxTypes      24 maxFunctions                 132 importsPtr   136 importCount   (import records)
 *  28 maxGlobals    32 maxImports                   140 exportsPtr   144 exportCount   (export records)
 *  36 maxExports    40 maxTags                      148 piecesPtr    152 pieceCount
 *  44 maxElementSegments  48 maxDataSegments        156 outputLength: sum over the pieces
 *  52 maxCustomSections                             160 memory 0: minimum pages   164 maximum pages, clamped
 *  56 maxParams     60 maxResults                   168 memory 0: flags (MEMORY_*)
 *  64 maxLocals: of one function, with parameters   172 tables: sum of minima     176 sum of clamped maxima
 *  68 maxTotalLocals                                180 1 when the module has a start function
 *  72 maxBodyBytes  76 maxElements: in segments     184 functions charged at entry   188 loops charged
 *  80 grantCount    84 firstRefill: units of fuel   192 bulk instructions charged    196 defined functions
 * blocks, written by guardBegin                     200 number of denied imports     204 ASYNCIFY_*
 *  96 inputPtr     100 inputLength
 * 104 grantsPtr    108 grantsLength
 * ```
 *
 * grant: u16 moduleLength, u16 nameLength (GRANT_ANY_NAME: every name), module bytes, name bytes.
 * import record, 24 bytes: u32 module offset, module length, name offset, name length (offsets into the module),
 *   u32 kind (0 function, 1 table, 2 memory, 3 global, 4 tag), u32 1 when the policy denies it.
 * export record, 16 bytes: u32 name offset, u32 name length, u32 kind, u32 index.
 * piece, 8 bytes: u32 address in linear memory, u32 length. The pieces, in order, are the module to compile.
 */
export const GUARD_BLOCK_BYTES = 256;

export const POLICY_FLAGS = 0;
export const POLICY_MAX_MEMORY_PAGES = 4;
export const POLICY_MAX_TABLE_ELEMENTS = 8;
export const POLICY_MAX_MEMORIES = 12;
export const POLICY_MAX_TABLES = 16;
export const POLICY_MAX_TYPES = 20;
export const POLICY_MAX_FUNCTIONS = 24;
export const POLICY_MAX_GLOBALS = 28;
export const POLICY_MAX_IMPORTS = 32;
export const POLICY_MAX_EXPORTS = 36;
export const POLICY_MAX_TAGS = 40;
export const POLICY_MAX_ELEMENT_SEGMENTS = 44;
export const POLICY_MAX_DATA_SEGMENTS = 48;
export const POLICY_MAX_CUSTOM_SECTIONS = 52;
export const POLICY_MAX_PARAMS = 56;
export const POLICY_MAX_RESULTS = 60;
export const POLICY_MAX_LOCALS = 64;
export const POLICY_MAX_TOTAL_LOCALS = 68;
export const POLICY_MAX_BODY_BYTES = 72;
export const POLICY_MAX_ELEMENTS = 76;
export const POLICY_GRANT_COUNT = 80;
export const POLICY_FIRST_REFILL = 84;

export const BLOCK_INPUT_PTR = 96;
export const BLOCK_INPUT_LENGTH = 100;
export const BLOCK_GRANTS_PTR = 104;
export const BLOCK_GRANTS_LENGTH = 108;

export const RESULT_DETAIL = 112;
export const RESULT_OFFSET = 116;
export const RESULT_SECTION = 120;
export const RESULT_VALUE = 124;
export const RESULT_LIMIT = 128;
export const RESULT_IMPORTS_PTR = 132;
export const RESULT_IMPORT_COUNT = 136;
export const RESULT_EXPORTS_PTR = 140;
export const RESULT_EXPORT_COUNT = 144;
export const RESULT_PIECES_PTR = 148;
export const RESULT_PIECE_COUNT = 152;
export const RESULT_OUTPUT_LENGTH = 156;
export const RESULT_MEMORY_MIN = 160;
export const RESULT_MEMORY_MAX = 164;
export const RESULT_MEMORY_FLAGS = 168;
export const RESULT_TABLE_MIN = 172;
export const RESULT_TABLE_MAX = 176;
export const RESULT_HAS_START = 180;
export const RESULT_FUEL_ENTRIES = 184;
export const RESULT_FUEL_LOOPS = 188;
export const RESULT_FUEL_BULK = 192;
export const RESULT_FUNCTION_COUNT = 196;
export const RESULT_DENIED_COUNT = 200;
export const RESULT_ASYNCIFY = 204;

/** The exports of Binaryen's pass are not all there, or not as it makes them. */
export const ASYNCIFY_NONE = 0;
export const ASYNCIFY_FREE = 1;
/** The module unwinds its stack itself, for ends of its own. */
export const ASYNCIFY_USED = 2;
/** Calls of imports are taken to unwind nothing (pass-arg asyncify-ignore-imports, or a list that leaves some out). */
export const ASYNCIFY_NO_IMPORTS = 3;

export const IMPORT_RECORD_BYTES = 24;
export const EXPORT_RECORD_BYTES = 16;
export const PIECE_BYTES = 8;
export const GRANT_ANY_NAME = 0xffff;
export const NO_SECTION = 0xff;

/** The guest may import memory 0 under any name. */
export const POLICY_ALLOW_MEMORY_IMPORT = 1;
export const POLICY_ALLOW_SHARED_MEMORY = 2;
/** Tags and exnref (exception handling). */
export const POLICY_ALLOW_TAGS = 4;
/** Memory 0, when the module defines it, becomes the import "wctr" "memory". */
export const POLICY_IMPORT_MEMORY = 8;
/** Rewrites the code: fuel checks, table export "wctr.fuel", start function exported as "wctr.start". */
export const POLICY_FUEL = 16;
/** Functions that were not granted are let through and marked: the host makes them trap when they are called. */
export const POLICY_TRAP_UNGRANTED = 32;
/**
 * For checkpoints: exports mutable globals as "wctr.g<index>", tables as "wctr.t<index>", memory 0 as "wctr.m0", and the
 * start function, which the engine then does not run, as "wctr.start".
 */
export const POLICY_STATE = 64;
/** POLICY_STATE for a module that exports asyncify_start_unwind. */
export const POLICY_STATE_OF_ASYNCIFY = 128;
/** Judges whether the host can take down the module's stack in a system call: RESULT_ASYNCIFY. */
export const POLICY_ASYNCIFY = 256;

export const MEMORY_PRESENT = 1;
export const MEMORY_IMPORTED = 2;
export const MEMORY_SHARED = 4;
/** The guard turned the defined memory into the import "wctr" "memory". */
export const MEMORY_MOVED = 8;

/** Reasons, beside the status. */
export const DETAIL_NOT_WASM = 1;
export const DETAIL_COMPONENT = 2;
export const DETAIL_VERSION = 3;
export const DETAIL_END = 4;
export const DETAIL_LEB = 5;
export const DETAIL_SECTION_ORDER = 6;
export const DETAIL_SECTION_UNKNOWN = 7;
export const DETAIL_SECTION_SIZE = 8;
export const DETAIL_TYPE_FORM = 9;
export const DETAIL_VALUE_TYPE = 10;
export const DETAIL_LIMITS = 11;
export const DETAIL_CONST_EXPR = 12;
export const DETAIL_INDEX = 13;
export const DETAIL_KIND = 14;
export const DETAIL_CODE_COUNT = 15;
export const DETAIL_OPCODE = 16;
export const DETAIL_NESTING = 17;
export const DETAIL_SEGMENT = 18;

export const DETAIL_GC = 32;
export const DETAIL_MEMORY64 = 33;
export const DETAIL_PAGE_SIZE = 34;
export const DETAIL_SHARED_MEMORY = 35;
export const DETAIL_TAGS = 36;
export const DETAIL_SHARED_TABLE = 37;

export const DETAIL_IMPORT_DENIED = 48;
export const DETAIL_EXPORT_RESERVED = 49;
export const DETAIL_EXN_TABLE = 50;

export const DETAIL_MEMORY_PAGES = 64;
export const DETAIL_TABLE_ELEMENTS = 65;
export const DETAIL_MEMORIES = 66;
export const DETAIL_TABLES = 67;
export const DETAIL_TYPES = 68;
export const DETAIL_FUNCTIONS = 69;
export const DETAIL_GLOBALS = 70;
export const DETAIL_IMPORTS = 71;
export const DETAIL_EXPORTS = 72;
export const DETAIL_TAG_COUNT = 73;
export const DETAIL_ELEMENT_SEGMENTS = 74;
export const DETAIL_DATA_SEGMENTS = 75;
export const DETAIL_CUSTOM_SECTIONS = 76;
export const DETAIL_PARAMS = 77;
export const DETAIL_RESULTS = 78;
export const DETAIL_LOCALS = 79;
export const DETAIL_TOTAL_LOCALS = 80;
export const DETAIL_BODY_BYTES = 81;
export const DETAIL_ELEMENTS = 82;

export const DETAIL_HEAP = 96;
