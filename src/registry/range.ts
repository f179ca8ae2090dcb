/** Byte ranges: RFC 9110, 14 for reading, spec.md "Pushing a blob in chunks" for writing. */

/** From `from` up to `to`, which is not included. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/** A header that is no range or asks for several may be ignored, and is: the whole blob is the answer then. */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first, last] = /^bytes=\s*(\d{0,16})-(\d{0,16})\s*$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'whole';
  if (first === '') {
    const from = Math.max(0, sizeBytes - Number(last));
    return from < sizeBytes ? { from, to: sizeBytes } : 'unsatisfiable';
  }
  if (last !== '' && Number(last) < Number(first)) return 'unsatisfiable';
  const to = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  return Number(first) < sizeBytes ? { from: Number(first), to } : 'unsatisfiable';
}

/** `0-1023` of a chunk, also as some clients write it: `bytes 0-1023/*`. Undefined for anything else. */
export function parseChunkRange(header: string): ByteRange | undefined {
  const [, first, last] = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\d{1,16}|\*))?$/.exec(header.trim()) ?? [];
  if (first === undefined || Number(last) < Number(first)) return undefined;
  return { from: Number(first), to: Number(last) + 1 };
}
