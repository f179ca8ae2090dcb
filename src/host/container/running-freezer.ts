/** Freezes a guest while it runs: the guest's end of GuestProcess.freeze. */
import { ASYNCIFY_FREE, ASYNCIFY_NO_IMPORTS, ASYNCIFY_NONE, ASYNCIFY_USED } from '../../core/abi/guard.ts';
import { type GuardCore, guardModule } from '../../core/guard.ts';
import { type CheckpointFile, freeze } from '../checkpoint/freeze.ts';
import { GuestStack, type StackTaker } from '../checkpoint/guest-stack.ts';
import { cannotKeep } from '../checkpoint/instance-state.ts';
import type { PathTracker } from '../checkpoint/open-files.ts';
import type { LoadedProgram } from '../runner/run.ts';
import {
  FREEZE_AND_END,
  FREEZE_AND_GO_ON,
  FREEZE_BEGUN,
  FREEZE_NOTHING,
  STATE_ASYNCIFY,
  STATE_FREEZE,
} from './messages.ts';

export interface RunningFreezerOptions {
  readonly state: Int32Array;
  readonly program: LoadedProgram;
  readonly args: readonly string[];
  readonly paths: PathTracker;
  readonly core: GuardCore;
  readonly create: () => CheckpointFile;
  /** Undefined: the checkpoint is there. */
  readonly report: (error?: unknown) => void;
  /** Was a wait of the guest's cut short for this? */
  readonly interrupted: () => boolean;
}

const REASONS: Readonly<Record<number, string>> = {
  [ASYNCIFY_NONE]: 'it runs, and was not built so that its frames can be kept',
  [ASYNCIFY_USED]: 'it takes its stack down itself (its fibers, or exceptions), and would take this for its own doing',
  [ASYNCIFY_NO_IMPORTS]: 'it was built with asyncify-ignore-imports: its stack cannot be taken down in a system call',
};

export class RunningFreezer implements StackTaker {
  readonly stack: GuestStack = new GuestStack(this);
  readonly #options: RunningFreezerOptions;
  #instance: WebAssembly.Instance | undefined;
  #goesOn = true;
  /** ASYNCIFY_*, once it is known. */
  #kind: number | undefined;

  constructor(options: RunningFreezerOptions) {
    this.#options = options;
  }

  /** The guest was frozen and did not go on. */
  get hasEnded(): boolean {
    return !this.#goesOn;
  }

  attach(instance: WebAssembly.Instance): void {
    this.#instance = instance;
    Atomics.store(this.#options.state, STATE_ASYNCIFY, 1);
  }

  wants(): boolean {
    const wanted = Atomics.load(this.#options.state, STATE_FREEZE);
    return wanted === FREEZE_AND_END || wanted === FREEZE_AND_GO_ON;
  }

  begin(): boolean {
    const { state } = this.#options;
    const wanted = Atomics.load(state, STATE_FREEZE);
    if (wanted === FREEZE_NOTHING || Atomics.compareExchange(state, STATE_FREEZE, wanted, FREEZE_BEGUN) !== wanted) {
      return false;
    }
    this.#goesOn = true;
    try {
      this.#mustUnwind();
      // Tells at once what could not be kept: a stack that was taken down for nothing is no harm, but no use either.
      this.#options.paths.capture();
    } catch (error) {
      this.#end(error);
      return false;
    }
    this.#endsAfter = wanted === FREEZE_AND_END;
    return true;
  }

  taken(at: number): boolean {
    const { program, paths, create, args } = this.#options;
    try {
      const freezing = { open: create, program: program.identity!, paths };
      freeze(this.#instance!, program.module, freezing, { how: 'stack', stack: at, args });
    } catch (error) {
      this.#end(error);
      return true;
    }
    this.#goesOn = !this.#endsAfter;
    this.#end();
    return this.#goesOn;
  }

  failed(error: Error): void {
    this.#end(error);
  }

  interrupted(): boolean {
    return this.#options.interrupted();
  }

  #endsAfter = false;

  #end(error?: unknown): void {
    Atomics.store(this.#options.state, STATE_FREEZE, FREEZE_NOTHING);
    this.#options.report(error);
  }

  /** Judged from the program's bytes, when it is first asked for: most programs never are. */
  #mustUnwind(): void {
    const { core, program } = this.#options;
    this.#kind ??=
      guardModule(core, program.identity!.bytes(), {
        imports: [],
        ungranted: 'trap',
        maxMemoryPages: 65536,
        maxTableElements: 0xffffffff,
        asyncify: true,
      }).info.asyncify ?? ASYNCIFY_NONE;
    if (this.#kind !== ASYNCIFY_FREE) {
      throw cannotKeep(REASONS[this.#kind]!, {
        hint: 'stop it, if it exports wizer.initialize, and freeze it initialised',
      });
    }
  }
}
