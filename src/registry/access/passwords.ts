/** Users and their passwords: a file of lines as `htpasswd -B` writes them. */
import { compare } from 'bcryptjs';
import { WctrError } from '../../errors.ts';

export interface Passwords {
  /** Takes as long for a user there is not. */
  check(user: string, password: string): Promise<boolean>;
}

const BCRYPT = /^\$2[abxy]?\$(0[4-9]|1[0-9]|2[0-9]|3[01])\$[./A-Za-z0-9]{53}$/;
/** Of no password; checked in place of one that is not there. */
const NOBODY = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO7ZUFkkkFtl3Vb8zCj4sCQ0uQ7JzqSzG';
/** bcrypt takes a tenth of a second on purpose, and a pull makes dozens of requests: who was right stays right for a while. */
const REMEMBER_MS = 5 * 60_000;
const MAX_REMEMBERED = 1_000;
/** Guesses wait for each other, so that they cannot take the whole processor. */
const MAX_CHECKS = 4;
const MAX_WAITING = 256;

/** Throws `invalid-argument` for a line that is no `user:bcrypt`. */
export function parsePasswords(text: string, now: () => number = Date.now): Passwords {
  const hashes = new Map<string, string>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const colon = line.indexOf(':');
    const hash = line.slice(colon + 1).trim();
    if (colon <= 0 || !BCRYPT.test(hash)) {
      throw new WctrError('invalid-argument', `htpasswd line ${i + 1} is not a user with a bcrypt hash`, {
        hint: 'write it with htpasswd -B: other hashes are too quick to guess',
      });
    }
    hashes.set(line.slice(0, colon), hash);
  });
  const remembered = new Map<string, number>();
  let running = 0;
  const waiting: (() => void)[] = [];
  return {
    async check(user, password) {
      const key = await fingerprint(`${hashes.get(user) ?? ''}\0${user}\0${password}`);
      if ((remembered.get(key) ?? 0) > now()) return true;
      if (running >= MAX_CHECKS) {
        if (waiting.length >= MAX_WAITING) throw new WctrError('too-many-requests', 'too many logins at once');
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      running += 1;
      try {
        const isRight = await compare(password, hashes.get(user) ?? NOBODY);
        if (!isRight || !hashes.has(user)) return false;
        if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
        remembered.set(key, now() + REMEMBER_MS);
        return true;
      } finally {
        running -= 1;
        waiting.shift()?.();
      }
    },
  };
}

/** Passwords themselves are not kept. */
async function fingerprint(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return String.fromCharCode(...hash);
}
