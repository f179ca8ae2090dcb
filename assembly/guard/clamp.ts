/**
 * Gives every memory and table a maximum. The sums of the minima are within the policy already (declarations.ts); what
 * is left of the allowance is shared evenly by those that want to grow.
 */
import {
  MEMORY_IMPORTED,
  MEMORY_MOVED,
  MEMORY_PRESENT,
  MEMORY_SHARED,
  POLICY_FLAGS,
  POLICY_IMPORT_MEMORY,
  POLICY_MAX_MEMORY_PAGES,
  POLICY_MAX_TABLE_ELEMENTS,
  RESULT_MEMORY_FLAGS,
  RESULT_MEMORY_MAX,
  RESULT_MEMORY_MIN,
  RESULT_TABLE_MAX,
  RESULT_TABLE_MIN,
} from '../../src/core/abi/guard';
import {
  count,
  IMPORTED_MEMORIES,
  KIND_MEMORY,
  KIND_TABLE,
  MEMORY_PAGES,
  SPACE_BYTES,
  SPACE_CLAMPED,
  SPACE_FLAGS,
  SPACE_IMPORTED,
  SPACE_KIND,
  SPACE_MAX,
  SPACE_MIN,
  spacesOf,
  spaceTotal,
  TABLE_ELEMENTS,
} from './facts';
import { addResult, policy, setResult } from './reader';
import { LIMITS_SHARED } from './types';

function clampKind(kind: u32, spare: u32): void {
  const end = spacesOf() + <usize>spaceTotal() * SPACE_BYTES;
  let growing: u32 = 0;
  for (let space = spacesOf(); space < end; space += SPACE_BYTES) {
    if (load<u32>(space + SPACE_KIND) == kind && load<u32>(space + SPACE_MAX) > load<u32>(space + SPACE_MIN)) growing++;
  }
  const share = growing == 0 ? 0 : spare / growing;
  for (let space = spacesOf(); space < end; space += SPACE_BYTES) {
    if (load<u32>(space + SPACE_KIND) != kind) continue;
    const allowed = load<u32>(space + SPACE_MIN) + share;
    const declared = load<u32>(space + SPACE_MAX);
    store<u32>(space + SPACE_CLAMPED, min<u32>(declared, allowed));
  }
}

/** Whether memory 0 becomes the import "wctr" "memory". */
export function movesMemory(): bool {
  return (policy(POLICY_FLAGS) & POLICY_IMPORT_MEMORY) != 0 && firstMemory() != 0 && count(IMPORTED_MEMORIES) == 0;
}

/** The record of memory 0, or 0. */
export function firstMemory(): usize {
  const end = spacesOf() + <usize>spaceTotal() * SPACE_BYTES;
  for (let space = spacesOf(); space < end; space += SPACE_BYTES) {
    if (load<u32>(space + SPACE_KIND) == KIND_MEMORY) return space;
  }
  return 0;
}

export function clampSpaces(): void {
  clampKind(KIND_TABLE, policy(POLICY_MAX_TABLE_ELEMENTS) - count(TABLE_ELEMENTS));
  clampKind(KIND_MEMORY, policy(POLICY_MAX_MEMORY_PAGES) - count(MEMORY_PAGES));
  const end = spacesOf() + <usize>spaceTotal() * SPACE_BYTES;
  for (let space = spacesOf(); space < end; space += SPACE_BYTES) {
    if (load<u32>(space + SPACE_KIND) != KIND_TABLE) continue;
    addResult(RESULT_TABLE_MIN, load<u32>(space + SPACE_MIN));
    addResult(RESULT_TABLE_MAX, load<u32>(space + SPACE_CLAMPED));
  }
  const first = firstMemory();
  if (first == 0) return;
  let flags: u32 = MEMORY_PRESENT;
  if (load<u32>(first + SPACE_IMPORTED) != 0) flags |= MEMORY_IMPORTED;
  if (load<u32>(first + SPACE_FLAGS) & LIMITS_SHARED) flags |= MEMORY_SHARED;
  if (movesMemory()) flags |= MEMORY_MOVED;
  setResult(RESULT_MEMORY_MIN, load<u32>(first + SPACE_MIN));
  setResult(RESULT_MEMORY_MAX, load<u32>(first + SPACE_CLAMPED));
  setResult(RESULT_MEMORY_FLAGS, flags);
}
