// The program the examples run: any WASI program would do, this one is small. `upper` copies standard input to standard
// output in capitals and to the file /data/copy; `upper loop` never ends; `upper grow` takes all the memory it can get.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const SOURCE = `
@external("wasi_snapshot_preview1", "args_sizes_get") declare function args_sizes_get(count: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "args_get") declare function args_get(pointers: usize, text: usize): i32;
@external("wasi_snapshot_preview1", "fd_read") declare function fd_read(fd: i32, iov: usize, n: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_write") declare function fd_write(fd: i32, iov: usize, n: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "path_open") declare function path_open(
  fd: i32, flags: i32, path: usize, length: i32, create: i32, rights: i64, inherited: i64, fdflags: i32, opened: usize
): i32;

const buffer = memory.data(4096);
const iov = memory.data(16);
const cell = memory.data(16);
const pointers = memory.data(64);

export function _start(): void {
  args_sizes_get(cell, cell + 4);
  args_get(pointers, buffer);
  const mode: u8 = load<u32>(cell) > 1 ? load<u8>(load<u32>(pointers, 4)) : 0;
  if (mode == 0x6c) for (let i: u32 = 0; ; i++) store<u32>(cell, i); // l(oop)
  if (mode == 0x67) while (memory.grow(16) >= 0) memory.fill((memory.size() - 16) << 16, 1, 16 << 16); // g(row)
  if (mode == 0x67) unreachable();
  const path = String.UTF8.encode("data/copy");
  // 3 is the root directory; 1 | 8: create, truncate; 1 << 6: may be written.
  const copy = path_open(3, 0, changetype<usize>(path), path.byteLength, 1 | 8, 1 << 6, 0, 0, cell) == 0 ? load<i32>(cell) : -1;
  while (true) {
    store<u32>(iov, <u32>buffer);
    store<u32>(iov, 4096, 4);
    if (fd_read(0, iov, 1, cell) != 0 || load<u32>(cell) == 0) return;
    const length = load<u32>(cell);
    for (let i: u32 = 0; i < length; i++) {
      const c = load<u8>(buffer + i);
      if (c >= 0x61 && c <= 0x7a) store<u8>(buffer + i, c - 32);
    }
    store<u32>(iov, length, 4);
    fd_write(1, iov, 1, cell);
    if (copy >= 0) fd_write(copy, iov, 1, cell);
  }
}
`;

/** Compiles the program to .build/examples/upper.wasm and returns the path. */
export async function buildGuest() {
  const directory = fileURLToPath(new URL('../.build/examples/', import.meta.url));
  let module;
  const { error, stderr } = await asc.main(
    ['upper.ts', '-o', 'upper.wasm', '--runtime', 'stub', '-O', '--use', 'abort='],
    {
      readFile: (name) => (name === 'upper.ts' ? SOURCE : null),
      writeFile: (_name, contents) => {
        module = contents;
      },
    },
  );
  if (error) throw new Error(stderr.toString(), { cause: error });
  await mkdir(directory, { recursive: true });
  await writeFile(`${directory}upper.wasm`, module);
  return `${directory}upper.wasm`;
}
