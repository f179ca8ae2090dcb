/** EngineHost over Node's modules; Deno and Bun through theirs. */
import { statSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { arch, cpus, hostname, platform, totalmem } from 'node:os';
import { resolve } from 'node:path';
import type { ByteLocation } from '../ports.ts';

/** What kind of thing a path of the host names. */
export async function pathKind(path: string): Promise<'directory' | 'file' | undefined> {
  const stat = await fs.stat(path).catch(() => undefined);
  return stat === undefined ? undefined : stat.isDirectory() ? 'directory' : 'file';
}

export const hostPaths = {
  kind: pathKind,
  resolve: (path: string) => resolve(path),
  makeDirectory: async (path: string) => {
    await fs.mkdir(path, { recursive: true });
  },
  locate: async (path: string): Promise<ByteLocation> => ({ path }),
};

/** Up to `length` bytes of a stored file from `position` on. */
export async function readAt(location: ByteLocation, position: number, length: number): Promise<Uint8Array> {
  if ('bytes' in location) return location.bytes.slice(position, position + length);
  const file = await fs.open(location.path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = new Uint8Array(Math.max(0, Math.min(length, size - position)));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export function hostFacts() {
  return {
    runtime: runtimeName(),
    os: platform(),
    architecture: arch(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    hostname: hostname(),
  };
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  return deno !== undefined ? `deno ${deno}` : bun !== undefined ? `bun ${bun}` : `node ${node}`;
}

/** True where a directory can be listed: tells a package with its images from one without. */
export function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
