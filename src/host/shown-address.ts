/** An address for messages and records, without the password or token that may be in it. */
export function shownAddress(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i, (all: string, scheme: string, login: string) =>
    // `ssh://git@host` tells no secret
    /^https?:/i.test(scheme) || login.includes(':') ? `${scheme}xxxxx@` : all,
  );
}
