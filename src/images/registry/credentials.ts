/** What a registry or its token server can be shown. At most one kind is set. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string;
  /** OAuth2 refresh token, swapped at the token server for a bearer token. */
  readonly identityToken?: string;
  /** Bearer token for the registry as it is. */
  readonly registryToken?: string;
}

/** Credentials for a registry host (`registry-1.docker.io`, `host:port`); undefined means anonymous. */
export type CredentialSource = (host: string) => Promise<Credentials | undefined>;

/** `Basic` of RFC 7617, in UTF-8. */
export function basicAuthorization(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
