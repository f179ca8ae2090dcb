/** Writes the module to compile: what stays is a piece of the input, what changes is written anew. */
import {
  NO_SECTION,
  POLICY_FIRST_REFILL,
  POLICY_FLAGS,
  POLICY_FUEL,
  POLICY_STATE,
  POLICY_STATE_OF_ASYNCIFY,
} from '../../src/core/abi/guard';
import { clampSpaces, firstMemory, movesMemory } from './clamp';
import {
  addPiece,
  emitByte,
  emitCopy,
  emitFinish,
  emitI32,
  emitReset,
  emitRoom,
  emitU32,
  sectionBegin,
  sectionEnd,
} from './emit';
import {
  BODIES,
  count,
  HAS_START,
  LARGEST_BODY,
  SECTION_BYTES,
  SECTION_END,
  SECTION_ID,
  SECTION_PAYLOAD,
  SPACE_BYTES,
  SPACE_CLAMPED,
  SPACE_END,
  SPACE_FLAGS,
  SPACE_MAX,
  SPACE_MIN,
  SPACE_START,
  START_FUNCTION,
  SECTION_START as START_OF_SECTION,
  START_UNWIND,
  sectionsOf,
  sectionTotal,
  spacesOf,
  spaceTotal,
  TABLES,
} from './facts';
import { emitBody, emitFuelBodies, emitFuelFunctions, emitFuelTypes, FUEL_FUNCTIONS, FUEL_TYPES } from './fuel';
import {
  ORDER_LENGTH,
  placeOf,
  SECTION_CODE,
  SECTION_CUSTOM,
  SECTION_EXPORT,
  SECTION_FUNCTION,
  SECTION_GLOBAL,
  SECTION_IMPORT,
  SECTION_MEMORY,
  SECTION_START,
  SECTION_TABLE,
  SECTION_TYPE,
  sectionAt,
} from './module';
import { enter, failed, policy, position, readU32, reserveScratch } from './reader';
import { scanScratch } from './scan';
import { emitStateExports, STATE_EXPORT_BYTES, stateExports } from './state';
import { LIMITS_MAX } from './types';

const FUNCREF: u32 = 0x70;
const EXPORT_KIND_FUNCTION: u32 = 0;
const EXPORT_KIND_TABLE: u32 = 1;
const IMPORT_KIND_MEMORY: u32 = 2;
const END: u32 = 0x0b;
const I32_CONST: u32 = 0x41;
const I32: u32 = 0x7f;
const MUTABLE: u32 = 1;
/** Room for whatever the guard adds to one section. */
const ADDED_BYTES: u32 = 128;
/** Room for one rewritten pair of limits. */
const LIMITS_BYTES: u32 = 16;

// "wctr" "memory", "wctr.fuel", "wctr.start"
const MODULE_NAME = memory.data<u8>([0x77, 0x63, 0x74, 0x72]);
const MODULE_NAME_LENGTH: usize = 4;
const MEMORY_NAME = memory.data<u8>([0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79]);
const MEMORY_NAME_LENGTH: usize = 6;
const FUEL_NAME = memory.data<u8>([0x77, 0x63, 0x74, 0x72, 0x2e, 0x66, 0x75, 0x65, 0x6c]);
const FUEL_NAME_LENGTH: usize = 9;
const START_NAME = memory.data<u8>([0x77, 0x63, 0x74, 0x72, 0x2e, 0x73, 0x74, 0x61, 0x72, 0x74]);
const START_NAME_LENGTH: usize = 10;
/** "metadata.code." opens the names of sections that hold offsets into code. */
const CODE_METADATA = memory.data<u8>([
  0x6d, 0x65, 0x74, 0x61, 0x64, 0x61, 0x74, 0x61, 0x2e, 0x63, 0x6f, 0x64, 0x65, 0x2e,
]);
const CODE_METADATA_LENGTH: usize = 14;

let fuel: bool = false;
let state: bool = false;
let moved: bool = false;
/** Scratch for one body (scan.ts). */
let scratch: usize = 0;

function emitName(name: usize, length: usize): void {
  emitU32(<u32>length);
  emitCopy(name, name + length);
}

function emitLimits(space: usize): void {
  emitByte(load<u32>(space + SPACE_FLAGS) | LIMITS_MAX);
  emitU32(load<u32>(space + SPACE_MIN));
  emitU32(load<u32>(space + SPACE_CLAMPED));
}

function changes(space: usize): bool {
  return load<u32>(space + SPACE_CLAMPED) != load<u32>(space + SPACE_MAX);
}

/** The start function is called by the host, when it is time. */
function takesStart(): bool {
  return (fuel || state) && count(HAS_START) != 0;
}

/** Room for what is added to a section beside its entries. */
function roomAdded(id: u32): u32 {
  return ADDED_BYTES + (id == SECTION_EXPORT && state ? stateExports() * STATE_EXPORT_BYTES : 0);
}

/** How many entries the guard adds to a section. */
function addedTo(id: u32): u32 {
  switch (id) {
    case SECTION_TYPE:
      return fuel ? FUEL_TYPES : 0;
    case SECTION_IMPORT:
      return moved ? 1 : 0;
    case SECTION_FUNCTION:
    case SECTION_CODE:
      return fuel ? FUEL_FUNCTIONS : 0;
    case SECTION_TABLE:
    case SECTION_GLOBAL:
      return fuel ? 1 : 0;
    case SECTION_EXPORT:
      return (fuel ? 1 : 0) + (state ? stateExports() : 0) + (takesStart() ? 1 : 0);
  }
  return 0;
}

