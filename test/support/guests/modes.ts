// @ts-nocheck: AssemblyScript, not TypeScript.
/** Changes mode and owner of the file its argument names, in every sandbox, and asks for another program. */
import { args_get, args_sizes_get, fd_write } from './wasi_snapshot_preview1';
import { fd_pipe, path_chmod, path_chown, path_stat, proc_ids, proc_spawn } from './wctr_posix_v1';

const ROOT: i32 = 3;
const FOLLOW: i32 = 1;
const scratch = memory.data(1024, 16);

export function _start(): void {
  args_sizes_get(scratch, scratch + 4);
  args_get(scratch + 16, scratch + 256);
  const name = String.UTF8.encode(String.UTF8.decodeUnsafe(load<u32>(scratch + 20), 64, true));
  const path = changetype<usize>(name);
  const ids = scratch + 512;
  const stat = scratch + 640;
  proc_ids(ids);
  print(`user ${load<u32>(ids)} mask ${load<u32>(ids, 16)}`);
  print(`chmod ${path_chmod(ROOT, FOLLOW, path, name.byteLength, 0o640)}`);
  print(`chown ${path_chown(ROOT, FOLLOW, path, name.byteLength, 7, -1)}`);
  print(`stat ${path_stat(ROOT, FOLLOW, path, name.byteLength, stat)}`);
  print(`mode ${load<u32>(stat, 16)} owner ${load<u32>(stat, 24)}`);
  print(`spawn ${proc_spawn(path, name.byteLength, 0, 0, 0, 0, 0, 0, 0, 0, scratch)} pipe ${fd_pipe(scratch)}`);
}

function print(text: string): void {
  const bytes = String.UTF8.encode(`${text}\n`);
  store<usize>(scratch, changetype<usize>(bytes));
  store<usize>(scratch + 4, bytes.byteLength);
  fd_write(1, scratch, 1, scratch + 8);
}
