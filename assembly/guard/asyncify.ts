/**
 * Whether a module's stack can be taken down from outside, in any call of an import: built with Binaryen's Asyncify, with
 * every caller of an import prepared for it, and no use of Asyncify by the module itself, which would take the host's
 * unwinding for its own.
 *
 * Asyncify keeps its state in a global, which `asyncify_get_state` returns; a function that it prepared looks at that
 * global after each call.
 */
import {
  ASYNCIFY_FREE,
  ASYNCIFY_NO_IMPORTS,
  ASYNCIFY_NONE,
  ASYNCIFY_USED,
  RESULT_ASYNCIFY,
} from '../../src/core/abi/guard';
import { readLocals } from './contents';
import {
  BODIES,
  CODE_AT,
  CODE_END,
  count,
  FUNCTIONS,
  GET_STATE,
  GLOBALS,
  IMPORTED_FUNCTIONS,
  LARGEST_BODY,
  START_REWIND,
  START_UNWIND,
  STOP_REWIND,
  STOP_UNWIND,
  setCount,
  TABLES,
} from './facts';
import { SECTION_CODE } from './module';
import { enter, failed, position, readByte, readU32, reserveScratch, setResult, skip } from './reader';
import {
  scanBody,
  scanScratch,
  scanUnwatch,
  scanWatch,
  scanWatched,
  WATCHED_FUNCTION,
  WATCHED_GLOBAL,
  WATCHED_IMPORT,
  WATCHED_SET,
} from './scan';

// "asyncify_", "start_unwind", "start_rewind", "stop_unwind", "stop_rewind", "get_state"
const PREFIX = memory.data<u8>([0x61, 0x73, 0x79, 0x6e, 0x63, 0x69, 0x66, 0x79, 0x5f]);
const PREFIX_LENGTH: u32 = 9;
const NAME_START_UNWIND = memory.data<u8>([0x73, 0x74, 0x61, 0x72, 0x74, 0x5f, 0x75, 0x6e, 0x77, 0x69, 0x6e, 0x64]);
const NAME_START_REWIND = memory.data<u8>([0x73, 0x74, 0x61, 0x72, 0x74, 0x5f, 0x72, 0x65, 0x77, 0x69, 0x6e, 0x64]);
const NAME_STOP_UNWIND = memory.data<u8>([0x73, 0x74, 0x6f, 0x70, 0x5f, 0x75, 0x6e, 0x77, 0x69, 0x6e, 0x64]);
const NAME_STOP_REWIND = memory.data<u8>([0x73, 0x74, 0x6f, 0x70, 0x5f, 0x72, 0x65, 0x77, 0x69, 0x6e, 0x64]);
const NAME_GET_STATE = memory.data<u8>([0x67, 0x65, 0x74, 0x5f, 0x73, 0x74, 0x61, 0x74, 0x65]);

const GLOBAL_GET: u32 = 0x23;
const END: u32 = 0x0b;
const NONE: u32 = 0xffffffff;

/** Of the export section. */
export function noteAsyncify(name: usize, length: u32, index: u32): void {
  if (length <= PREFIX_LENGTH || memory.compare(name, PREFIX, PREFIX_LENGTH) != 0) return;
  noteNamed(name, length, NAME_START_UNWIND, 12, START_UNWIND, index);
  noteNamed(name, length, NAME_START_REWIND, 12, START_REWIND, index);
  noteNamed(name, length, NAME_STOP_UNWIND, 11, STOP_UNWIND, index);
  noteNamed(name, length, NAME_STOP_REWIND, 11, STOP_REWIND, index);
  noteNamed(name, length, NAME_GET_STATE, 9, GET_STATE, index);
}

function noteNamed(name: usize, length: u32, wanted: usize, wantedLength: u32, slot: usize, index: u32): void {
  if (length - PREFIX_LENGTH != wantedLength) return;
  if (memory.compare(name + PREFIX_LENGTH, wanted, wantedLength) == 0) setCount(slot, index + 1);
}

/** The pass' own function, which sets its state. */
function isControl(func: u32): bool {
  const named = func + 1;
  return (
    named == count(START_UNWIND) ||
    named == count(START_REWIND) ||
    named == count(STOP_UNWIND) ||
    named == count(STOP_REWIND)
  );
}

/** Positions the cursor at the first body. */
function enterCode(): void {
  const start: usize = count(CODE_AT);
  enter(SECTION_CODE, start, count(CODE_END));
  readU32();
}

/** The global that asyncify_get_state returns and does nothing else; NONE when it is not that simple. */
function stateGlobal(): u32 {
  const wanted = count(GET_STATE) - 1;
  if (count(GET_STATE) == 0 || wanted < count(IMPORTED_FUNCTIONS)) return NONE;
  enterCode();
  const defined = wanted - count(IMPORTED_FUNCTIONS);
  for (let i: u32 = 0; i < defined && !failed(); i++) skip(readU32());
  readU32();
  if (readU32() != 0 || readByte() != GLOBAL_GET) return NONE;
  const global = readU32();
  return readByte() == END && !failed() ? global : NONE;
}

/** After the module was read. */
export function judgeAsyncify(): void {
  setResult(RESULT_ASYNCIFY, ASYNCIFY_NONE);
  if (count(START_UNWIND) == 0 || count(START_REWIND) == 0 || count(STOP_UNWIND) == 0) return;
  if (count(STOP_REWIND) == 0 || count(BODIES) == 0) return;
  const global = stateGlobal();
  if (failed() || global == NONE) return;
  const scratch = reserveScratch(scanScratch(count(LARGEST_BODY)));
  if (failed()) return;
  scanWatch(count(IMPORTED_FUNCTIONS), global, count(START_UNWIND) - 1, count(START_REWIND) - 1);
  enterCode();
  let verdict: u32 = ASYNCIFY_FREE;
  const total = count(BODIES);
  for (let i: u32 = 0; i < total && !failed() && verdict == ASYNCIFY_FREE; i++) {
    const size = readU32();
    const body = position();
    const locals = readLocals(i);
    const code = position();
    if (failed()) break;
    scanBody(code, body + size, scratch, locals, count(GLOBALS), count(FUNCTIONS), count(TABLES));
    const seen = scanWatched();
    const sets = (seen & WATCHED_SET) != 0 && !isControl(count(IMPORTED_FUNCTIONS) + i);
    if (seen & WATCHED_FUNCTION || sets) verdict = ASYNCIFY_USED;
    else if (seen & WATCHED_IMPORT && !(seen & WATCHED_GLOBAL)) verdict = ASYNCIFY_NO_IMPORTS;
    if (!failed()) skip(<u32>(body + size - code));
  }
  scanUnwatch();
  if (!failed()) setResult(RESULT_ASYNCIFY, verdict);
}
