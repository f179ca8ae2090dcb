/** What the engine does with processes that are not its own: signals, and what the system says of them. */
import { readFileSync } from 'node:fs';
import { WctrError } from '../../errors.ts';
import { builtin } from './builtin.ts';

/** Throws 'conflict' when it is gone, 'unsupported' where the system has no such signal. */
export function signalProcess(pid: number, signal: string): void {
  if (process.platform === 'win32' && (signal === 'SIGSTOP' || signal === 'SIGCONT')) {
    throw new WctrError('unsupported', 'Windows cannot hold a process');
  }
  try {
    process.kill(pid, /^\d+$/.test(signal) ? Number(signal) : (signal as NodeJS.Signals));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ESRCH') throw new WctrError('conflict', `process ${pid} is gone`, { cause });
    if (code === 'EPERM') throw new WctrError('forbidden', `process ${pid} is another user's`, { cause });
    throw cause;
  }
}

/** Of /proc/<pid>/stat and /proc/stat: USER_HZ is 100 on every architecture Linux' user space has. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** Undefined when the process is gone, and where there is no /proc. */
export function processUsage(pid: number) {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const io = read(`/proc/${pid}/io`) ?? '';
  const bytes = (name: string) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0);
  return {
    userMs: Number(fields[11]) * TICK_MS,
    systemMs: Number(fields[12]) * TICK_MS,
    memoryBytes: Number(fields[21]) * PAGE_BYTES,
    readBytes: bytes('read_bytes'),
    writtenBytes: bytes('write_bytes'),
    hostCpuMs: builtin.os
      .cpus()
      .reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.idle + times.irq, 0),
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
