/** Value types, limits and constant expressions (core specification 3.0, 5.3 and 5.4.9). */
import {
  DETAIL_CONST_EXPR,
  DETAIL_GC,
  DETAIL_INDEX,
  DETAIL_LIMITS,
  DETAIL_MEMORY64,
  DETAIL_PAGE_SIZE,
  DETAIL_TAGS,
  DETAIL_VALUE_TYPE,
  POLICY_ALLOW_TAGS,
  POLICY_FLAGS,
} from '../../src/core/abi/guard';
import { E_CORRUPT, E_DENIED, E_UNSUPPORTED } from '../../src/core/abi/status';
import { fail, failed, peekByte, policy, readByte, readU32, skip, skipLeb } from './reader';

const FUNCREF: u32 = 0x70;
const EXTERNREF: u32 = 0x6f;
export const EXNREF: u32 = 0x69;
const REF: u32 = 0x64;
const REF_NULL: u32 = 0x63;

export const LIMITS_MAX: u32 = 1;
export const LIMITS_SHARED: u32 = 2;
const LIMITS_64: u32 = 4;

let limitsFlags: u32 = 0;
let limitsMin: u32 = 0;
let limitsMax: u32 = 0;

/** anyref, eqref, i31ref, structref, arrayref and the bottom types: garbage-collected values have no bound. */
function isGcType(byte: u32): bool {
  return (byte >= 0x6a && byte <= 0x6e) || (byte >= 0x71 && byte <= 0x74);
}

function exnAllowed(): void {
  if (!(policy(POLICY_FLAGS) & POLICY_ALLOW_TAGS)) fail(E_DENIED, DETAIL_TAGS);
}

/** Reads a heap type; gives its byte, or 0 for a type index. */
function readHeapType(): u32 {
  const byte = peekByte();
  if (byte < 0x40 || byte >= 0x80) {
    skipLeb(5);
    return 0;
  }
  readByte();
  if (byte == EXNREF) exnAllowed();
  else if (isGcType(byte)) fail(E_UNSUPPORTED, DETAIL_GC, byte);
  else if (byte != FUNCREF && byte != EXTERNREF) fail(E_CORRUPT, DETAIL_VALUE_TYPE, byte);
  return byte;
}

/** Reads a reference type; gives its heap type's byte, or 0 for a type index. */
export function readRefType(): u32 {
  const byte = peekByte();
  if (byte == REF || byte == REF_NULL) {
    readByte();
    return readHeapType();
  }
  if (byte < 0x40 || byte >= 0x80) {
    fail(E_CORRUPT, DETAIL_VALUE_TYPE, byte);
    return 0;
  }
  return readHeapType();
}

export function readValueType(): void {
  const byte = peekByte();
  // i32, i64, f32, f64, v128
  if (byte >= 0x7b && byte <= 0x7f) readByte();
  else readRefType();
}

/** Reads limits: see limitsFlagsOf, limitsMinOf, limitsMaxOf. 64-bit and custom page sizes are refused. */
export function readLimits(): void {
  limitsFlags = readByte();
  if (limitsFlags > 7) fail(E_UNSUPPORTED, DETAIL_PAGE_SIZE, limitsFlags);
  else if (limitsFlags & LIMITS_64) fail(E_UNSUPPORTED, DETAIL_MEMORY64, limitsFlags);
  else if (limitsFlags == LIMITS_SHARED) fail(E_CORRUPT, DETAIL_LIMITS, limitsFlags);
  limitsMin = readU32();
  limitsMax = limitsFlags & LIMITS_MAX ? readU32() : 0xffffffff;
  if (limitsMax < limitsMin) fail(E_CORRUPT, DETAIL_LIMITS, limitsMin, limitsMax);
}

export function limitsFlagsOf(): u32 {
  return limitsFlags;
}

export function limitsMinOf(): u32 {
  return limitsMin;
}

export function limitsMaxOf(): u32 {
  return limitsMax;
}

/** Reads an index below `count`. The guard appends items of its own: a guest that names one would be valid. */
export function readIndex(count: u32): u32 {
  const index = readU32();
  if (index >= count) fail(E_CORRUPT, DETAIL_INDEX, index, count);
  return index;
}

/** Steps over a constant expression, up to and with its `end`. */
export function skipConstExpr(globals: u32, functions: u32): void {
  while (!failed()) {
    const opcode = readByte();
    switch (opcode) {
      case 0x0b:
        return;
      case 0x41:
        skipLeb(5);
        break;
      case 0x42:
        skipLeb(10);
        break;
      case 0x43:
        skip(4);
        break;
      case 0x44:
        skip(8);
        break;
      case 0x23:
        readIndex(globals);
        break;
      case 0xd0:
        readHeapType();
        break;
      case 0xd2:
        readIndex(functions);
        break;
      // i32 and i64 add, sub, mul
      case 0x6a:
      case 0x6b:
      case 0x6c:
      case 0x7c:
      case 0x7d:
      case 0x7e:
        break;
      case 0xfd:
        // v128.const
        if (readU32() != 12) fail(E_CORRUPT, DETAIL_CONST_EXPR, opcode);
        skip(16);
        break;
      case 0xfb:
        fail(E_UNSUPPORTED, DETAIL_GC, opcode);
        break;
      default:
        fail(E_CORRUPT, DETAIL_CONST_EXPR, opcode);
    }
  }
}
