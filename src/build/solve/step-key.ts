/**
 * What a step is known by in the cache: SHA-256 over JSON with its keys in order. The state below goes in as the diff IDs
 * of its layers, so that the same files with the same instruction on top are the same step, whatever made them.
 */
import { type CreateHasher, digestOf } from '../../images/digest.ts';
import type { Digest } from '../../spec/image-spec.ts';

/** To be counted up whenever the same inputs come to make other bytes. */
const VERSION = 1;

export type KeyValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly KeyValue[]
  | { readonly [name: string]: KeyValue };

export function stepKey(createHasher: CreateHasher, parts: { readonly [name: string]: KeyValue }): Digest {
  return digestOf(createHasher, new TextEncoder().encode(canonical({ ...parts, version: VERSION })));
}

/** JSON, names sorted, nothing for undefined. */
function canonical(value: KeyValue): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value ?? null);
  if (isList(value)) return `[${value.map(canonical).join(',')}]`;
  const fields = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${fields.join(',')}}`;
}

function isList(value: KeyValue): value is readonly KeyValue[] {
  return Array.isArray(value);
}
