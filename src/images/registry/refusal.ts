/** From a registry's status and error body to the one line a user gets. */
import { type ErrorCode, WctrError } from '../../errors.ts';
import { ERROR_CODES, parseErrorBody } from '../../spec/distribution-spec.ts';
import { quote } from '../quote.ts';

export interface Refused {
  readonly status: number;
  readonly body: Uint8Array;
  /** Host that answered. */
  readonly host: string;
  /** As the user knows it: `hello`, `ghcr.io/owner/name`. */
  readonly repository: string;
  /** What was asked for: `manifest for hello:latest`, `blob sha256:...`. */
  readonly what: string;
  /** Code for "it is not there". */
  readonly missing: ErrorCode;
  /** Why stored credentials could not be used, if that is so. */
  readonly credentialProblem: string | undefined;
  /** Default `pull`. */
  readonly action?: 'pull' | 'push';
}

export function refusalError(refused: Refused): WctrError {
  const { status, host, repository, what } = refused;
  const errors = parseErrorBody(new TextDecoder().decode(refused.body));
  const first = errors[0];
  const data = { status, host, repository, errors: errors.map(({ code }) => code) };
  const unauthorized = errors.some(({ code }) => code === ERROR_CODES.unauthorized || code === ERROR_CODES.denied);
  if (status === 401 || status === 403 || (status === 404 && unauthorized)) return accessDenied(refused, data);
  if (status === 404 && first?.code === ERROR_CODES.nameUnknown) {
    return new WctrError(refused.missing, `repository ${repository} not found on ${host}`, { data });
  }
  if (status === 404) return new WctrError(refused.missing, `${what} not found`, { data });
  const said = first === undefined ? '' : `: ${quote(first.message ?? first.code)}`;
  return new WctrError('registry-error', `${host} answered ${status} for ${what}${said}`, { data });
}

type Denied = Pick<Refused, 'host' | 'repository' | 'action' | 'credentialProblem'>;

/** Docker's words: a registry does not say which of the two it is. */
export function accessDenied(
  { host, repository, action = 'pull', credentialProblem }: Denied,
  data: Record<string, unknown>,
): WctrError {
  const why = action === 'pull' ? 'it does not exist or requires a login' : 'it requires a login, or another one';
  return new WctrError('unauthorized', `${action} access denied for ${repository}: ${why}`, {
    hint: credentialProblem ?? `check the name, or log in: wctr login ${host}`,
    data,
  });
}
