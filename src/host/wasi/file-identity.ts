/** Tells what a file holds from anything else, in one container, by the stat that a task has just made. */
import {
  STAT_CTIME,
  STAT_DEV,
  STAT_FLAGS,
  STAT_INO,
  STAT_ON_HOST,
  STAT_SIZE,
  TASK_STAT,
} from '../../core/abi/kernel.ts';

/** Undefined for a file of the host's: its clock may stand still while it changes. */
export function fileIdentity(u32: Uint32Array, task: number): string | undefined {
  const word = (field: number) => u32[(task + TASK_STAT + field) >>> 2]!;
  if ((word(STAT_FLAGS) & STAT_ON_HOST) !== 0) return undefined;
  return [STAT_DEV, STAT_INO, STAT_SIZE, STAT_CTIME].map((field) => `${word(field)}.${word(field + 4)}`).join();
}
