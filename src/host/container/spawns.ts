/** What a container's main thread keeps for programs that start programs: compiled modules, and how failures are told. */
import { EACCES, EAGAIN, EIO, ENOENT, ENOMEM } from '../../core/abi/kernel.ts';
import { type ErrorCode, isWctrError } from '../../errors.ts';
import { memoryPages, type PreparedModule } from '../runner/module.ts';
import type { SandboxResources, SandboxSpec } from '../sandbox.ts';

const ENOEXEC = 8;

const ERRNO: Partial<Record<ErrorCode, number>> = {
  'entrypoint-not-found': ENOENT,
  'not-found': ENOENT,
  'entrypoint-denied': EACCES,
  'exec-format': ENOEXEC,
  'invalid-module': ENOEXEC,
  'module-denied': ENOEXEC,
  'limit-exceeded': EAGAIN,
  'no-memory': ENOMEM,
};

/** What a program is told of another one's start that failed: a negative errno. */
export function spawnErrno(error: unknown): number {
  return -((isWctrError(error) ? ERRNO[error.code] : undefined) ?? EIO);
}

/** Modules kept. Most containers have one, the shell with all its commands. */
const MOST_MODULES = 16;

/** Compiled modules by the identity of their file (SpawnRequest.identity) and the limits they were compiled for. */
export class ModuleShelf {
  readonly #modules = new Map<string, PreparedModule>();

  get(key: string): PreparedModule | undefined {
    const found = this.#modules.get(key);
    if (found === undefined) return undefined;
    // Least recently used first.
    this.#modules.delete(key);
    this.#modules.set(key, found);
    return found;
  }

  put(key: string, module: PreparedModule): void {
    this.#modules.set(key, module);
    for (const oldest of this.#modules.keys()) {
      if (this.#modules.size <= MOST_MODULES) return;
      this.#modules.delete(oldest);
    }
  }
}

/** All that the guard makes of a file in this spec depends on, besides the file. */
export function shelfKey(identity: string, { resources, program }: SandboxSpec): string {
  const { tableElements, cpus } = resources;
  return [identity, memoryPages(resources), tableElements, cpus !== undefined, program.unknownImports].join();
}

/** Steps in which programs get what is left of a limit: each other amount is another module. */
const MEMORY_STEPS = 16;

/** For a program that another one starts, when `leftBytes` of `limitBytes` are left. */
export function memoryShare(leftBytes: number, limitBytes: number): number {
  const step = Math.ceil(limitBytes / MEMORY_STEPS);
  return leftBytes < step ? leftBytes : leftBytes - (leftBytes % step);
}

export function withMemory(resources: SandboxResources, memoryBytes: number | undefined): SandboxResources {
  const { timeoutMs: _, memoryBytes: __, ...others } = resources;
  return memoryBytes === undefined ? others : { ...others, memoryBytes };
}
