/**
 * The part of the kernel a WASI process uses. `src/core/kernel.ts` fits; the calls are described in
 * assembly/kernel/index.ts.
 */
type Call = (...values: number[]) => number;

export interface KernelCalls {
  readonly process_create: Call;
  readonly process_exit: Call;
  readonly process_wait: Call;
  readonly process_kill: Call;
  readonly process_next: Call;
  readonly signals_take: Call;
  readonly openat: Call;
  readonly fstatat: Call;
  readonly mkdirat: Call;
  readonly unlinkat: Call;
  readonly rmdirat: Call;
  readonly symlinkat: Call;
  readonly linkat: Call;
  readonly renameat: Call;
  readonly readlinkat: Call;
  readonly utimensat: Call;
  readonly fchmodat: Call;
  readonly fchownat: Call;
  readonly umask: Call;
  readonly dup: Call;
  readonly pipe: Call;
  readonly close: Call;
  readonly renumber: Call;
  readonly fd_open_host: Call;
  readonly fd_set_status: Call;
  readonly fstat: Call;
  readonly futimens: Call;
  readonly ftruncate: Call;
  readonly fallocate: Call;
  readonly fsync: Call;
  readonly lseek: Call;
  readonly readdir: Call;
  readonly read_begin: Call;
  readonly pread_begin: Call;
  readonly write_begin: Call;
  readonly pwrite_begin: Call;
  readonly io_end: Call;
  readonly poll_query: Call;
  readonly event_word: Call;
  readonly event_wait: Call;
}

export interface KernelPort {
  readonly memory: WebAssembly.Memory;
  readonly calls: KernelCalls;
  /** Plain tar bytes of a layer; returns how many, or a negative errno. */
  readLayer(layer: number, position: number, target: Uint8Array): number;
  /** I/O on a file of a hostfs mount; returns how many bytes, or a negative errno. */
  hostRead(mount: number, handle: number, position: number, target: Uint8Array): number;
  /** `append`: at the file's end, wherever that is. */
  hostWrite(mount: number, handle: number, position: number, append: boolean, source: Uint8Array): number;
  /** Puts the writable layer on disk, where it has one there. 0 or a negative errno. */
  sync?(task: number): number;
}
