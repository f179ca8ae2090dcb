/**
 * A program's body is as its headers say: what it compressed is not to be compressed once more, which Workers do with a
 * `Content-Encoding` unless they are told.
 */
export function responseInit(status: number, headers: Headers): ResponseInit {
  return { status, headers, ...(headers.has('content-encoding') ? { encodeBody: 'manual' } : {}) };
}
