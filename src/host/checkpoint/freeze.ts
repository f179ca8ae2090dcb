/** A program that is initialised by an export of its own and then frozen, at the one point where it has no frames. */
import { WctrError } from '../../errors.ts';
import { BLOCK_BYTES, type CheckpointHeader, encodeCheckpoint } from './format.ts';
import { cannotKeep, captureInstance } from './instance-state.ts';
import type { PathTracker } from './open-files.ts';
import type { ProgramIdentity } from './resume.ts';

/** Where a checkpoint is written: whole, or not at all. */
export interface CheckpointFile {
  write(bytes: Uint8Array): void;
  /** On disk, under its name, when this returns. */
  commit(): void;
  discard(): void;
}

export interface Freezing {
  /** The export to call; absent: Wizer's. */
  readonly init?: string;
  readonly open: () => CheckpointFile;
  readonly program: ProgramIdentity;
  readonly paths: PathTracker;
}

/** Wizer's names for an initialising export. */
const INIT_EXPORTS = ['wizer.initialize', 'wizer-initialize', 'wizer_initialize'];
/** Bytes of memory written at once. */
const WRITE_BYTES = 4 * 1024 * 1024;

/** What to call in place of the program's entry: initialises the program and writes the checkpoint. */
export function initAndFreeze(
  instance: WebAssembly.Instance,
  module: WebAssembly.Module,
  freezing: Freezing,
): () => void {
  const init = initOf(instance, freezing.init);
  return () => {
    // A library's constructors; a command's are its init's business, as with Wizer.
    const { _initialize } = instance.exports;
    if (typeof _initialize === 'function' && typeof instance.exports._start !== 'function') _initialize();
    init();
    freeze(instance, module, freezing, { how: 'init' });
  };
}

/** Writes the checkpoint of an instance none of whose functions is running. Throws 'unsupported' for what cannot be kept. */
export function freeze(
  instance: WebAssembly.Instance,
  module: WebAssembly.Module,
  { program, paths, open }: Freezing,
  more: Pick<CheckpointHeader, 'how' | 'stack' | 'args'>,
): void {
  const { ranges, ...state } = captureInstance(instance, module);
  const header: CheckpointHeader = {
    program: program.path,
    ...(program.entry === '_start' ? {} : { entry: program.entry }),
    module: program.digest(),
    ...more,
    ...state,
    ...paths.capture(),
  };
  const memory = instance.exports['wctr.m0'] as WebAssembly.Memory | undefined;
  const file = open();
  try {
    file.write(encodeCheckpoint(header, ranges));
    for (const { first, blocks } of ranges) {
      const bytes = new Uint8Array(memory!.buffer, first * BLOCK_BYTES, blocks * BLOCK_BYTES);
      for (let at = 0; at < bytes.length; at += WRITE_BYTES) file.write(bytes.subarray(at, at + WRITE_BYTES));
    }
    file.commit();
  } catch (error) {
    file.discard();
    throw error;
  }
}

function initOf({ exports }: WebAssembly.Instance, wanted: string | undefined): () => unknown {
  const name = wanted ?? INIT_EXPORTS.find((one) => typeof exports[one] === 'function');
  const init = name === undefined ? undefined : exports[name];
  if (typeof init === 'function') return init as () => unknown;
  if (wanted !== undefined) {
    throw new WctrError('exec-format', `the module has no function export named ${wanted}`, {
      data: { export: wanted },
    });
  }
  throw cannotKeep('it exports no function that initialises it, so there is no point at which it has no frames', {
    hint: 'export one as wizer.initialize, name another with --init, or build it with wasm-opt --asyncify and freeze it while it runs',
  });
}
