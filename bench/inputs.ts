/**
 * Inputs of the benchmarks: tars made of this machine's own files, deterministic for one machine, cached under
 * `.cache/bench`. A Debian system gives what a Debian base image holds: ELF files, scripts, text, man pages.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface TarInput {
  /** Path of the plain tar. */
  readonly plain: string;
  /** The same, `gzip -6`. */
  readonly gzip: string;
  /** The same, `zstd -3` with its content checksum. */
  readonly zstd: string;
}

/** Up from bench/ or from .build/bench/, wherever this module was compiled to. */
const CACHE = join(process.cwd(), '.cache', 'bench');
const ROOTS = ['/usr/bin', '/usr/lib', '/usr/share'];

/** About 200 MB of a Debian system, in the mix of a base image. */
export function debianLayer(): TarInput {
  return build('debian-layer', () =>
    pick({ maxFileBytes: 8 << 20, totalBytes: 200e6, files: Number.POSITIVE_INFINITY }),
  );
}

/** 22,500 small files, about 150 MB as a tar. */
export function manySmallFiles(): TarInput {
  return build('many-small-files', () => pick({ maxFileBytes: 24 << 10, totalBytes: 140e6, files: 22_500 }));
}

function build(name: string, list: () => string[]): TarInput {
  const plain = join(CACHE, `${name}.tar`);
  const result = { plain, gzip: `${plain}.gz`, zstd: `${plain}.zst` };
  mkdirSync(CACHE, { recursive: true });
  if (!existsSync(plain)) {
    const listing = join(CACHE, `${name}.list`);
    writeFileSync(listing, list().join('\n'));
    const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--format=gnu'];
    make(plain, ['tar', '-C', '/', ...owner, '--no-recursion', '-T', listing, '-cf']);
  }
  if (!existsSync(result.gzip)) make(result.gzip, ['sh', '-c', `gzip -6 -n -c '${plain}' > "$0"`]);
  if (!existsSync(result.zstd)) make(result.zstd, ['zstd', '-q', '-3', '-f', plain, '-o']);
  return result;
}

/** Runs a command whose last argument is the file it makes; the file appears whole or not at all. */
function make(path: string, command: string[]): void {
  const partial = `${path}.partial`;
  execFileSync(command[0]!, [...command.slice(1), partial], { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(partial, path);
}

interface Wanted {
  maxFileBytes: number;
  totalBytes: number;
  files: number;
}

/** Files in the order of a hash of their path, so that the sample is spread evenly, then sorted by name as tar lists them. */
function pick(wanted: Wanted): string[] {
  const found: { path: string; hash: number; bytes: number }[] = [];
  for (const root of ROOTS) walk(root, wanted.maxFileBytes, found);
  found.sort((a, b) => a.hash - b.hash || (a.path < b.path ? -1 : 1));
  const chosen: string[] = [];
  let total = 0;
  for (const file of found) {
    if (total >= wanted.totalBytes || chosen.length >= wanted.files) break;
    chosen.push(file.path.slice(1));
    total += file.bytes + 512;
  }
  return chosen.sort();
}

function walk(directory: string, maxFileBytes: number, found: { path: string; hash: number; bytes: number }[]): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.name.includes('\n')) continue;
    if (entry.isDirectory()) walk(path, maxFileBytes, found);
    else if (entry.isFile()) {
      const bytes = lstatSync(path).size;
      if (bytes > 0 && bytes <= maxFileBytes) found.push({ path, hash: fnv1a(path), bytes });
    }
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
