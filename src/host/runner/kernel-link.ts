/**
 * One thread's end of a kernel: what kernel.wasm imports of its host, and the port the personality does I/O through. The
 * thread that boots a kernel has one, and so has each further thread over the same shared memory.
 */
import { ENOSYS } from '../../core/abi/kernel.ts';
import { errnoOf } from '../mounts/errno.ts';
import type { HostDirectory } from '../mounts/host-directory.ts';
import { hostfsImports } from '../mounts/imports.ts';
import type { BlockSource } from '../ports.ts';
import type { KernelPort } from '../wasi/kernel-port.ts';
import type { ClockPort, RandomPort } from '../wasi/ports.ts';

export interface LinkParts {
  readonly memory: WebAssembly.Memory;
  readonly mounts: ReadonlyMap<number, HostDirectory>;
  /** A layer's plain tar. May open it: a hello of a hundred layers touches one. */
  layer(number: number): BlockSource;
  /** Asked anew at each call: a machine serves one container after the other. */
  clock(): ClockPort;
  random(): RandomPort;
  /** Where the writable layer is kept (core/upper.ts); absent: nowhere. */
  readonly journalWrite?: (generation: number, low: number, high: number, pointer: number, length: number) => number;
}

const RANDOM_BLOCK_BYTES = 65536;

export function kernelImports(parts: LinkParts): WebAssembly.Imports {
  const { memory } = parts;
  return {
    env: { memory },
    host: {
      now: () => parts.clock().realtimeMs(),
      random: (pointer: number, length: number) => {
        const bytes = new Uint8Array(memory.buffer, pointer >>> 0, length >>> 0);
        for (let at = 0; at < bytes.length; at += RANDOM_BLOCK_BYTES) {
          fillRandom(parts.random(), bytes.subarray(at, at + RANDOM_BLOCK_BYTES));
        }
      },
      layer_read: (layer: number, low: number, high: number, pointer: number, length: number) =>
        guarded(() => {
          const target = new Uint8Array(memory.buffer, pointer >>> 0, length >>> 0);
          return parts.layer(layer).readSync(target, (high >>> 0) * 2 ** 32 + (low >>> 0));
        }),
      journal_write: parts.journalWrite ?? (() => -ENOSYS),
      ...hostfsImports(parts.mounts, memory),
    },
  };
}

export function kernelPort(calls: WebAssembly.Exports, parts: LinkParts): KernelPort {
  return {
    memory: parts.memory,
    calls: calls as unknown as KernelPort['calls'],
    readLayer: (layer, position, target) => guarded(() => parts.layer(layer).readSync(target, position)),
    hostRead: (mount, handle, position, target) =>
      guarded(() => parts.mounts.get(mount)!.read(handle, target, position)),
    hostWrite: (mount, handle, position, append, source) =>
      guarded(() => parts.mounts.get(mount)!.write(handle, source, append ? null : position)),
  };
}

/** The web's generator does not fill shared memory. */
function fillRandom(random: RandomPort, target: Uint8Array): void {
  if (typeof SharedArrayBuffer === 'undefined' || !((target.buffer as ArrayBufferLike) instanceof SharedArrayBuffer)) {
    random.fill(target);
    return;
  }
  const plain = new Uint8Array(target.length);
  random.fill(plain);
  target.set(plain);
}

function guarded(call: () => number): number {
  try {
    return call();
  } catch (error) {
    return -errnoOf(error);
  }
}
