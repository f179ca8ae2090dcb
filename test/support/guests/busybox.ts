// @ts-nocheck: AssemblyScript, not TypeScript.
/**
 * One guest for the sandbox tests, told what to do by its arguments: `busybox <command> [argument...]`. Failing calls
 * print `errno <n>` and exit with 1. Written in AssemblyScript against WASI preview 1 directly.
 */
import {
  args_get,
  args_sizes_get,
  clock_time_get,
  environ_get,
  environ_sizes_get,
  fd_close,
  fd_read,
  fd_readdir,
  fd_seek,
  fd_sync,
  fd_write,
  path_create_directory,
  path_filestat_get,
  path_open,
  path_symlink,
  path_unlink_file,
  poll_oneoff,
  proc_exit,
  random_get,
} from './wasi_snapshot_preview1';

const ROOT: i32 = 3;
const FOLLOW: i32 = 1;
const O_CREAT: i32 = 1;
const O_DIRECTORY: i32 = 2;
const O_TRUNC: i32 = 8;
const FILE_RIGHTS: i64 = 0x600046;
const CHUNK: i32 = 65536;

const scratch = memory.data(256, 16);
const buffer = memory.data(65536, 16);

export function _start(): void {
  const args = list(true);
  const command = args.length > 1 ? args[1] : 'hello';
  const a = args.length > 2 ? args[2] : '';
  const b = args.length > 3 ? args[3] : '';
  if (command === 'hello') print('Hello from the guest\n');
  else if (command === 'args') for (let i = 0; i < args.length; i++) print(`${args[i]}\n`);
  else if (command === 'env') {
    const env = list(false);
    for (let i = 0; i < env.length; i++) print(`${env[i]}\n`);
  } else if (command === 'err') write(2, String.UTF8.encode(a));
  else if (command === 'cat') cat(0);
  else if (command === 'exit') proc_exit(I32.parseInt(a));
  else if (command === 'trap') unreachable();
  else if (command === 'divide') print((100 / I32.parseInt(a)).toString());
  else if (command === 'bounds') print(load<i32>(<usize>0xfffffff0).toString());
  else if (command === 'recurse') print(recurse(1).toString());
  else if (command === 'loop') {
    print('looping\n');
    for (let i: u32 = 0; ; i++) store<u32>(scratch, i);
  } else if (command === 'grow') {
    let pages = 0;
    while (memory.grow(16) >= 0) pages += 16;
    print(`grew ${pages.toString()}\n`);
    if (a === 'abort') unreachable();
  } else if (command === 'swell') swell(I32.parseInt(a));
  else if (command === 'flood') flood(F64.parseFloat(a));
  else if (command === 'read') cat(open(a, 0, 0));
  else if (command === 'write') {
    const fd = open(a, O_CREAT | O_TRUNC, FILE_RIGHTS);
    write(fd, String.UTF8.encode(b));
    check(fd_close(fd));
  } else if (command === 'keep') {
    const fd = open(a, O_CREAT | O_TRUNC, FILE_RIGHTS | 0x10);
    write(fd, String.UTF8.encode(b));
    check(fd_sync(fd));
    check(fd_close(fd));
  } else if (command === 'rewrite') {
    const fd = open(a, O_CREAT, FILE_RIGHTS | 0x14);
    for (let i = 0, count = I32.parseInt(b); i < count; i++) {
      memory.fill(buffer, <u8>(0x61 + (i % 26)), CHUNK);
      check(fd_seek(fd, 0, 0, scratch + 128));
      for (let done = 0; done < 32; done++) writeAll(fd, buffer, CHUNK);
      check(fd_sync(fd));
    }
    print('rewritten\n');
    sleep(1000000000);
  } else if (command === 'fill') fill(a, F64.parseFloat(b));
  else if (command === 'mkdir') {
    const path = String.UTF8.encode(relative(a));
    check(path_create_directory(ROOT, changetype<usize>(path), path.byteLength));
  } else if (command === 'rm') {
    const path = String.UTF8.encode(relative(a));
    check(path_unlink_file(ROOT, changetype<usize>(path), path.byteLength));
  } else if (command === 'ln') {
    const target = String.UTF8.encode(a);
    const path = String.UTF8.encode(relative(b));
    check(path_symlink(changetype<usize>(target), target.byteLength, ROOT, changetype<usize>(path), path.byteLength));
  } else if (command === 'stat') {
    const path = String.UTF8.encode(relative(a));
    check(path_filestat_get(ROOT, FOLLOW, changetype<usize>(path), path.byteLength, scratch));
    print(`type ${load<u8>(scratch + 16).toString()} size ${load<u64>(scratch + 32).toString()}\n`);
  } else if (command === 'ls') ls(a);
  else if (command === 'chance') {
    check(random_get(scratch, 8));
    check(clock_time_get(0, 1, scratch + 8));
    print(`${load<u64>(scratch).toString()} ${load<u64>(scratch + 8).toString()}\n`);
  } else if (command === 'fds') {
    let count = 0;
    while (tryOpen('/', O_DIRECTORY, 0) === 0) count++;
    print(`opened ${count.toString()}\n`);
  } else if (command === 'pour') pour(open(a, 0, 0x40));
  else if (command === 'churn') {
    print('churning\n');
    while (true) churn(a);
  } else if (command === 'deep') print(deep(a).toString());
  else if (command === 'sleep') sleep(I64.parseInt(a));
  else {
    print(`unknown command ${command}\n`);
    proc_exit(2);
  }
}

