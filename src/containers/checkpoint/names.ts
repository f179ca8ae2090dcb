/** Where a container's checkpoints are, and what an image that holds one says. */
import { WctrError } from '../../errors.ts';

/** Label of an image (or container): the path of a checkpoint in it. Empty: none. */
export const CHECKPOINT_LABEL = 'wctr.checkpoint';
/** In an image. */
export const CHECKPOINT_PATH = '/.wctr/checkpoint';

/** docker's rule. */
export function checkCheckpointName(name: string): string {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 128) return name;
  throw new WctrError(
    'invalid-argument',
    `Invalid checkpoint ID (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    { hint: 'use letters, digits, "_", "." and "-", two characters or more' },
  );
}

/** `directory`: the container's own. */
export function checkpointsIn(directory: string): string {
  return `${directory}/checkpoints`;
}

/** docker can keep them elsewhere. Throws 'unsupported'. */
export function refuseCheckpointDirectory(directory: string | null | undefined): void {
  if (directory === undefined || directory === null || directory === '') return;
  throw new WctrError(
    'unsupported',
    'checkpoints are kept with their container: there is no other directory for them',
    { hint: 'make an image to keep one elsewhere: wctr checkpoint create --image' },
  );
}
