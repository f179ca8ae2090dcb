/** What a guest module may be and have. The guard refuses or clamps what is beyond. */

/** `names` undefined: every function of that module. */
export interface ImportGrant {
  readonly module: string;
  readonly names?: readonly string[];
}

export interface GuardPolicy {
  /** Functions the guest may import. Nothing else is granted, except memory 0 by `memoryImport`. */
  readonly imports: readonly ImportGrant[];
  /** What becomes of function imports that were not granted: the module is refused (default), or the host links them
   * to functions that trap (`GuardInfo.imports` marks them). */
  readonly ungranted?: 'deny' | 'trap';
  /** Guest linear memory, 64 KiB pages, all memories together. */
  readonly maxMemoryPages: number;
  /** Entries over all tables, and how many functions element segments may name. */
  readonly maxTableElements: number;
  /** The module may import its memory (threads). Default false. */
  readonly memoryImport?: boolean;
  /** Default false. */
  readonly sharedMemory?: boolean;
  /** Tags and exnref. Default true. */
  readonly exceptions?: boolean;
  /** Turn the module's own memory 0 into the import "wctr" "memory", made by the host. Default false. */
  readonly hostMemory?: boolean;
  /** Inject fuel checks: the guest comes back to host/fuel.ts every few milliseconds. Default false. */
  readonly fuel?: boolean;
  /** Export what a checkpoint keeps; the host runs the start function (host/checkpoint). Default false. */
  readonly state?: boolean;
  /** `state`, for a module that was built with Binaryen's Asyncify. Default false. */
  readonly stateOfAsyncify?: boolean;
  /** Find out whether the host can unwind the stack in an import: `GuardInfo.asyncify`. Default false. */
  readonly asyncify?: boolean;
  readonly counts?: Partial<GuardCounts>;
}

/** Caps on sizes and counts. The defaults lie far above what compilers emit and below what hurts an engine. */
export interface GuardCounts {
  readonly moduleBytes: number;
  readonly memories: number;
  readonly tables: number;
  readonly types: number;
  readonly functions: number;
  readonly globals: number;
  readonly imports: number;
  readonly exports: number;
  readonly tags: number;
  readonly elementSegments: number;
  readonly dataSegments: number;
  readonly customSections: number;
  /** Of one type. Each costs an engine time per use, so that a few bytes of code can cost a thousandfold. */
  readonly params: number;
  readonly results: number;
  /** Of one function, parameters included. */
  readonly locals: number;
  /** Of all functions. */
  readonly totalLocals: number;
  /** Of one function. */
  readonly bodyBytes: number;
}

export const DEFAULT_COUNTS: GuardCounts = {
  moduleBytes: 256 * 1024 * 1024,
  memories: 1,
  tables: 16,
  types: 100_000,
  functions: 500_000,
  globals: 100_000,
  imports: 2_000,
  exports: 100_000,
  tags: 1_000,
  elementSegments: 100_000,
  dataSegments: 100_000,
  customSections: 1_000,
  params: 256,
  results: 64,
  // Engines stop at 50,000; one is the guard's own.
  locals: 49_999,
  totalLocals: 20_000_000,
  bodyBytes: 7_000_000,
};

/** The WASI preview 1 and snapshot 0 interfaces, and what goes beyond them (spec/wctr-posix.ts). */
export const WASI_GRANTS: readonly ImportGrant[] = [
  { module: 'wasi_snapshot_preview1' },
  { module: 'wasi_unstable' },
  { module: 'wctr_posix_v1' },
];
