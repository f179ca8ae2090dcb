/** The guard's ABI: see src/core/abi/guard.ts for the block both sides share. */
import {
  BLOCK_GRANTS_LENGTH,
  BLOCK_GRANTS_PTR,
  BLOCK_INPUT_LENGTH,
  BLOCK_INPUT_PTR,
  GUARD_BLOCK_BYTES,
  POLICY_ASYNCIFY,
  POLICY_FLAGS,
} from '../../src/core/abi/guard';
import { judgeAsyncify } from './asyncify';
import { factsReset } from './facts';
import { heapAlloc, heapReset, heapTake } from './heap';
import { readModule } from './module';
import { failed, policy, readerReset, statusOf } from './reader';
import { rewriteModule } from './rewrite';
import { SCAN_SLACK } from './scan';

/**
 * Lays out a block with room for the module and the grants; gives its address, 0 when memory is exhausted. The caller
 * fills in the policy and copies the bytes to the addresses it finds in the block.
 */
export function guardBegin(inputLength: u32, grantsLength: u32): usize {
  heapReset();
  const block = heapAlloc(GUARD_BLOCK_BYTES);
  const grants = heapTake(grantsLength);
  const input = heapTake(<u64>inputLength + SCAN_SLACK);
  if (block == 0 || grants == 0 || input == 0) return 0;
  store<u32>(block + BLOCK_INPUT_PTR, <u32>input);
  store<u32>(block + BLOCK_INPUT_LENGTH, inputLength);
  store<u32>(block + BLOCK_GRANTS_PTR, <u32>grants);
  store<u32>(block + BLOCK_GRANTS_LENGTH, grantsLength);
  return block;
}

/** Checks the module in the block and lays out its rewritten form. Gives OK or a status (abi/status.ts). */
export function guardRun(block: usize): i32 {
  const input: usize = load<u32>(block + BLOCK_INPUT_PTR);
  readerReset(block, input, load<u32>(block + BLOCK_INPUT_LENGTH));
  factsReset();
  if (!failed()) readModule();
  if (!failed() && (policy(POLICY_FLAGS) & POLICY_ASYNCIFY) != 0) judgeAsyncify();
  if (!failed()) rewriteModule(input);
  return statusOf();
}