function emitAdded(id: u32): void {
  switch (id) {
    case SECTION_TYPE:
      emitFuelTypes();
      break;
    case SECTION_IMPORT:
      emitName(MODULE_NAME, MODULE_NAME_LENGTH);
      emitName(MEMORY_NAME, MEMORY_NAME_LENGTH);
      emitByte(IMPORT_KIND_MEMORY);
      emitLimits(firstMemory());
      break;
    case SECTION_FUNCTION:
      emitFuelFunctions();
      break;
    case SECTION_TABLE:
      emitByte(FUNCREF);
      emitByte(LIMITS_MAX);
      emitU32(1);
      emitU32(1);
      break;
    case SECTION_GLOBAL:
      emitByte(I32);
      emitByte(MUTABLE);
      emitByte(I32_CONST);
      emitI32(policy(POLICY_FIRST_REFILL));
      emitByte(END);
      break;
    case SECTION_EXPORT:
      if (fuel) {
        emitName(FUEL_NAME, FUEL_NAME_LENGTH);
        emitByte(EXPORT_KIND_TABLE);
        emitU32(count(TABLES));
      }
      if (state) emitStateExports();
      if (takesStart()) {
        emitName(START_NAME, START_NAME_LENGTH);
        emitByte(EXPORT_KIND_FUNCTION);
        emitU32(count(START_FUNCTION));
      }
      break;
    case SECTION_CODE:
      emitFuelBodies();
      break;
  }
}

/** [from, end) with the limits inside it replaced. */
function emitWithLimits(from: usize, end: usize): void {
  const last = spacesOf() + <usize>spaceTotal() * SPACE_BYTES;
  for (let space = spacesOf(); space < last; space += SPACE_BYTES) {
    const start: usize = load<u32>(space + SPACE_START);
    if (start < from || start >= end || !changes(space)) continue;
    emitCopy(from, start);
    emitLimits(space);
    from = load<u32>(space + SPACE_END);
  }
  emitCopy(from, end);
}

function hasChangedLimits(start: usize, end: usize): bool {
  const last = spacesOf() + <usize>spaceTotal() * SPACE_BYTES;
  for (let space = spacesOf(); space < last; space += SPACE_BYTES) {
    const at: usize = load<u32>(space + SPACE_START);
    if (at >= start && at < end && changes(space)) return true;
  }
  return false;
}

function emitCode(total: u32): void {
  for (let i: u32 = 0; i < total && !failed(); i++) emitBody(i, scratch);
  emitRoom(ADDED_BYTES);
}

function rewriteSection(id: u32, payload: usize, end: usize): void {
  enter(id, payload, end);
  const entries = readU32();
  const drop: u32 = id == SECTION_MEMORY && moved ? 1 : 0;
  const total = entries + addedTo(id) - drop;
  if (total == 0) return;
  if (!emitRoom(<u64>(end - payload) + <u64>spaceTotal() * LIMITS_BYTES + roomAdded(id))) return;
  sectionBegin(id);
  emitU32(total);
  if (id == SECTION_CODE) emitCode(entries);
  else emitWithLimits(drop != 0 ? <usize>load<u32>(firstMemory() + SPACE_END) : position(), end);
  if (failed()) return;
  if (addedTo(id) != 0) emitAdded(id);
  sectionEnd();
}

/** Sections the module lacks and the guard needs, in their places. */
function emitMissing(from: u32, to: u32): void {
  for (let place = from; place < to; place++) {
    const id = sectionAt(place);
    if (addedTo(id) == 0) continue;
    if (!emitRoom(roomAdded(id))) return;
    sectionBegin(id);
    emitU32(addedTo(id));
    emitAdded(id);
    sectionEnd();
  }
}

function isCodeMetadata(payload: usize, end: usize): bool {
  enter(SECTION_CUSTOM, payload, end);
  const length = readU32();
  return <usize>length >= CODE_METADATA_LENGTH && memory.compare(position(), CODE_METADATA, CODE_METADATA_LENGTH) == 0;
}

export function rewriteModule(header: usize): void {
  fuel = (policy(POLICY_FLAGS) & POLICY_FUEL) != 0 && count(BODIES) != 0;
  const unwinds = (policy(POLICY_FLAGS) & POLICY_STATE_OF_ASYNCIFY) != 0 && count(START_UNWIND) != 0;
  state = (policy(POLICY_FLAGS) & POLICY_STATE) != 0 || unwinds;
  moved = movesMemory();
  clampSpaces();
  if (fuel) scratch = reserveScratch(scanScratch(count(LARGEST_BODY)));
  emitReset((sectionTotal() + ORDER_LENGTH) * 2 + 1);
  if (failed()) return;
  addPiece(header, header + 8);
  let next: u32 = 0;
  for (let i: u32 = 0; i < sectionTotal() && !failed(); i++) {
    const record = sectionsOf() + <usize>i * SECTION_BYTES;
    const id = load<u32>(record + SECTION_ID);
    const start: usize = load<u32>(record + START_OF_SECTION);
    const payload: usize = load<u32>(record + SECTION_PAYLOAD);
    const end: usize = load<u32>(record + SECTION_END);
    if (id == SECTION_CUSTOM) {
      if (!(fuel && isCodeMetadata(payload, end))) addPiece(start, end);
      continue;
    }
    emitMissing(next, placeOf(id));
    next = placeOf(id) + 1;
    if (id == SECTION_START && takesStart()) continue;
    const changed = addedTo(id) != 0 || (id == SECTION_MEMORY && moved) || hasChangedLimits(payload, end);
    if (changed) rewriteSection(id, payload, end);
    else addPiece(start, end);
  }
  emitMissing(next, ORDER_LENGTH);
  enter(NO_SECTION, header, header);
  emitFinish();
}
