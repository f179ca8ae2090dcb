/** Answers that are no success, in the words of distribution-spec 1.1, "Error codes". */
import { ERROR_TABLE, isWctrError } from '../errors.ts';
import { ERROR_CODES } from '../spec/distribution-spec.ts';
import { jsonReply, type Reply } from './http.ts';

type Code = keyof typeof ERROR_CODES;

/** The status that goes with a code unless the place knows better. */
const STATUS: Readonly<Record<Code, number>> = {
  blobUnknown: 404,
  blobUploadInvalid: 400,
  blobUploadUnknown: 404,
  digestInvalid: 400,
  manifestBlobUnknown: 404,
  manifestInvalid: 400,
  manifestUnknown: 404,
  nameInvalid: 400,
  nameUnknown: 404,
  sizeInvalid: 400,
  unauthorized: 401,
  denied: 403,
  unsupported: 405,
  tooManyRequests: 429,
};

interface RefusalOptions {
  readonly status?: number;
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by routes to end a request: an answer rather than a failure, so no WctrError. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reply: Reply;

  constructor(code: Code, message: string, options: RefusalOptions = {}) {
    super(message);
    const error = {
      code: ERROR_CODES[code],
      message,
      ...(options.detail === undefined ? {} : { detail: options.detail }),
    };
    this.reply = jsonReply(options.status ?? STATUS[code], { errors: [error] }, options.headers);
  }
}

/** What the client is told of an error nobody made an answer of; `undefined` where it is one of ours to look at. */
export function replyFor(error: unknown): { reply: Reply; isInternal: boolean } {
  if (error instanceof Refusal) return { reply: error.reply, isInternal: false };
  if (isWctrError(error)) {
    const status = ERROR_TABLE[error.code].http;
    const code =
      status === 401 ? 'UNAUTHORIZED' : status === 403 ? 'DENIED' : status === 429 ? 'TOOMANYREQUESTS' : 'UNKNOWN';
    const body = { errors: [{ code, message: error.message }] };
    // 499 is nobody's status; a cancelled transfer has no one to hear of it.
    return { reply: jsonReply(status === 499 ? 503 : status, body), isInternal: status >= 500 };
  }
  return {
    reply: jsonReply(500, { errors: [{ code: 'UNKNOWN', message: 'the registry failed; its log says why' }] }),
    isInternal: true,
  };
}
