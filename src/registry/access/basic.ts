/** Logins by name and password with every request (RFC 7617). */
import { type Access, type Authenticator, basicCredentials, isNobody } from './access.ts';
import type { Passwords } from './passwords.ts';

export interface BasicOptions {
  readonly passwords: Passwords;
  /** Whoever has not logged in may pull. */
  readonly anonymousPull: boolean;
}

export function basicLogins({ passwords, anonymousPull }: BasicOptions): Authenticator {
  const anonymous: Access = { user: undefined, may: (_, action) => anonymousPull && action === 'pull' };
  return {
    async identify(request) {
      const header = request.header('authorization');
      if (header === undefined) return anonymous;
      const shown = basicCredentials(header);
      if (shown !== undefined && isNobody(shown)) return anonymous;
      if (shown === undefined || !(await passwords.check(shown.user, shown.password))) return undefined;
      return { user: shown.user, may: () => true };
    },
    challenge: () => 'Basic realm="wctr registry", charset="UTF-8"',
  };
}
