/** What a process uses, from Linux' /proc; undefined elsewhere or when it is gone. */
import { readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;
/** USER_HZ: fixed at 100 on every architecture Node runs on. */
const MS_PER_TICK = 10;

export function residentBytes(pid: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return undefined;
  }
}

export function cpuMs(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return undefined;
  }
}
