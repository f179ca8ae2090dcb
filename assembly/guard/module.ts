/** The pass over a module: header, section order and sizes, each section by its reader. */
import {
  BLOCK_INPUT_LENGTH,
  BLOCK_INPUT_PTR,
  DETAIL_CODE_COUNT,
  DETAIL_COMPONENT,
  DETAIL_CUSTOM_SECTIONS,
  DETAIL_NOT_WASM,
  DETAIL_SECTION_ORDER,
  DETAIL_SECTION_SIZE,
  DETAIL_SECTION_UNKNOWN,
  DETAIL_VERSION,
  POLICY_MAX_CUSTOM_SECTIONS,
  RESULT_FUNCTION_COUNT,
} from '../../src/core/abi/guard';
import { E_CORRUPT, E_LIMIT, E_TRUNCATED, E_UNSUPPORTED } from '../../src/core/abi/status';
import { readCode, readCustom, readData, readElements, readExports, readStart } from './contents';
import { readFunctions, readGlobals, readImports, readMemories, readTables, readTags, readTypes } from './declarations';
import { addCount, addSection, BODIES, CUSTOM_SECTIONS, count, FUNCTIONS, IMPORTED_FUNCTIONS } from './facts';
import {
  atEnd,
  enter,
  fail,
  failAt,
  failed,
  policy,
  position,
  readByte,
  readU32,
  remaining,
  setResult,
  skip,
} from './reader';

/** "\0asm", little endian. */
const MAGIC: u32 = 0x6d736100;
/** u16 version, u16 layer: a core module, and a component as of the component model's binary format. */
const CORE_VERSION: u32 = 0x00000001;
const COMPONENT_LAYER: u32 = 1;
const HEADER: u32 = 8;

export const SECTION_CUSTOM: u32 = 0;
export const SECTION_TYPE: u32 = 1;
export const SECTION_IMPORT: u32 = 2;
export const SECTION_FUNCTION: u32 = 3;
export const SECTION_TABLE: u32 = 4;
export const SECTION_MEMORY: u32 = 5;
export const SECTION_GLOBAL: u32 = 6;
export const SECTION_EXPORT: u32 = 7;
export const SECTION_START: u32 = 8;
export const SECTION_ELEMENT: u32 = 9;
export const SECTION_CODE: u32 = 10;
export const SECTION_DATA: u32 = 11;
export const SECTION_DATA_COUNT: u32 = 12;
export const SECTION_TAG: u32 = 13;
const SECTION_LAST = SECTION_TAG;

/** Section ids in the order the specification wants them. */
const ORDER = memory.data<u8>([1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11]);
export const ORDER_LENGTH: u32 = 13;

export function sectionAt(place: u32): u32 {
  return load<u8>(ORDER + place);
}

/** Where in the order a section stands. */
export function placeOf(id: u32): u32 {
  for (let place: u32 = 0; place < ORDER_LENGTH; place++) {
    if (sectionAt(place) == id) return place;
  }
  return ORDER_LENGTH;
}

function readHeader(): void {
  const start = position();
  if (remaining() < HEADER || load<u32>(start) != MAGIC) {
    fail(E_CORRUPT, DETAIL_NOT_WASM);
    return;
  }
  const version = load<u32>(start, 4);
  if (version >>> 16 == COMPONENT_LAYER) fail(E_UNSUPPORTED, DETAIL_COMPONENT, version);
  else if (version != CORE_VERSION) fail(E_UNSUPPORTED, DETAIL_VERSION, version);
  skip(HEADER);
}

function readSection(id: u32): void {
  switch (id) {
    case SECTION_CUSTOM:
      if (addCount(CUSTOM_SECTIONS, 1) > policy(POLICY_MAX_CUSTOM_SECTIONS)) {
        fail(E_LIMIT, DETAIL_CUSTOM_SECTIONS, count(CUSTOM_SECTIONS), policy(POLICY_MAX_CUSTOM_SECTIONS));
      }
      readCustom();
      break;
    case SECTION_TYPE:
      readTypes();
      break;
    case SECTION_IMPORT:
      readImports();
      break;
    case SECTION_FUNCTION:
      readFunctions();
      break;
    case SECTION_TABLE:
      readTables();
      break;
    case SECTION_MEMORY:
      readMemories();
      break;
    case SECTION_GLOBAL:
      readGlobals();
      break;
    case SECTION_EXPORT:
      readExports();
      break;
    case SECTION_START:
      readStart();
      break;
    case SECTION_ELEMENT:
      readElements();
      break;
    case SECTION_CODE:
      readCode();
      break;
    case SECTION_DATA:
      readData();
      break;
    case SECTION_DATA_COUNT:
      readU32();
      break;
    case SECTION_TAG:
      readTags();
      break;
  }
}

export function readModule(): void {
  readHeader();
  const end: usize = policy(BLOCK_INPUT_PTR) + policy(BLOCK_INPUT_LENGTH);
  let next: u32 = 0;
  while (!failed() && position() < end) {
    const start = position();
    const id = readByte();
    const size = readU32();
    const payload = position();
    if (failed()) return;
    if (id > SECTION_LAST) {
      failAt(start, E_UNSUPPORTED, DETAIL_SECTION_UNKNOWN, id);
      return;
    }
    if (size > remaining()) {
      failAt(start, E_TRUNCATED, DETAIL_SECTION_SIZE, size, remaining());
      return;
    }
    if (id != SECTION_CUSTOM) {
      const place = placeOf(id);
      if (place < next) {
        failAt(start, E_CORRUPT, DETAIL_SECTION_ORDER, id);
        return;
      }
      next = place + 1;
    }
    enter(id, payload, payload + size);
    readSection(id);
    if (!atEnd()) fail(E_CORRUPT, DETAIL_SECTION_SIZE, size, <u32>(position() - payload));
    if (failed()) return;
    addSection(id, start, payload, payload + size);
    enter(id, payload + size, end);
  }
  const declared = count(FUNCTIONS) - count(IMPORTED_FUNCTIONS);
  if (declared != count(BODIES)) fail(E_CORRUPT, DETAIL_CODE_COUNT, count(BODIES), declared);
  setResult(RESULT_FUNCTION_COUNT, declared);
}
