/**
 * Isolation `process` for a command whose only work is one container in the foreground: the command's process becomes
 * the container's, as a shell's `exec` does, and no second one has to boot. The guest still has an operating-system
 * process to itself; what is missing is somebody beside it, so a guest that needs a supervisor (a time limit, a memory
 * limit watched from outside) gets one from `supervised`.
 */
import type { Sandbox, SandboxExit, SandboxHandle, SandboxSpec } from '../sandbox.ts';
import { loadCheckpoints, runOnOwnStdio } from './guest-process.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** What a shell reports for a program that died of SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;

export interface OwnProcessOptions {
  /** Starts those that need a second process. */
  supervised(): Promise<Sandbox>;
}

export function createOwnProcessSandbox(options: OwnProcessOptions): Sandbox {
  return {
    isolation: 'process',
    async start(spec) {
      return needsSupervisor(spec) ? (await options.supervised()).start(spec) : new OwnProcessHandle(spec);
    },
  };
}

export function needsSupervisor({ resources, stdio, mounts }: SandboxSpec): boolean {
  const isInherited = stdio.stdout === 'inherit' && stdio.stderr === 'inherit' && stdio.stdin !== 'pipe';
  const isWatched = resources.timeoutMs !== undefined || resources.memoryBytes !== undefined;
  return isWatched || !isInherited || mounts.some((mount) => mount.type === 'fs');
}

/** Runs the guest when it is waited for, so that its caller can have everything on disk before. */
class OwnProcessHandle implements SandboxHandle {
  readonly pid = process.pid;
  readonly stdin = undefined;
  readonly stdout = undefined;
  readonly stderr = undefined;
  readonly #spec: SandboxSpec;
  #exit: Promise<SandboxExit> | undefined;

  constructor(spec: SandboxSpec) {
    this.#spec = spec;
  }

  wait(): Promise<SandboxExit> {
    this.#exit ??= this.#run();
    return this.#exit;
  }

  async #run(): Promise<SandboxExit> {
    const checkpoints = this.#spec.program.resume === undefined ? undefined : await loadCheckpoints();
    // Nothing of JavaScript runs while the guest does: a signal has to end the process by itself.
    for (const name of SIGNALS) process.removeAllListeners(name);
    return runOnOwnStdio(this.#spec, () => process.exit(EXIT_BROKEN_PIPE), checkpoints);
  }

  async signal(): Promise<void> {
    // Whoever could call this is the guest's own thread, and the guest has ended.
  }

  async stats() {
    const { rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    return { memoryBytes: rss, storageBytes: 0, cpuMs: (user + system) / 1000 };
  }
}
