/**
 * The Sandbox port: run one program in isolation. Its document follows the OCI runtime-spec's config.json
 * (process, root, mounts, linux.resources) in the terms both share; what has no kernel behind it is not there.
 */
import type { ByteLocation, SyncFileSystem } from './ports.ts';

export interface SandboxSpec {
  /** Container id, 64 hex characters. */
  readonly id: string;
  readonly hostname: string;
  /** /etc/hosts and /etc/resolv.conf; absent: localhost and the hostname, and nobody to ask. */
  readonly names?: { readonly hosts: string; readonly resolv: string };
  readonly process: {
    /** argv; args[0] is the program's name as the guest sees it. */
    readonly args: readonly string[];
    /** `NAME=value`. */
    readonly env: readonly string[];
    /** Absolute. Created by the engine when the image lacks it. */
    readonly cwd: string;
    readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
    readonly terminal: boolean;
    readonly consoleSize?: { readonly height: number; readonly width: number };
  };
  readonly root: {
    readonly readonly: boolean;
    /** The rootfs index (core/abi/rootfs-index.ts); absent: an empty root directory. */
    readonly index?: ByteLocation;
    /** Plain tars, in the order of the index's layer numbers. */
    readonly layers: readonly ByteLocation[];
  };
  readonly program: {
    /** Path inside the container; or the module's bytes when it is not part of the image (`wctr run ./app.wasm`). */
    readonly path?: string;
    readonly module?: ByteLocation;
    /** The export to call; default `_start`. */
    readonly export?: string;
    /** Function imports that nobody granted: `deny` (default) refuses the module, `trap` ends the guest that calls one. */
    readonly unknownImports?: 'deny' | 'trap';
    /** Functions this way of running has nothing behind: a program that imports one is not run, its exit is `referred`. */
    readonly refer?: readonly string[];
    /** A checkpoint of this program (host/checkpoint), which goes on there. One of another program is left alone. */
    readonly resume?: CheckpointLocation;
  };
  readonly mounts: readonly SandboxMount[];
  readonly resources: SandboxResources;
  /** `inherit`: the guest uses the caller's own stdio. `pipe`: the handle's streams. `null`: empty input. */
  readonly stdio: {
    readonly stdin: 'inherit' | 'pipe' | 'null';
    readonly stdout: 'inherit' | 'pipe';
    readonly stderr: 'inherit' | 'pipe';
  };
  /** Runs clock and randomness from a fixed seed: the same run twice gives the same output. */
  readonly deterministic?: boolean;
  /** Where the clock of a deterministic run starts, seconds since the epoch. */
  readonly clockStart?: number;
}

/** A checkpoint: a file, or a stretch of one (of a layer's plain tar). */
export interface CheckpointLocation {
  readonly at: ByteLocation;
  /** Default: from the first byte to the last. */
  readonly position?: number;
  readonly sizeBytes?: number;
}

export type SandboxMount =
  | {
      readonly type: 'tmpfs';
      readonly destination: string;
      readonly sizeBytes?: number;
      readonly mode?: number;
      readonly readonly?: boolean;
      /** An empty file in place of a directory. */
      readonly isFile?: boolean;
      /** Of the directory. Default root. */
      readonly owner?: { readonly uid: number; readonly gid: number };
    }
  | {
      readonly type: 'bind';
      readonly destination: string;
      readonly source: string;
      readonly readonly?: boolean;
      /** Whom all files of it seem to belong to; default: as the host has it. */
      readonly owner?: { readonly uid: number; readonly gid: number };
    }
  /** A Node-fs-shaped object; only where the guest runs in the caller's thread, else the engine copies it in. */
  | {
      readonly type: 'fs';
      readonly destination: string;
      readonly fs: SyncFileSystem;
      readonly source: string;
      readonly readonly?: boolean;
    };

export interface SandboxResources {
  /** Guest linear memory + writable layer + tmpfs, bytes. */
  readonly memoryBytes?: number;
  /** CPUs as a fraction, 0.5 = half of one. Injects fuel checks. */
  readonly cpus?: number;
  readonly pids?: number;
  /** Open file descriptors (RLIMIT_NOFILE). */
  readonly nofile?: number;
  /** Writable layer, bytes. */
  readonly storageBytes?: number;
  readonly inodes?: number;
  readonly timeoutMs?: number;
  /** Wasm table entries over all tables. */
  readonly tableElements?: number;
}

export interface SandboxExit {
  /** 0..255; 128 + n after signal n; 137 when out of memory. */
  readonly exitCode: number;
  readonly signal?: Signal;
  readonly oomKilled: boolean;
  /** One line, for people, where the guest did not end by itself: trap and where, limit, refused module. */
  readonly reason?: string;
  /** What the user can do about it, where there is something. */
  readonly hint?: string;
  /** The code of the WctrError behind a start that failed ('entrypoint-not-found', 'module-denied', ...). */
  readonly errorCode?: import('../errors.ts').ErrorCode;
  /** Nothing was run: the program imports what `program.refer` names. */
  readonly referred?: boolean;
}

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGHUP' | 'SIGQUIT' | 'SIGUSR1' | 'SIGUSR2';

export interface SandboxStats {
  readonly memoryBytes: number;
  readonly storageBytes: number;
  readonly cpuMs: number;
}

export interface SandboxHandle {
  /** The operating system's pid where there is one. */
  readonly pid: number | undefined;
  readonly stdin: WritableStream<Uint8Array> | undefined;
  readonly stdout: ReadableStream<Uint8Array> | undefined;
  readonly stderr: ReadableStream<Uint8Array> | undefined;
  /** Never rejects for what the guest did; resolves once, also for calls made after the end. */
  wait(): Promise<SandboxExit>;
  signal(name: Signal): Promise<void>;
  stats(): Promise<SandboxStats>;
}

export interface Sandbox {
  /** `process`, `worker`, `inline`, `wasmer`. */
  readonly isolation: string;
  start(spec: SandboxSpec): Promise<SandboxHandle>;
}
