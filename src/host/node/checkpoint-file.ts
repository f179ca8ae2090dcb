/** A checkpoint's file, written from a guest's thread. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CheckpointFile } from '../checkpoint/freeze.ts';

/** Makes its directory. Only its user may read it: it holds what the guest's memory did. */
export function createCheckpoint(path: string): CheckpointFile {
  const directory = dirname(path);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unfinished = `${directory}/.${basename(path)}.tmp`;
  const fd = openSync(unfinished, 'w', 0o600);
  return {
    write(bytes) {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    },
    commit() {
      fsyncSync(fd);
      renameSync(unfinished, path);
      syncDirectory(directory);
      closeSync(fd);
    },
    discard() {
      closeSync(fd);
      rmSync(unfinished, { force: true });
    },
  };
}

/** Windows has no descriptors of directories. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
