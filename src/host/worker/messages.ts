/** What a sandbox and its worker say to each other. */
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';

/** A standard stream of the guest. */
export type StreamSetup =
  /** The runtime's own descriptor, used in place. */
  | { readonly kind: 'inherit' }
  | { readonly kind: 'null' }
  /** Through shared memory, with back-pressure. */
  | { readonly kind: 'ring'; readonly buffer: SharedArrayBuffer }
  /** No shared memory: output as messages; input is all there before the start. */
  | { readonly kind: 'message'; readonly input?: Uint8Array };

export interface StartMessage {
  readonly type: 'start';
  readonly spec: SandboxSpec;
  readonly kernel: WebAssembly.Module;
  readonly core: WebAssembly.Module;
  readonly stdin: StreamSetup;
  readonly stdout: StreamSetup;
  readonly stderr: StreamSetup;
  /** One i32, not 0: the guest is to end. For engines that cannot stop a computing worker. */
  readonly stop?: SharedArrayBuffer;
}

export type OutputName = 'stdout' | 'stderr';

export type WorkerMessage =
  | { readonly type: 'ready' }
  /** A ring that was empty has bytes. */
  | { readonly type: 'readable'; readonly stream: OutputName }
  /** The guest took bytes of its input. */
  | { readonly type: 'writable' }
  | { readonly type: 'output'; readonly stream: OutputName; readonly bytes: Uint8Array }
  | { readonly type: 'exit'; readonly exit: SandboxExit };

/** A worker as its owner sees it, whatever kind it is. `In`: what it is told; `Out`: what it says. */
export interface WorkerPort<In, Out> {
  post(message: In, transfer?: readonly unknown[]): void;
  onMessage(listener: (message: Out) => void): void;
  /** The worker ended by itself or could not be loaded. */
  onEnd(listener: (error: unknown) => void): void;
  /** Resolves when no instruction of it runs any more. */
  terminate(): Promise<void>;
}
