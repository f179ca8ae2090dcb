/** Which functions the host granted: `module` `name` pairs, or every name of a module. Deny by default. */
import { BLOCK_GRANTS_LENGTH, BLOCK_GRANTS_PTR, GRANT_ANY_NAME, POLICY_GRANT_COUNT } from '../../src/core/abi/guard';
import { policy } from './reader';

const HEADER: usize = 4;

export function isGranted(moduleAt: usize, moduleLength: u32, nameAt: usize, nameLength: u32): bool {
  const total = policy(POLICY_GRANT_COUNT);
  let at: usize = policy(BLOCK_GRANTS_PTR);
  const end = at + policy(BLOCK_GRANTS_LENGTH);
  for (let i: u32 = 0; i < total && at + HEADER <= end; i++) {
    const grantModule: u32 = load<u16>(at);
    const grantName: u32 = load<u16>(at + 2);
    const any = grantName == GRANT_ANY_NAME;
    at += HEADER;
    if (
      grantModule == moduleLength &&
      memory.compare(at, moduleAt, moduleLength) == 0 &&
      (any || (grantName == nameLength && memory.compare(at + grantModule, nameAt, nameLength) == 0))
    ) {
      return true;
    }
    at += grantModule + (any ? 0 : grantName);
  }
  return false;
}
