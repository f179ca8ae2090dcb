import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Every file of the CLI's store, sorted, without what no image is made of: locks, leases of processes that run, the code
 * cache. A test compares two of these to see that a failure left nothing.
 */
export function storeFiles(dir: string): string[] {
  return readdirSync(join(dir, 'store'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(join(dir, 'store').length + 1))
    .filter((path) => !/^(code|locks)\/|^events\.jsonl$/.test(path))
    .sort();
}
