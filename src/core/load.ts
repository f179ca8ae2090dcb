/**
 * Instantiates a core module (dist/wasm/core.wasm, kernel.wasm) over shared or plain memory. The build declares its
 * imported memory shared; the same bytes run unshared after one byte, the import's limits flag, is changed. Atomic
 * instructions are valid on both; only `memory.atomic.wait` needs a shared one.
 */
import { WctrError } from '../errors.ts';

export interface MemoryOptions {
  shared: boolean;
  /** 64 KiB pages. */
  initialPages: number;
  maximumPages: number;
}

const FLAG_MAXIMUM = 0x01;
const FLAG_MAXIMUM_SHARED = 0x03;
/** "env" "memory", import kind memory: what precedes the limits flag. */
const MEMORY_IMPORT = [3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02];

/** The module's bytes with its memory import declared shared or not. */
export function withMemoryKind(bytes: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const at = indexOfSequence(copy, MEMORY_IMPORT) + MEMORY_IMPORT.length;
  const flag = copy[at];
  if (at < MEMORY_IMPORT.length || (flag !== FLAG_MAXIMUM && flag !== FLAG_MAXIMUM_SHARED)) {
    throw new WctrError('internal', 'the core module has no memory import with a maximum');
  }
  copy[at] = shared ? FLAG_MAXIMUM_SHARED : FLAG_MAXIMUM;
  return copy;
}

export function createMemory(options: MemoryOptions): WebAssembly.Memory {
  return new WebAssembly.Memory({
    initial: options.initialPages,
    maximum: options.maximumPages,
    shared: options.shared,
  });
}

function indexOfSequence(haystack: Uint8Array, needle: readonly number[]): number {
  const limit = Math.min(haystack.length - needle.length, 64 * 1024);
  for (let at = haystack.indexOf(needle[0]!); at >= 0 && at <= limit; at = haystack.indexOf(needle[0]!, at + 1)) {
    if (needle.every((byte, i) => haystack[at + i] === byte)) return at;
  }
  return -needle.length - 1;
}