function list(args: bool): string[] {
  if (args) args_sizes_get(scratch, scratch + 4);
  else environ_sizes_get(scratch, scratch + 4);
  const count = load<i32>(scratch);
  const pointers = heap.alloc(count * 4 + 4);
  const bytes = heap.alloc(load<i32>(scratch + 4) + 1);
  if (args) args_get(pointers, bytes);
  else environ_get(pointers, bytes);
  const result: string[] = [];
  for (let i = 0; i < count; i++) {
    const text: usize = load<u32>(pointers + i * 4);
    let end = text;
    while (load<u8>(end) !== 0) end++;
    result.push(String.UTF8.decodeUnsafe(text, end - text));
  }
  return result;
}

/** Grows by so many MiB whenever something comes in. */
function swell(mib: i32): void {
  print('ready\n');
  for (;;) {
    store<u32>(scratch, scratch + 64);
    store<u32>(scratch + 4, 1);
    if (fd_read(0, scratch, 1, scratch + 8) !== 0 || load<u32>(scratch + 8) === 0) return;
    print(memory.grow(mib * 16) >= 0 ? 'grew\n' : 'full\n');
  }
}

function print(text: string): void {
  write(1, String.UTF8.encode(text));
}

function write(fd: i32, bytes: ArrayBuffer): void {
  writeAll(fd, changetype<usize>(bytes), bytes.byteLength);
}

function writeAll(fd: i32, pointer: usize, length: i32): void {
  while (length > 0) {
    store<u32>(scratch + 64, pointer);
    store<u32>(scratch + 68, length);
    check(fd_write(fd, scratch + 64, 1, scratch + 72));
    const done = load<i32>(scratch + 72);
    pointer += done;
    length -= done;
  }
}

function check(errno: i32): void {
  if (errno === 0) return;
  const text = String.UTF8.encode(`errno ${errno.toString()}\n`);
  store<u32>(scratch + 64, changetype<usize>(text));
  store<u32>(scratch + 68, text.byteLength);
  fd_write(2, scratch + 64, 1, scratch + 72);
  proc_exit(1);
}

function relative(path: string): string {
  return path === '/' ? '.' : path.startsWith('/') ? path.substring(1) : path;
}

function tryOpen(path: string, oflags: i32, rights: i64): i32 {
  const name = String.UTF8.encode(relative(path));
  const asked = rights === 0 ? (oflags & O_DIRECTORY ? 0x4000 : 2) : rights;
  return path_open(ROOT, FOLLOW, changetype<usize>(name), name.byteLength, oflags, asked, asked, 0, scratch + 80);
}

function open(path: string, oflags: i32, rights: i64): i32 {
  check(tryOpen(path, oflags, rights));
  return load<i32>(scratch + 80);
}

