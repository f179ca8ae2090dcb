/**
 * What a container's exit code says. Docker's users read 128 + n as "died of signal n", so a trap ends as the native
 * program would have: an abort, a segmentation fault, an arithmetic error.
 */
import { ERROR_TABLE, isWctrError } from '../../errors.ts';
import type { SandboxExit, Signal } from '../sandbox.ts';
import { signalNumber } from './signals.ts';

/** As coreutils' timeout(1). */
export const EXIT_TIMED_OUT = 124;
export const EXIT_OUT_OF_MEMORY = 137;

export function signalExit(name: string): SandboxExit {
  return { exitCode: 128 + signalNumber(name), signal: name as Signal, oomKilled: false };
}

/** How the guest's thread came back from the guest. */
export interface GuestEnd {
  /** What was thrown through the guest. */
  readonly error: unknown;
  /** True when the guest's memory stood at its limit: growing it had failed or was about to. */
  readonly atMemoryLimit: boolean;
}

/** Bytes short of the limit that still count as at it: what an allocator asks for at once. */
const GROWTH_STEP_BYTES = 1024 * 1024;

export function isAtLimit(usedBytes: number, limitBytes: number | undefined): boolean {
  return limitBytes !== undefined && usedBytes + Math.max(GROWTH_STEP_BYTES, limitBytes / 8) >= limitBytes;
}

/** The end of a guest that did not exit by itself. */
export function abnormalExit({ error, atMemoryLimit }: GuestEnd): SandboxExit {
  if (isWctrError(error)) return failedStart(error);
  const text = (error as { message?: string } | null)?.message ?? String(error);
  const where = trappedFunction(error);
  const at = where === undefined ? '' : ` in ${where}`;
  if (isStackOverflow(error)) {
    return { exitCode: 128 + signalNumber('SIGSEGV'), oomKilled: false, reason: `stack overflow${at}` };
  }
  if (isTrap(error)) {
    if (atMemoryLimit) {
      return { exitCode: EXIT_OUT_OF_MEMORY, oomKilled: true, reason: `out of memory: ${text}${at}` };
    }
    return { exitCode: 128 + trapSignal(text), oomKilled: false, reason: `trap: ${text}${at}` };
  }
  if (isOutOfHostMemory(error)) {
    return { exitCode: EXIT_OUT_OF_MEMORY, oomKilled: true, reason: `out of memory: ${text}` };
  }
  return { exitCode: 125, oomKilled: false, reason: text, errorCode: 'sandbox-failed' };
}

/** Any WctrError before the guest's first instruction. */
export function failedStart(error: unknown): SandboxExit {
  const { code, hint } = isWctrError(error) ? error : { code: 'internal' as const, hint: undefined };
  const message = (error as { message?: string } | null)?.message ?? String(error);
  return {
    exitCode: ERROR_TABLE[code].exit,
    oomKilled: code === 'no-memory',
    reason: message,
    errorCode: code,
    ...(hint === undefined ? {} : { hint }),
  };
}

function isTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError || nameOf(error) === 'RuntimeError';
}

/** V8 and JavaScriptCore throw a RangeError, Firefox an InternalError. */
function isStackOverflow(error: unknown): boolean {
  const text = (error as { message?: string } | null)?.message ?? '';
  return (nameOf(error) === 'RangeError' || nameOf(error) === 'InternalError') && /call stack|recursion/i.test(text);
}

function isOutOfHostMemory(error: unknown): boolean {
  const text = (error as { message?: string } | null)?.message ?? '';
  return nameOf(error) === 'RangeError' && /memory|allocat|Invalid (typed )?array|buffer/i.test(text);
}

function nameOf(error: unknown): string {
  return (error as { name?: string } | null)?.name ?? '';
}

/** The engines word their traps differently; no code stands behind them. */
function trapSignal(text: string): number {
  if (/divi|remainder by zero|overflow|unrepresentable|out of range of integer/i.test(text))
    return signalNumber('SIGFPE');
  if (/memory access out of bounds|out of bounds memory|index out of bounds.*memory/i.test(text))
    return signalNumber('SIGSEGV');
  return signalNumber('SIGABRT');
}

/** The innermost Wasm function of the stack, by its name in the module or its index. */
function trappedFunction(error: unknown): string | undefined {
  const stack = (error as { stack?: string } | null)?.stack ?? '';
  const named = /^\s*at (?:async )?(\S+) \(wasm:\/\/[^)]*wasm-function\[(\d+)\]/m.exec(stack);
  if (named !== null) return printable(named[1]!.replace(/^.*\.wasm\./, ''));
  const numbered = /wasm-function\[(\d+)\]/.exec(stack);
  return numbered === null ? undefined : `function ${numbered[1]}`;
}

/** Names come from the guest's module and end on the user's terminal. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, '?').slice(0, 120);
}
