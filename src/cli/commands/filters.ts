import { WctrError } from '../../errors.ts';
import type { Filters } from '../../spec/engine-api.ts';
import type { Flag } from '../flags.ts';

export const FILTER_FLAG: Flag = {
  name: 'filter',
  short: 'f',
  type: 'list',
  value: 'key=value',
  description: 'Only what fits (status=exited, label=a=b, name=web)',
};

/** `status=running`, several of a key are alternatives. */
export function readFilters(texts: readonly string[]): Filters {
  const filters: Record<string, string[]> = {};
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 1) {
      throw new WctrError('invalid-argument', `invalid filter "${text}"`, { hint: 'write key=value' });
    }
    const key = text.slice(0, equals).trim().toLowerCase();
    filters[key] ??= [];
    filters[key].push(text.slice(equals + 1).trim());
  }
  return filters;
}