function cat(fd: i32): void {
  while (true) {
    store<u32>(scratch + 64, buffer);
    store<u32>(scratch + 68, CHUNK);
    check(fd_read(fd, scratch + 64, 1, scratch + 72));
    const length = load<i32>(scratch + 72);
    if (length === 0) return;
    writeAll(1, buffer, length);
  }
}

/** Standard input into a file that is there. */
function pour(fd: i32): void {
  print('pouring\n');
  while (true) {
    store<u32>(scratch + 64, buffer);
    store<u32>(scratch + 68, CHUNK);
    check(fd_read(0, scratch + 64, 1, scratch + 72));
    const length = load<i32>(scratch + 72);
    if (length === 0) return;
    writeAll(fd, buffer, length);
  }
}

function flood(bytes: f64): void {
  memory.fill(buffer, 0x78, CHUNK);
  for (let left = bytes; left > 0; left -= CHUNK) writeAll(1, buffer, left < CHUNK ? <i32>left : CHUNK);
}

function fill(path: string, bytes: f64): void {
  const fd = open(path, O_CREAT | O_TRUNC, FILE_RIGHTS);
  memory.fill(buffer, 0x79, CHUNK);
  for (let left = bytes; left > 0; left -= CHUNK) writeAll(fd, buffer, left < CHUNK ? <i32>left : CHUNK);
  print('filled\n');
}

function ls(path: string): void {
  const fd = open(path, O_DIRECTORY, 0);
  let cookie: i64 = 0;
  while (true) {
    check(fd_readdir(fd, buffer, CHUNK, cookie, scratch));
    const used = load<i32>(scratch);
    let at = 0;
    while (at + 24 <= used) {
      const length = load<i32>(buffer + at + 16);
      if (at + 24 + length > used) break;
      print(`${String.UTF8.decodeUnsafe(buffer + at + 24, length)}\n`);
      cookie = load<i64>(buffer + at);
      at += 24 + length;
    }
    if (used < CHUNK) return;
  }
}

/** Names and data come and go: most of the time is spent in the kernel. */
function churn(dir: string): void {
  const name = String.UTF8.encode(relative(dir + '/file'));
  const other = String.UTF8.encode(relative(dir + '/other'));
  for (let i = 0; i < 1000; i++) {
    if (
      path_open(
        ROOT,
        FOLLOW,
        changetype<usize>(name),
        name.byteLength,
        O_CREAT,
        FILE_RIGHTS,
        FILE_RIGHTS,
        0,
        scratch + 80,
      )
    )
      continue;
    const fd = load<i32>(scratch + 80);
    store<u32>(scratch + 64, buffer);
    store<u32>(scratch + 68, 1 + ((i * 997) & 0x3fff));
    fd_write(fd, scratch + 64, 1, scratch + 72);
    fd_close(fd);
    path_create_directory(ROOT, changetype<usize>(other), other.byteLength);
    path_filestat_get(ROOT, FOLLOW, changetype<usize>(other), other.byteLength, scratch + 96);
    path_unlink_file(ROOT, changetype<usize>(name), name.byteLength);
  }
}

/** Calls the kernel from ever deeper in the stack. */
function deep(dir: string): i32 {
  const name = String.UTF8.encode(relative(dir + '/deep'));
  if (
    path_open(
      ROOT,
      FOLLOW,
      changetype<usize>(name),
      name.byteLength,
      O_CREAT,
      FILE_RIGHTS,
      FILE_RIGHTS,
      0,
      scratch + 80,
    ) === 0
  ) {
    store<u32>(scratch + 64, buffer);
    store<u32>(scratch + 68, 100);
    fd_write(load<i32>(scratch + 80), scratch + 64, 1, scratch + 72);
    fd_close(load<i32>(scratch + 80));
  }
  path_unlink_file(ROOT, changetype<usize>(name), name.byteLength);
  return deep(dir) + 1;
}

function sleep(ms: i64): void {
  memory.fill(scratch + 96, 0, 48);
  store<u32>(scratch + 96 + 16, 1);
  store<i64>(scratch + 96 + 24, ms * 1000000);
  check(poll_oneoff(scratch + 96, scratch + 160, 1, scratch + 72));
}

function recurse(depth: i32): i32 {
  return depth === 0 ? 0 : recurse(depth + 1) + depth;
}
