/** EngineHost over Node's modules; Deno and Bun through theirs. */
import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import type { ByteLocation } from '../ports.ts';
import { builtin, nodeFs as fs } from './builtin.ts';

/** What kind of thing a path of the host names. */
export async function pathKind(path: string): Promise<'directory' | 'file' | undefined> {
  const stat = statOrNothing(path);
  return stat === undefined ? undefined : stat.isDirectory() ? 'directory' : 'file';
}

export const hostPaths = {
  kind: pathKind,
  resolve: (path: string) => resolve(path),
  makeDirectory: async (path: string) => {
    fs.mkdirSync(path, { recursive: true });
  },
  locate: async (path: string): Promise<ByteLocation> => ({ path }),
  contextFiles: async () => (await import('./sync-file-system.ts')).syncFileSystem,
};

/** Up to `length` bytes of a stored file from `position` on. */
export async function readAt(location: ByteLocation, position: number, length: number): Promise<Uint8Array> {
  if ('bytes' in location) return location.bytes.slice(position, Math.min(position + length, location.bytes.length));
  const fd = fs.openSync(location.path, 'r');
  try {
    const { size } = fs.fstatSync(fd);
    const buffer = new Uint8Array(Math.max(0, Math.min(length, size - position)));
    return buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, position));
  } finally {
    fs.closeSync(fd);
  }
}

/** `startedAt`, where it is known, tells the process from another one that has its pid by now. */
export function isAlive(pid: number, startedAt?: string): boolean {
  const actual = processStart(pid);
  if (actual !== undefined) return actual !== DEAD && (startedAt === undefined || startedAt === actual);
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return true;
}

const DEAD = 'dead';
const STAT_LINE = Buffer.alloc(1024);

/** Field 22 of /proc/<pid>/stat, in clock ticks since boot; undefined where there is no /proc. A zombie is `dead`. */
export function processStart(pid: number): string | undefined {
  let text: string;
  try {
    const fd = fs.openSync(`/proc/${pid}/stat`, 'r');
    // A line is shorter, and a list asks for many.
    text = STAT_LINE.toString('latin1', 0, fs.readSync(fd, STAT_LINE));
    fs.closeSync(fd);
  } catch {
    return undefined;
  }
  // the name in parentheses may itself contain spaces and parentheses
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? DEAD : fields[19];
}

/** By Linux' table of Unix sockets, which names those of this network namespace; empty where there is none. */
export function listeners(): ReadonlySet<string> {
  let table: string;
  try {
    table = fs.readFileSync('/proc/net/unix', 'latin1');
  } catch {
    return new Set();
  }
  // Num RefCount Protocol Flags Type St Inode Path; flag 0x10000: listens
  return new Set([...table.matchAll(/^\S+ \S+ \S+ 00010000 \S+ \S+ +\d+ .*\/([^/\n]+)$/gm)].map(([, name]) => name!));
}

export function hostFacts() {
  const { os } = builtin;
  return {
    runtime: runtimeName(),
    os: os.platform(),
    architecture: os.arch(),
    cpus: os.cpus().length,
    memoryBytes: os.totalmem(),
    hostname: os.hostname(),
  };
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  return deno !== undefined ? `deno ${deno}` : bun !== undefined ? `bun ${bun}` : `node ${node}`;
}

/** True where a directory can be listed: tells a package with its images from one without. */
export function isDirectory(path: string): boolean {
  return statOrNothing(path)?.isDirectory() ?? false;
}

/** Undefined also where a part of the path is no directory, or may not be looked into. */
function statOrNothing(path: string): Stats | undefined {
  try {
    return fs.statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The system's generator read as a file, where it is one: node:crypto costs a short command a tenth of its time. */
export function randomBytes(length: number): Uint8Array {
  if (process.platform === 'win32') return builtin.crypto.randomBytes(length);
  const bytes = new Uint8Array(length);
  const fd = fs.openSync('/dev/urandom', 'r');
  try {
    for (let at = 0; at < length; ) at += fs.readSync(fd, bytes, at, length - at, null);
  } finally {
    fs.closeSync(fd);
  }
  return bytes;
}
