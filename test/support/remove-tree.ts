import { rmSync } from 'node:fs';

/** For the end of a test. A container's process that was told to end may write its last words meanwhile: tried again then. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
