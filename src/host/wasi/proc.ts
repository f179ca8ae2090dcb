/**
 * proc_exit and proc_raise. Both leave the guest by an exception. A guest may catch it (`catch_all`) and go on; the end
 * is noted in the context, so that it stays what ended the process.
 */

import { ERRNO_INVAL, ERRNO_SUCCESS, SIGNALS } from '../../spec/wasi-preview1.ts';
import type { WasiContext } from './context.ts';

/** Unwinds the guest. Private to the host: `start` turns it into a result. */
export class ProcessEnd {
  readonly exitCode: number;
  /** Number of the WASI signal that ended the process, 0 for an exit. */
  readonly signal: number;

  constructor(exitCode: number, signal: number) {
    this.exitCode = exitCode;
    this.signal = signal;
  }
}

/** Signals whose default is to be ignored, or to go on. */
const HARMLESS = new Set(['NONE', 'CHLD', 'CONT', 'URG', 'WINCH']);

/** WASI's order is not Linux'; the exit code of a signalled process is 128 + Linux' number. */
const LINUX_SIGNAL: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  POLL: 29,
  PWR: 30,
  SYS: 31,
};

export function proc(context: WasiContext) {
  function end(exitCode: number, signal: number): never {
    context.ended ??= new ProcessEnd(exitCode, signal);
    throw context.ended;
  }
  return {
    proc_exit(code: number): never {
      return end(code >>> 0, 0);
    },
    proc_raise(signal: number): number {
      const number = signal & 0xff;
      const name = SIGNALS[number];
      if (name === undefined) return ERRNO_INVAL;
      if (HARMLESS.has(name)) return ERRNO_SUCCESS;
      return end(128 + LINUX_SIGNAL[name]!, number);
    },
  };
}
