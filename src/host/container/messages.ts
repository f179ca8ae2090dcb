/** What a container's main thread and the thread of one of its guests say to each other. */
import type { ErrorCode } from '../../errors.ts';
import type { ByteLocation } from '../ports.ts';
import type { PreparedModule } from '../runner/module.ts';
import type { SandboxExit, SandboxMount, SandboxSpec } from '../sandbox.ts';
import type { OutputName } from '../worker/messages.ts';
import type { FreezeRequest } from './container.ts';

/** A layer as all threads can read it: a descriptor of the process, where there is such a thing. */
export type SharedBlock = ByteLocation | { readonly descriptor: number; readonly sizeBytes: number };

/** A kernel that the main thread has booted, for another thread to attach to. */
export interface KernelAttachment {
  readonly memory: WebAssembly.Memory;
  /** kernel.wasm for shared memory. */
  readonly kernel: WebAssembly.Module;
  readonly layers: readonly SharedBlock[];
  readonly mounts: readonly AttachedMount[];
  /** The mounts' nodes (host/mounts/shared-nodes.ts); absent without mounts of the host. */
  readonly nodes?: SharedArrayBuffer;
  /** The bucket of the container's CPU limit (host/fuel-quota.ts). */
  readonly quota: SharedArrayBuffer;
  /** Path of the writable layer's journal. */
  readonly journal?: string;
}

export interface AttachedMount {
  readonly number: number;
  readonly rootNode: number;
  readonly mount: Extract<SandboxMount, { type: 'bind' }>;
}

export interface GuestStart {
  readonly type: 'guest';
  readonly attachment: KernelAttachment;
  readonly core: WebAssembly.Module;
  /** The container's, with this process' program, arguments and user. */
  readonly spec: SandboxSpec;
  /** The kernel process made for it, with its working directory. */
  readonly task: number;
  /** Absent: at its end from the beginning. */
  readonly stdin?: SharedArrayBuffer;
  /** With a terminal both outputs are one. */
  readonly stdout: SharedArrayBuffer;
  readonly stderr?: SharedArrayBuffer;
  /** i32 each, as named below. */
  readonly state: SharedArrayBuffer;
  /** For networkPortOf (host/network). */
  readonly network?: unknown;
  readonly freeze?: FreezeRequest;
  /** Where a checkpoint of it goes while it runs. */
  readonly checkpoint?: string;
  /** Started by another program. */
  readonly child?: ChildStart;
}

export interface ChildStart {
  /** Its strings, byte for byte, a NUL behind each. */
  readonly args: Uint8Array;
  readonly env: Uint8Array;
  /** What its file is known by (SpawnRequest.identity). */
  readonly identity?: string;
  /** Compiled before, from that very file. */
  readonly prepared?: PreparedModule;
}

/** What a program's thread asks; the answer goes to its state. */
export type GuestAsk =
  | {
      readonly type: 'spawn';
      readonly path: string;
      readonly identity?: string;
      readonly args: Uint8Array;
      readonly env: Uint8Array;
      readonly cwd: string;
      readonly fds: Int32Array;
    }
  | { readonly type: 'kill'; readonly pid: number; readonly signal: number };

export type GuestMessage =
  | GuestAsk
  /** `spawns`: it may start other programs. `prepared`: its module, compiled from the file it is known by. */
  | {
      readonly type: 'started';
      readonly thread?: string;
      readonly spawns: boolean;
      readonly prepared?: PreparedModule;
    }
  | { readonly type: 'failed'; readonly error: GuestError }
  | { readonly type: 'readable'; readonly stream: OutputName }
  | { readonly type: 'writable' }
  /** Its stack was taken down. Without an error the checkpoint is there. */
  | { readonly type: 'frozen'; readonly error?: GuestError }
  | { readonly type: 'exit'; readonly exit: SandboxExit };

export interface GuestError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** Words of `state`. The first: size of the guest's memory at its start, in pages of 64 KiB. */
export const STATE_PAGES = 0;
/** 1: the guest handles signals itself. */
export const STATE_CATCHES = 1;
/** Descriptor of the journal that the thread has open, plus one: who outlives the thread closes it. */
export const STATE_JOURNAL = 2;
/** FREEZE_*: what the main thread wants, and the guest's does. */
export const STATE_FREEZE = 3;
/** 1: built so that its stack can be taken down. */
export const STATE_ASYNCIFY = 4;
/** 1: what the thread asked is answered, in the next. */
export const STATE_ANSWERED = 5;
export const STATE_ANSWER = 6;
export const STATE_BYTES = 28;

export const FREEZE_NOTHING = 0;
export const FREEZE_AND_END = 1;
export const FREEZE_AND_GO_ON = 2;
/** Begun: cannot be called off. */
export const FREEZE_BEGUN = 3;
/** A signal no guest sees: it ends a wait in the kernel. */
export const FREEZE_SIGNAL = 32;
