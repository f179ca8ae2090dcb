/** What the disk answers, in words: full, read-only, or broken. One line each, with what was being done. */
import { WctrError } from '../../errors.ts';

/**
 * Wraps an error of the FileSystem port. `doing` completes "cannot …": `store blob sha256:…`. WctrErrors pass as they
 * are; errors with no meaning of their own become `internal`.
 */
export function diskError(error: unknown, doing: string, root: string): WctrError {
  if (error instanceof WctrError) return error;
  const code = errorCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'QuotaExceededError') {
    return new WctrError('no-space', `cannot ${doing}: no space left in ${root}`, {
      hint: 'free some space, for example with wctr image prune, and try again',
      cause: error,
    });
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    const why = code === 'EROFS' ? 'a read-only file system' : 'not writable by this user';
    return new WctrError('store-read-only', `cannot ${doing}: ${root} is ${why}`, {
      hint: 'use another store with WCTR_DATA_ROOT, or make this one writable',
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new WctrError('internal', `cannot ${doing}: ${message}`, { cause: error });
}

/** Errors of the FileSystem port carry an errno; an origin's own errors must reach the caller as they are. */
export function isSystemError(error: unknown): boolean {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return (
    !(error instanceof WctrError) &&
    ((typeof code === 'string' && /^E[A-Z]+$/.test(code)) || name === 'QuotaExceededError')
  );
}

export function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function errorCode(error: unknown): string | undefined {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  // a browser's quota error is a DOMException: its code is a number, its name tells
  return typeof code === 'string' ? code : typeof name === 'string' ? name : undefined;
}
