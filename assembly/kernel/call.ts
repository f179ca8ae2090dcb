/** The end of every call that may have touched names: housekeeping that must not run while a walk holds inodes. */
import { cacheTrim } from './dentry';
import { hostSweep } from './hostfs';
import { leave, S_CACHED, S_HOST_GARBAGE, S_MAX_CACHED, superblock } from './superblock';

export function done(result: i32): i32 {
  const s = superblock();
  if (load<u32>(s, S_HOST_GARBAGE) != 0) hostSweep();
  if (load<u32>(s, S_CACHED) > load<u32>(s, S_MAX_CACHED)) cacheTrim();
  leave();
  return result;
}
