/** Filters of list, prune and events, as docker means them: every key must match, any of its values will do. */
import { WctrError } from '../errors.ts';
import type { Filters } from '../spec/engine-api.ts';

/** Throws 'invalid-argument' for a key that is not among `known`. */
export function readFilters<Key extends string>(
  given: Filters,
  known: readonly Key[],
): { readonly [key in Key]?: readonly string[] } {
  const unknown = Object.keys(given).find((key) => !(known as readonly string[]).includes(key));
  if (unknown !== undefined) {
    throw new WctrError('invalid-argument', `invalid filter '${unknown}'`, { hint: `choose from ${known.join(', ')}` });
  }
  const used = Object.entries(given).filter(([, values]) => values.length > 0);
  return Object.fromEntries(used) as { readonly [key in Key]?: readonly string[] };
}

/** `k` or `k=v`; all must match. `label!` ones must not. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  filters: { readonly label?: readonly string[]; readonly 'label!'?: readonly string[] },
): boolean {
  const has = (text: string) => {
    const equals = text.indexOf('=');
    return equals < 0 ? Object.hasOwn(labels, text) : labels[text.slice(0, equals)] === text.slice(equals + 1);
  };
  return (filters.label ?? []).every(has) && !(filters['label!'] ?? []).some(has);
}
