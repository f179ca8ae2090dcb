import { rmSync } from 'node:fs';

const ATTEMPTS = 5;

/**
 * For the end of a test. A container's process that was told to end may write its last words meanwhile: tried again then,
 * from the beginning, for Node's own retries do not look for what came since.
 */
export function removeTree(path: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
