/**
 * Every error wctr throws on purpose. `code` is for programs, `message` one line for people: what is wrong and with
 * which object; `hint` says what to do. Never match on messages.
 */
export class WctrError extends Error {
  override readonly name = 'WctrError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: WctrErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.data = options.data ?? {};
  }
}

export interface WctrErrorOptions {
  /** What the user can do about it, one line. */
  hint?: string;
  /** Facts for programs: digest, reference, path, limit ... */
  data?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * One row per code: the HTTP status the daemon and registry answer with, the exit code of the CLI, and the Linux errno
 * name where a guest sees it. Exit codes are docker's: 125 wctr itself failed, 126 the entrypoint cannot be run,
 * 127 the entrypoint is not there.
 */
export const ERROR_TABLE = {
  'invalid-argument': { http: 400, exit: 125, errno: 'EINVAL' },
  'invalid-reference': { http: 400, exit: 125, errno: 'EINVAL' },
  'invalid-dockerfile': { http: 400, exit: 1, errno: 'EINVAL' },
  'build-failed': { http: 500, exit: 1, errno: 'EIO' },
  'not-found': { http: 404, exit: 125, errno: 'ENOENT' },
  'no-such-image': { http: 404, exit: 125, errno: 'ENOENT' },
  'no-such-container': { http: 404, exit: 125, errno: 'ENOENT' },
  conflict: { http: 409, exit: 125, errno: 'EEXIST' },
  'in-use': { http: 409, exit: 125, errno: 'EBUSY' },
  unauthorized: { http: 401, exit: 125, errno: 'EACCES' },
  forbidden: { http: 403, exit: 125, errno: 'EPERM' },
  'too-many-requests': { http: 429, exit: 125, errno: 'EAGAIN' },
  'registry-unreachable': { http: 502, exit: 125, errno: 'EHOSTUNREACH' },
  'daemon-unreachable': { http: 502, exit: 125, errno: 'EHOSTUNREACH' },
  'registry-error': { http: 502, exit: 125, errno: 'EIO' },
  'digest-mismatch': { http: 500, exit: 125, errno: 'EIO' },
  'size-mismatch': { http: 500, exit: 125, errno: 'EIO' },
  'invalid-manifest': { http: 400, exit: 125, errno: 'EINVAL' },
  'unsupported-media-type': { http: 415, exit: 125, errno: 'ENOTSUP' },
  'no-matching-platform': { http: 404, exit: 125, errno: 'ENOEXEC' },
  'invalid-layer': { http: 400, exit: 125, errno: 'EIO' },
  'limit-exceeded': { http: 413, exit: 125, errno: 'EFBIG' },
  'invalid-module': { http: 400, exit: 126, errno: 'ENOEXEC' },
  'module-denied': { http: 403, exit: 126, errno: 'EACCES' },
  'exec-format': { http: 400, exit: 126, errno: 'ENOEXEC' },
  'entrypoint-not-found': { http: 400, exit: 127, errno: 'ENOENT' },
  'entrypoint-denied': { http: 400, exit: 126, errno: 'EACCES' },
  unsupported: { http: 501, exit: 125, errno: 'ENOSYS' },
  'store-corrupt': { http: 500, exit: 125, errno: 'EIO' },
  'store-read-only': { http: 500, exit: 125, errno: 'EROFS' },
  'no-space': { http: 507, exit: 125, errno: 'ENOSPC' },
  'no-memory': { http: 507, exit: 137, errno: 'ENOMEM' },
  timeout: { http: 504, exit: 125, errno: 'ETIMEDOUT' },
  cancelled: { http: 499, exit: 130, errno: 'EINTR' },
  'sandbox-failed': { http: 500, exit: 125, errno: 'EIO' },
  internal: { http: 500, exit: 125, errno: 'EIO' },
} as const satisfies Record<string, { http: number; exit: number; errno: string }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** The place in a file that an error is about, for people: `Dockerfile:3` and some lines with a mark; mostly there is none. */
export function frameOf({ data }: WctrError): string | undefined {
  const { frame, file, line } = data;
  if (typeof frame !== 'string') return undefined;
  return typeof file === 'string' && typeof line === 'number' ? `${file}:${line}\n${frame}` : frame;
}

/** True for a WctrError of this code, also one that crossed a module or realm boundary. */
export function isWctrError(error: unknown, code?: ErrorCode): error is WctrError {
  const named = error as { name?: unknown; code?: unknown } | null;
  return named?.name === 'WctrError' && (code === undefined || named.code === code);
}
