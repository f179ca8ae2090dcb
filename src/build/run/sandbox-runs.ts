/**
 * RunExecutor over spaces: what a RUN is told (user, environment, mounts) becomes the sandbox's document, its mounts are
 * filled, and what its program changed is read back. Where the program runs is the space's business.
 */
import { environment, resolveUser } from '../../containers/process-config.ts';
import { WctrError } from '../../errors.ts';
import type { ByteLocation } from '../../host/ports.ts';
import type { SandboxExit, SandboxSpec } from '../../host/sandbox.ts';
import type { Digest } from '../../spec/image-spec.ts';
import type { CacheMounts } from './cache-mounts.ts';
import type { RunExecutor, RunOutcome, RunStep } from './executor.ts';
import { openMounts, type RunMounts } from './mounts.ts';
import type { RunSpace, RunSpaces } from './space.ts';
import { explained } from './start-errors.ts';

export interface SandboxRunsOptions {
  readonly spaces: RunSpaces;
  readonly caches: CacheMounts;
  /** The files of these layers. Throws 'store-corrupt' or 'not-found' where one of them is gone. */
  readonly rootfs: (diffIds: readonly Digest[]) => Promise<RunRootfs>;
  readonly newId: () => string;
}

export interface RunRootfs {
  readonly index: { readonly index?: ByteLocation };
  readonly layers: readonly ByteLocation[];
  /** A text file of them; undefined where there is none. */
  readonly readFile: (path: string) => Promise<string | undefined>;
}

/** BuildKit's, which scripts look for. */
const HOSTNAME = 'buildkitsandbox';
/** Mounted over what the layers have, as far as a layer is concerned. */
const FURNISHED = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'];

export class SandboxRuns implements RunExecutor {
  readonly #options: SandboxRunsOptions;

  constructor(options: SandboxRunsOptions) {
    this.#options = options;
  }

  async run(step: RunStep): Promise<RunOutcome> {
    throwIfCancelled(step.signal);
    const { caches, rootfs } = this.#options;
    const files = await rootfs(step.diffIds);
    const spec = await this.#spec(step, files);
    const mounts = await openMounts(step, caches);
    let space: RunSpace | undefined;
    try {
      space = await this.#open({ ...spec, mounts: mounts.sandboxMounts }, step);
      return await this.#run(space, mounts, step);
    } catch (error) {
      await space?.close();
      await mounts.release();
      throwIfCancelled(step.signal);
      throw explained(error, step);
    }
  }

  #open(spec: SandboxSpec, { network, extraHosts, expectsMore, signal }: RunStep): Promise<RunSpace> {
    return this.#options.spaces.open({
      ...{ spec, network, extraHosts },
      ...(expectsMore === undefined ? {} : { expectsMore }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async #run(space: RunSpace, mounts: RunMounts, { signal, onOutput }: RunStep): Promise<RunOutcome> {
    const cancel = () => void space.close();
    signal?.addEventListener('abort', cancel, { once: true });
    let exit: SandboxExit;
    try {
      await mounts.fill(space.files);
      exit = await space.run(onOutput);
      throwIfCancelled(signal);
      await mounts.keep(space.files);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
    return {
      exitCode: exit.exitCode,
      ...(exit.reason === undefined ? {} : { reason: exit.reason }),
      oomKilled: exit.oomKilled,
      layer: () => space.files.layer(FURNISHED),
      release: async () => {
        await space.close();
        await mounts.release();
      },
    };
  }

  async #spec(step: RunStep, files: RunRootfs): Promise<SandboxSpec> {
    const { args, cwd, memoryBytes, fixedTime } = step;
    if (args.length === 0) throw new WctrError('invalid-argument', 'RUN without a command');
    const user = await resolveUser(step.user, files.readFile);
    return {
      id: this.#options.newId(),
      hostname: HOSTNAME,
      process: {
        args,
        env: withHome(environment({ env: step.env }, { hostname: HOSTNAME }), await homeOf(user.uid, files)),
        cwd,
        user,
        terminal: false,
      },
      root: { readonly: false, layers: files.layers, ...files.index },
      program: { path: args[0]! },
      mounts: [],
      resources: memoryBytes === undefined ? {} : { memoryBytes },
      stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
      ...(fixedTime === undefined ? {} : { deterministic: true, clockStart: fixedTime }),
    };
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new WctrError('cancelled', 'cancelled', { cause: signal.reason });
}

/** As runc sets it: of the user's line in /etc/passwd, the root directory without one. */
async function homeOf(uid: number, { readFile }: RunRootfs): Promise<string> {
  for (const line of ((await readFile('/etc/passwd')) ?? '').split('\n')) {
    const [, , id, , , home] = line.split(':');
    if (id === String(uid) && home !== undefined && home !== '') return home;
  }
  return '/';
}

function withHome(env: readonly string[], home: string): readonly string[] {
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${home}`];
}
