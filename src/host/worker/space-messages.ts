/** What a page and the worker that holds a program's container (host/inline/space.ts) say to each other. */
import type { ErrorCode } from '../../errors.ts';
import type { ExtractOptions, FileAttributes } from '../container/container.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';

/** `id` names what answers belong to. A stream that is sent is acknowledged piece by piece, one that is read asked for so. */
export type SpaceRequest = { readonly id: number } & (
  | {
      readonly type: 'open';
      readonly spec: SandboxSpec;
      readonly kernel: WebAssembly.Module;
      readonly core: WebAssembly.Module;
    }
  | { readonly type: 'extract'; readonly path: string; readonly options: ExtractOptions }
  | { readonly type: 'write'; readonly path: string; readonly attributes: FileAttributes }
  | { readonly type: 'piece'; readonly bytes: Uint8Array }
  /** No more pieces. `broken`: not all of them came. */
  | { readonly type: 'end'; readonly broken: boolean }
  | { readonly type: 'seal'; readonly path: string }
  | { readonly type: 'layer'; readonly except: readonly string[] }
  | { readonly type: 'archive'; readonly path: string }
  | { readonly type: 'next' }
  | { readonly type: 'run' }
);

export type SpaceMessage =
  | { readonly id: number; readonly type: 'done'; readonly exit?: SandboxExit }
  | { readonly id: number; readonly type: 'failed'; readonly error: SpaceError }
  | { readonly id: number; readonly type: 'taken' }
  | { readonly id: number; readonly type: 'piece'; readonly bytes: Uint8Array }
  | { readonly id: number; readonly type: 'output'; readonly stream: 1 | 2; readonly bytes: Uint8Array };

export interface SpaceError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}
