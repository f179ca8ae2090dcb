// @ts-nocheck: AssemblyScript, not TypeScript.
/**
 * A web server on the first listening socket it finds open at its start: answers every request with what its first
 * argument says (default `hello`), and the file named by its second, where there is one.
 */
import {
  args_get,
  args_sizes_get,
  fd_close,
  fd_prestat_get,
  fd_read,
  fd_write,
  path_open,
  proc_exit,
  sock_accept,
  sock_recv,
  sock_send,
} from './wasi_snapshot_preview1';

const scratch = memory.data(256, 16);
const buffer = memory.data(65536, 16);

export function _start(): void {
  const args = list();
  let listener = 3;
  while (fd_prestat_get(listener, scratch) === 0) listener++;
  const text = args.length > 1 ? args[1] : 'hello';
  say('listening\n');
  for (;;) {
    const accepted = sock_accept(listener, 0, scratch);
    if (accepted !== 0) {
      say(`accept: errno ${accepted.toString()}\n`);
      proc_exit(1);
    }
    const connection = load<i32>(scratch);
    store<u32>(scratch + 16, buffer);
    store<u32>(scratch + 20, 65536);
    if (sock_recv(connection, scratch + 16, 1, 0, scratch + 24, scratch + 28) === 0) {
      const body = args.length > 2 ? `${text} ${file(args[2])}` : text;
      const length = String.UTF8.byteLength(body) + 1;
      const answer = String.UTF8.encode(
        `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${length.toString()}\r\n\r\n${body}\n`,
      );
      store<u32>(scratch + 16, changetype<usize>(answer));
      store<u32>(scratch + 20, answer.byteLength);
      sock_send(connection, scratch + 16, 1, 0, scratch + 24);
    }
    fd_close(connection);
  }
}

function file(path: string): string {
  const name = String.UTF8.encode(path.startsWith('/') ? path.substring(1) : path);
  if (path_open(3, 1, changetype<usize>(name), name.byteLength, 0, 0x200006, 0, 0, scratch + 32) !== 0) return '-';
  const fd = load<i32>(scratch + 32);
  store<u32>(scratch + 40, buffer);
  store<u32>(scratch + 44, 4096);
  const failed = fd_read(fd, scratch + 40, 1, scratch + 48);
  fd_close(fd);
  return failed !== 0 ? '-' : String.UTF8.decodeUnsafe(buffer, load<u32>(scratch + 48));
}

function say(text: string): void {
  const bytes = String.UTF8.encode(text);
  store<u32>(scratch + 64, changetype<usize>(bytes));
  store<u32>(scratch + 68, bytes.byteLength);
  fd_write(1, scratch + 64, 1, scratch + 72);
}

function list(): string[] {
  args_sizes_get(scratch, scratch + 4);
  const count = load<i32>(scratch);
  const pointers = heap.alloc(count * 4 + 4);
  args_get(pointers, heap.alloc(load<i32>(scratch + 4) + 1));
  const result: string[] = [];
  for (let i = 0; i < count; i++) {
    const text: usize = load<u32>(pointers + i * 4);
    let end = text;
    while (load<u8>(end) !== 0) end++;
    result.push(String.UTF8.decodeUnsafe(text, end - text));
  }
  return result;
}
