/**
 * Why a fetch failed, read from what the hosts attach to their errors: Node a `cause` with an errno code (or several,
 * one per address tried), Deno and Bun a text, browsers nothing.
 */

export interface NetworkFailure {
  /** For people, without a full stop: "connection refused". */
  readonly reason: string;
  /** Worth trying again in a moment. */
  readonly transient: boolean;
  /** The TLS certificate was not accepted: asking over http instead would hide that. */
  readonly certificate: boolean;
  /** What the user can do about it. */
  readonly hint: string | undefined;
}

interface Row {
  readonly codes: RegExp;
  /** For hosts that only give a text. */
  readonly text: RegExp;
  readonly reason: string;
  readonly transient?: true;
  readonly certificate?: true;
  /** The host's code tells more than `reason`. */
  readonly showsCode?: true;
  readonly hint?: string;
}

const ROWS: readonly Row[] = [
  {
    codes: /^(ECONNREFUSED|ConnectionRefused)$/,
    text: /connection refused/i,
    reason: 'connection refused',
  },
  { codes: /^ENOTFOUND$/, text: /failed to lookup address|getaddrinfo|dns error/i, reason: 'no such host' },
  {
    codes: /^EAI_AGAIN$/,
    text: /temporary failure in name/i,
    reason: 'the name server does not answer',
    transient: true,
  },
  {
    codes: /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|CERT_|ERR_TLS_CERT_)/,
    text: /certificate|UnknownIssuer/i,
    reason: 'its TLS certificate is not trusted',
    certificate: true,
    showsCode: true,
    hint: 'make its CA known to the runtime (Node: NODE_EXTRA_CA_CERTS); certificates are always checked',
  },
  {
    codes: /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/,
    text: /wrong version number|InvalidContentType|corrupt message/i,
    reason: 'it does not speak TLS',
    hint: 'to use plain http with it, list it under insecure-registries in registries.json',
  },
  { codes: /^(ERR_SSL_|EPROTO)/, text: /handshake/i, reason: 'the TLS handshake failed', showsCode: true },
  {
    codes: /^$/,
    text: /bad port|port \d+ are blocked/i,
    reason: 'its port is one that fetch does not connect to',
  },
  {
    codes: /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/,
    text: /timed out/i,
    reason: 'timed out',
    transient: true,
  },
  { codes: /^(EHOSTUNREACH|ENETUNREACH)$/, text: /unreachable/i, reason: 'no route to host' },
  {
    codes: /^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET|ConnectionReset|ConnectionClosed)$/,
    text: /connection (reset|closed|error)|terminated|other side closed|error reading a body/i,
    reason: 'connection reset',
    transient: true,
  },
  { codes: /^HPE_/, text: /invalid http/i, reason: 'it does not speak HTTP' },
];

export function describeNetworkError(error: unknown): NetworkFailure {
  const { codes, texts } = collect(error);
  const row =
    ROWS.find((candidate) => codes.some((code) => candidate.codes.test(code))) ??
    ROWS.find((candidate) => texts.some((text) => candidate.text.test(text)));
  // The innermost text: Node's outermost one is "fetch failed", whatever happened.
  if (row === undefined) {
    return { reason: texts.at(-1) ?? 'network error', transient: true, certificate: false, hint: undefined };
  }
  const code = row.showsCode ? codes.find((candidate) => row.codes.test(candidate)) : undefined;
  return {
    reason: code === undefined ? row.reason : `${row.reason} (${code})`,
    transient: row.transient ?? false,
    certificate: row.certificate ?? false,
    hint: row.hint,
  };
}

function collect(error: unknown): { codes: string[]; texts: string[] } {
  const codes: string[] = [];
  const texts: string[] = [];
  let level: unknown[] = [error];
  // Deep enough for TypeError > AggregateError > errno, and finite for a cause that is its own cause.
  for (let depth = 0; depth < 4 && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      const { code, message, cause, errors } = item as {
        code?: unknown;
        message?: unknown;
        cause?: unknown;
        errors?: unknown;
      };
      if (typeof code === 'string') codes.push(code);
      if (typeof message === 'string' && message !== '') texts.push(message);
      next.push(cause, ...(Array.isArray(errors) ? errors : []));
    }
    level = next;
  }
  return { codes, texts };
}
