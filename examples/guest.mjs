// The program the examples run: any WASI program would do, this one is small. `upper` copies standard input to standard
// output in capitals and to the file /data/copy; `upper serve` is a web server on its first listening socket that answers
// with that file; `upper loop` never ends; `upper grow` takes all the memory it can get.
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const SOURCE = `
@external("wasi_snapshot_preview1", "args_sizes_get") declare function args_sizes_get(count: usize, bytes: usize): i32;
@external("wasi_snapshot_preview1", "args_get") declare function args_get(pointers: usize, text: usize): i32;
@external("wasi_snapshot_preview1", "fd_read") declare function fd_read(fd: i32, iov: usize, n: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "fd_write") declare function fd_write(fd: i32, iov: usize, n: i32, done: usize): i32;
@external("wasi_snapshot_preview1", "path_open") declare function path_open(
  fd: i32, flags: i32, path: usize, length: i32, create: i32, rights: i64, inherited: i64, fdflags: i32, opened: usize
): i32;
@external("wasi_snapshot_preview1", "fd_close") declare function fd_close(fd: i32): i32;
@external("wasi_snapshot_preview1", "fd_prestat_get") declare function fd_prestat_get(fd: i32, stat: usize): i32;
@external("wasi_snapshot_preview1", "sock_accept") declare function sock_accept(fd: i32, flags: i32, opened: usize): i32;

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
  if (mode == 0x73) serve(); // s(erve)
  // 1 | 8: create, truncate; 1 << 6: may be written.
  const copy = open(1 | 8, 1 << 6);
  for (let length = read(0, buffer, 4096); length > 0; length = read(0, buffer, 4096)) {
    for (let i: u32 = 0; i < length; i++) {
      const c = load<u8>(buffer + i);
      if (c >= 0x61 && c <= 0x7a) store<u8>(buffer + i, c - 32);
    }
    write(1, buffer, length);
    if (copy >= 0) write(copy, buffer, length);
  }
}

function serve(): void {
  // Published ports come as listening sockets behind the directories.
  let listener = 3;
  while (fd_prestat_get(listener, cell) == 0) listener++;
  say(1, "listening\\n");
  while (sock_accept(listener, 0, cell) == 0) {
    const connection = load<i32>(cell);
    if (read(connection, buffer, 4096) > 0) {
      say(1, "a request\\n");
      const file = open(0, 1 << 1);
      const length = file >= 0 ? read(file, buffer, 4096) : 0;
      if (file >= 0) fd_close(file);
      say(connection, "HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Type: text/plain\\r\\n\\r\\n");
      if (length > 0) write(connection, buffer, length);
      else say(connection, "nothing here yet\\n");
    }
    fd_close(connection);
  }
}

/** /data/copy; 3 is the root directory. */
function open(create: i32, rights: i64): i32 {
  const path = String.UTF8.encode("data/copy");
  return path_open(3, 0, changetype<usize>(path), path.byteLength, create, rights, 0, 0, cell) == 0 ? load<i32>(cell) : -1;
}

function read(fd: i32, at: usize, length: u32): u32 {
  store<u32>(iov, <u32>at);
  store<u32>(iov, length, 4);
  return fd_read(fd, iov, 1, cell) == 0 ? load<u32>(cell) : 0;
}

function write(fd: i32, at: usize, length: u32): void {
  store<u32>(iov, <u32>at);
  store<u32>(iov, length, 4);
  fd_write(fd, iov, 1, cell);
}

function say(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  write(fd, changetype<usize>(bytes), bytes.byteLength);
}
`;

/** Compiles the program to .build/examples/upper.wasm, unless that is there, and returns the path. */
export async function buildGuest() {
  const directory = fileURLToPath(new URL('../.build/examples/', import.meta.url));
  const path = `${directory}upper.wasm`;
  const made = async (file) => (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
  if ((await made(path)) > (await made(fileURLToPath(import.meta.url)))) return path;
  const { default: asc } = await import('assemblyscript/asc');
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
  await writeFile(path, module);
  return path;
}
