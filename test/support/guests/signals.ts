// @ts-nocheck: AssemblyScript, not TypeScript.
/** A guest that handles its own signals: waits for three in poll_oneoff, or for one in a read, and says which came. */
import { args_sizes_get, fd_read, fd_write, poll_oneoff, proc_exit } from './wasi_snapshot_preview1';

const scratch = memory.data(256, 16);
let seen: i32 = 0;

export function __wasm_signal(signal: i32): void {
  seen++;
  print(`signal ${signal.toString()}\n`);
}

export function _start(): void {
  args_sizes_get(scratch, scratch + 4);
  print('waiting\n');
  if (load<i32>(scratch) > 1) {
    store<u32>(scratch + 64, scratch + 128);
    store<u32>(scratch + 68, 16);
    print(`read ${fd_read(0, scratch + 64, 1, scratch + 72).toString()}\n`);
    return;
  }
  while (seen < 3) {
    memory.fill(scratch + 96, 0, 48);
    store<u32>(scratch + 96 + 16, 1);
    store<i64>(scratch + 96 + 24, 60000000000);
    poll_oneoff(scratch + 96, scratch + 160, 1, scratch + 72);
  }
  proc_exit(seen);
}

function print(text: string): void {
  const bytes = String.UTF8.encode(text);
  store<u32>(scratch + 64, changetype<usize>(bytes));
  store<u32>(scratch + 68, bytes.byteLength);
  fd_write(1, scratch + 64, 1, scratch + 72);
}
