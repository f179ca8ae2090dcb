// @ts-nocheck: AssemblyScript, not TypeScript.
/**
 * A server of static files on the first listening socket it finds open at its start: GET and HEAD of what lies under its
 * first argument, `index.html` for a directory, and `404.html` for what is not there. One request, one connection.
 */
import {
  args_get,
  args_sizes_get,
  fd_close,
  fd_prestat_get,
  fd_read,
  fd_write,
  path_filestat_get,
  path_open,
  proc_exit,
  sock_accept,
  sock_recv,
  sock_send,
} from './wasi_snapshot_preview1';

const scratch = memory.data(256, 16);
const buffer = memory.data(65536, 16);
const O_RDONLY_RIGHTS: i64 = 0x200002;
const DIRECTORY: u8 = 3;

export function _start(): void {
  let listener = 3;
  while (fd_prestat_get(listener, scratch) === 0) listener++;
  const root = argument(1);
  write(1, `serving /${root}\n`);
  for (;;) {
    if (sock_accept(listener, 0, scratch) !== 0) proc_exit(1);
    const connection = load<i32>(scratch);
    serve(connection, root);
    fd_close(connection);
  }
}

function serve(connection: i32, root: string): void {
  vector(buffer, 65536);
  if (sock_recv(connection, scratch + 16, 1, 0, scratch + 24, scratch + 28) !== 0) return;
  const words = String.UTF8.decodeUnsafe(buffer, load<u32>(scratch + 24))
    .split('\r\n')[0]
    .split(' ');
  const head = words[0] === 'HEAD';
  if (words.length < 3 || (!head && words[0] !== 'GET')) {
    reply(connection, '405 Method Not Allowed', 'text/plain', 0);
    return;
  }
  const path = words[1].split('?')[0];
  let file = root + path;
  let status = '200 OK';
  if (path.split('/').includes('..')) file = '';
  else if (type(file) === DIRECTORY) file += file.endsWith('/') ? 'index.html' : '/index.html';
  if (file === '' || type(file) === 0) {
    status = '404 Not Found';
    file = `${root}/404.html`;
  }
  const fd = open(file);
  reply(connection, status, contentType(file), fd < 0 ? 0 : load<u64>(scratch + 64 + 32));
  if (fd < 0) return;
  for (;;) {
    vector(buffer, 65536);
    if (head || fd_read(fd, scratch + 16, 1, scratch + 24) !== 0) break;
    const length = load<u32>(scratch + 24);
    if (length === 0 || !send(connection, buffer, length)) break;
  }
  fd_close(fd);
}

/** WASI's filetype, 0 where there is nothing; its metadata are at scratch + 64 then. */
function type(path: string): u8 {
  const name = String.UTF8.encode(path);
  const found = path_filestat_get(3, 1, changetype<usize>(name), name.byteLength, scratch + 64) === 0;
  return found ? load<u8>(scratch + 64 + 16) : 0;
}

function open(path: string): i32 {
  if (type(path) === 0) return -1;
  const name = String.UTF8.encode(path);
  const at = changetype<usize>(name);
  return path_open(3, 1, at, name.byteLength, 0, O_RDONLY_RIGHTS, 0, 0, scratch) === 0 ? load<i32>(scratch) : -1;
}

function contentType(path: string): string {
  if (path.endsWith('.html')) return 'text/html; charset=utf-8';
  if (path.endsWith('.css')) return 'text/css';
  if (path.endsWith('.svg')) return 'image/svg+xml';
  return 'application/octet-stream';
}

function reply(connection: i32, status: string, kind: string, length: u64): void {
  const text = String.UTF8.encode(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: ${kind}\r\nContent-Length: ${length.toString()}\r\n\r\n`,
  );
  send(connection, changetype<usize>(text), text.byteLength);
}

function send(connection: i32, from: usize, length: u32): bool {
  let sent: u32 = 0;
  while (sent < length) {
    vector(from + sent, length - sent);
    if (sock_send(connection, scratch + 16, 1, 0, scratch + 24) !== 0) return false;
    sent += load<u32>(scratch + 24);
  }
  return true;
}

function write(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  vector(changetype<usize>(bytes), bytes.byteLength);
  fd_write(fd, scratch + 16, 1, scratch + 24);
}

function vector(at: usize, length: u32): void {
  store<u32>(scratch + 16, at);
  store<u32>(scratch + 20, length);
}

/** A path without the slash before it: preopened is the root. */
function argument(index: i32): string {
  args_sizes_get(scratch, scratch + 4);
  const pointers = heap.alloc(load<i32>(scratch) * 4 + 4);
  if (index >= load<i32>(scratch)) proc_exit(2);
  args_get(pointers, heap.alloc(load<i32>(scratch + 4) + 1));
  const text: usize = load<u32>(pointers + index * 4);
  let end = text;
  while (load<u8>(end) !== 0) end++;
  return String.UTF8.decodeUnsafe(text, end - text).replace('/', '');
}
