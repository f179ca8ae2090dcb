/** `--chmod`: octal, or symbolic as chmod(1) takes it. */
import { WctrError } from '../../errors.ts';
import { quote } from '../../images/quote.ts';

/** New permission bits from old ones. */
export type ModeChange = (mode: number, isDirectory: boolean) => number;

const SHIFT: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/;

/** Throws `invalid-argument`. */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    const mode = Number.parseInt(text, 8);
    return () => mode;
  }
  const clauses = /^\d/.test(text) ? [] : text.split(',').map((clause) => CLAUSE.exec(clause));
  if (clauses.length === 0 || clauses.includes(null)) {
    throw new WctrError(
      'invalid-argument',
      `invalid chmod parameter: ${quote(text)}. it should be octal string and between 0 and 07777`,
      { hint: 'write --chmod=755 or --chmod=u=rwX,go=rX' },
    );
  }
  const changes = clauses.flatMap((match) => {
    const who = (match?.[1] ?? '').replace('a', 'ugo') || 'ugo';
    return [...(match?.[2] ?? '').matchAll(/([-+=])([ugo]|[rwxXst]*)/g)].map(([, operator, what]) =>
      clause(who, operator as string, what as string),
    );
  });
  return (mode, isDirectory) => changes.reduce((bits, change) => change(bits, isDirectory), mode);
}

function clause(who: string, operator: string, what: string): ModeChange {
  return (mode, isDirectory) => {
    let bits = 0;
    let mask = 0;
    for (const one of who) {
      const shift = SHIFT[one] as number;
      mask |= 0o7 << shift;
      bits |= permissions(what, mode, isDirectory) << shift;
      if (what.includes('s') && one !== 'o') bits |= one === 'u' ? 0o4000 : 0o2000;
      if (one !== 'o') mask |= one === 'u' ? 0o4000 : 0o2000;
    }
    if (what.includes('t')) bits |= 0o1000;
    if (operator === '+') return mode | bits;
    if (operator === '-') return mode & ~bits;
    return (mode & ~mask) | bits;
  };
}

function permissions(what: string, mode: number, isDirectory: boolean): number {
  if (what === 'u' || what === 'g' || what === 'o') return (mode >> (SHIFT[what] as number)) & 0o7;
  const isExecutable = isDirectory || (mode & 0o111) !== 0;
  return (
    (what.includes('r') ? 4 : 0) |
    (what.includes('w') ? 2 : 0) |
    (what.includes('x') || (what.includes('X') && isExecutable) ? 1 : 0)
  );
}
