/** Layers' plain tars and other bytes at rest, as files. */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import type { BlockSource, ByteLocation } from '../ports.ts';

/** The caller closes it. Throws the file system's own error. */
export function openBlockSource(location: ByteLocation): BlockSource {
  if ('bytes' in location) return memoryBlockSource(location.bytes);
  const fd = openSync(location.path, 'r');
  return {
    sizeBytes: fstatSync(fd).size,
    readSync: (target, position) => readSync(fd, target, 0, target.length, position),
    close: () => closeSync(fd),
  };
}

export function readBytes(location: ByteLocation): Uint8Array {
  return 'bytes' in location ? location.bytes : readFileSync(location.path);
}

function memoryBlockSource(bytes: Uint8Array): BlockSource {
  return {
    sizeBytes: bytes.length,
    readSync(target, position) {
      const part = bytes.subarray(position, position + target.length);
      target.set(part);
      return part.length;
    },
    close() {},
  };
}
