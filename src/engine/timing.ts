import { WctrError } from '../errors.ts';

/** Ends early, without an error, when the signal is given. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    if (signal?.aborted === true) done();
  });
}

export function cancelledBy(signal: AbortSignal): WctrError {
  return new WctrError('cancelled', 'cancelled', { cause: signal.reason });
}

/**
 * RFC 3339, seconds since the epoch with up to nine decimals, or a duration back from now (`10m`), as milliseconds since
 * the epoch. Throws 'invalid-argument'.
 */
export function parseTime(text: string, nowMs = Date.now()): number {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (/^(\d+(\.\d+)?(ns|us|ms|[smh]))+$/.test(text)) {
    let ms = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|ms|[smh])/g)) {
      ms += Number(amount) * (UNIT_MS[unit!] ?? 0);
    }
    return nowMs - ms;
  }
  const ms = Date.parse(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text);
  if (!Number.isNaN(ms)) return ms;
  throw new WctrError('invalid-argument', `invalid time "${text}"`, {
    hint: 'write 2026-01-31T12:00:00Z, 1769860800 or 10m',
  });
}

const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
