import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDirectories } from '../../../../src/host/node/make-directories.ts';
import { tempDir } from '../../../support/image-store.ts';

describe('makeDirectories', () => {
  it('makes what is missing, and nothing twice', () => {
    using dir = tempDir();
    const path = join(dir.path, 'a', 'b', 'c');
    makeDirectories(path, 0o700);
    makeDirectories(path, 0o755);
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('says that a file is in the way', () => {
    using dir = tempDir();
    writeFileSync(join(dir.path, 'file'), '');
    for (const path of ['file', 'file/below']) {
      expect(() => makeDirectories(join(dir.path, path), 0o700)).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
    }
  });

  it.skipIf(!existsSync('/proc/1'))('ends where nothing can be made', () => {
    expect(() => makeDirectories('/proc/1/nothing/below', 0o700)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
