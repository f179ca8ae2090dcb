/** Who may do what. */
import type { RegistryRequest, Reply } from '../http.ts';

export type Action = 'pull' | 'push' | 'delete';

export interface Access {
  /** Undefined: nobody has said who they are. */
  readonly user: string | undefined;
  may(repository: string, action: Action): boolean;
}

export interface Authenticator {
  /** Undefined: what was shown to prove it is wrong. */
  identify(request: RegistryRequest): Promise<Access | undefined>;
  /** WWW-Authenticate of a 401; `scope`: what the request would need. */
  challenge(request: RegistryRequest, scope: string | undefined, isTokenShown: boolean): string;
  /** Answers the requests of an endpoint of its own. Undefined: this is none of them. */
  endpoint?(request: RegistryRequest): Promise<Reply> | undefined;
}

/** No logins: whoever reaches the registry may do everything. */
export const OPEN_TO_ALL: Access = { user: undefined, may: () => true };

/** What skopeo and podman send where they have no login: an empty name with an empty password. */
export function isNobody({ user, password }: { user: string; password: string }): boolean {
  return user === '' && password === '';
}

/** Of the RFC 7617 header. Undefined for another scheme or what is malformed. */
export function basicCredentials(header: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=_-]{1,2048})$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder().decode(Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
