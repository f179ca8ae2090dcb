/**
 * Runs a program of nothing through the whole runner while the parent still finds out what to run. Engines compile
 * functions when they are first called, JavaScript's and Wasm's alike, and that is most of a small container's start.
 */

import { packagedWasm } from '../node/packaged-wasm.ts';
import { nodeRunnerHost } from '../node/runner-host.ts';
import { emptyInput } from '../node/stdio.ts';
import { runGuest } from '../runner/run.ts';
import type { HostStream } from '../wasi/ports.ts';

/** What a C program's start and first print call, with pointers that hold. */
const CALLS: readonly (readonly [name: string, a: number, b: number, c: number, d: number])[] = [
  ['args_sizes_get', 0, 4, 0, 0],
  ['args_get', 32, 48, 0, 0],
  ['environ_sizes_get', 0, 4, 0, 0],
  ['environ_get', 32, 48, 0, 0],
  ['fd_prestat_get', 3, 8, 0, 0],
  ['fd_prestat_dir_name', 3, 16, 1, 0],
  ['fd_fdstat_get', 1, 24, 0, 0],
  // One empty vector: memory is still zero at 60.
  ['fd_write', 1, 60, 1, 20],
  ['proc_exit', 0, 0, 0, 0],
];

const IGNORE: HostStream = { write: (source) => source.length };

export function warmUp(): void {
  runGuest(
    {
      id: '',
      hostname: 'localhost',
      process: {
        args: ['a'],
        env: [],
        cwd: '/a',
        user: { uid: 0, gid: 0, additionalGids: [] },
        terminal: false,
      },
      root: { readonly: false, layers: [] },
      program: { module: { bytes: program() } },
      mounts: [],
      resources: {},
      stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
    },
    nodeRunnerHost(packagedWasm, { stdin: emptyInput, stdout: IGNORE, stderr: IGNORE }),
  );
}

/** A module whose `_start` makes the calls, all typed (i32 x 4) -> i32: the host's functions take any number. */
function program(): Uint8Array {
  const imports = CALLS.flatMap(([name]) => [...text('wasi_snapshot_preview1'), ...text(name), 0, 0]);
  const body = CALLS.flatMap(([, ...values], i) => [...values.flatMap((value) => [0x41, value]), 0x10, i, 0x1a]);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [2, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0]),
    ...section(2, [CALLS.length, ...imports]),
    ...section(3, [1, 1]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...text('memory'), 2, 0, ...text('_start'), 0, CALLS.length]),
    ...section(10, [1, ...length(body.length + 2), 0, ...body, 0x0b]),
  ]);
}

function section(id: number, body: readonly number[]): number[] {
  return [id, ...length(body.length), ...body];
}

function text(value: string): number[] {
  return [value.length, ...new TextEncoder().encode(value)];
}

/** LEB128 of less than 2^14. */
function length(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, value >> 7];
}
