/** A program that goes on where a checkpoint has it: found to be the right one, restored, and what to call then. */
import { WctrError } from '../../errors.ts';
import type { BlockSource, ByteLocation } from '../ports.ts';
import type { CheckpointLocation, SandboxSpec } from '../sandbox.ts';
import type { WasiContext } from '../wasi/context.ts';
import { type Checkpoint, damaged, readCheckpoint } from './format.ts';
import { GuestStack } from './guest-stack.ts';
import { restoreInstance } from './instance-state.ts';
import { reopenFiles } from './open-files.ts';

/** Which program a checkpoint is of. */
export interface ProgramIdentity {
  /** In the container; empty for a module that is no file of it. */
  readonly path: string;
  readonly entry: string;
  /** SHA-256 of its bytes, lower-case hex. */
  readonly digest: () => string;
  /** Its bytes, as it was loaded. Throws 'conflict' when they cannot be had any more. */
  readonly bytes: () => Uint8Array;
}

/** What a runner needs where it is to go on from a checkpoint; loaded only then. */
export interface Checkpoints {
  readonly open: typeof openCheckpoint;
  readonly resume: typeof resume;
  /** For a program that goes on in the middle of itself. */
  stack(): GuestStack;
}

/** Wizer's name for what an initialised program runs in place of its entry. */
const RESUME = 'wizer.resume';

/**
 * Undefined when the checkpoint is of another program than the one that is to run. Throws 'store-corrupt', and 'conflict'
 * when the program is not what it was, or is given arguments that come too late.
 */
export function openCheckpoint(
  location: CheckpointLocation,
  host: { openBlock(location: ByteLocation): BlockSource },
  program: ProgramIdentity,
  { args, cwd }: SandboxSpec['process'],
): Checkpoint | undefined {
  const source = stretchOf(host.openBlock(location.at), location);
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = readCheckpoint(source);
    const { header } = checkpoint;
    const isSame = header.program === program.path && (header.entry ?? '_start') === program.entry;
    if (!isSame) checkpoint = undefined;
    else if (header.module !== program.digest()) {
      throw new WctrError('conflict', `the checkpoint was made from another ${program.path || 'module'}`, {
        hint: 'make it again: wctr checkpoint create',
      });
    } else if (header.how === 'stack' && JSON.stringify(header.args ?? []) !== JSON.stringify(args)) {
      throw new WctrError('conflict', 'a program that was frozen while it ran takes no other arguments', {
        hint: `leave them as they were: ${JSON.stringify(header.args ?? [])}`,
      });
    } else if (header.cwd !== cwd) {
      // It may have looked at its preopened directories already, and would not do so again.
      throw new WctrError('conflict', `the checkpoint was made in the working directory ${header.cwd}`, {
        hint: `run it with -w ${header.cwd}`,
      });
    }
    return checkpoint;
  } catch (error) {
    checkpoint = undefined;
    throw error;
  } finally {
    if (checkpoint === undefined) source.close();
  }
}

/** Restores it; gives what is to be called. Closes the checkpoint. Throws 'store-corrupt', 'no-memory', 'conflict'. */
export function resume(
  instance: WebAssembly.Instance,
  checkpoint: Checkpoint,
  context: WasiContext,
  entry: string,
  stack: GuestStack | undefined,
): () => unknown {
  try {
    restoreInstance(instance, checkpoint);
    reopenFiles(context, checkpoint.header);
  } finally {
    checkpoint.source.close();
  }
  const { exports } = instance;
  const { how, stack: at } = checkpoint.header;
  const call = how === 'init' ? (exports[RESUME] ?? exports[entry]) : exports[entry];
  if (typeof call !== 'function') {
    throw new WctrError('exec-format', `the module has no function export named ${entry}`, { data: { export: entry } });
  }
  if (how === 'stack') stack?.goOn(at!);
  return call as () => unknown;
}

export const checkpoints: Checkpoints = { open: openCheckpoint, resume, stack: () => new GuestStack() };

function stretchOf(source: BlockSource, { position = 0, sizeBytes }: CheckpointLocation): BlockSource {
  if (position === 0 && sizeBytes === undefined) return source;
  const size = sizeBytes ?? source.sizeBytes - position;
  if (!(position >= 0 && size >= 0 && position + size <= source.sizeBytes)) {
    source.close();
    throw damaged('it lies outside of its file');
  }
  return {
    sizeBytes: size,
    readSync(target, at) {
      const part = target.subarray(0, Math.max(0, Math.min(target.length, size - at)));
      return part.length === 0 ? 0 : source.readSync(part, position + at);
    },
    close: () => source.close(),
  };
}
