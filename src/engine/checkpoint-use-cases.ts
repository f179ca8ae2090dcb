/**
 * `checkpoint`: a container's program, initialised, with its memory as it is then, under a name of the container's own or
 * as an image. The container's process writes it (host/checkpoint); here it is asked to, and what it wrote is kept.
 */

import { checkpointLayer } from '../containers/checkpoint/layer.ts';
import {
  CHECKPOINT_LABEL,
  CHECKPOINT_PATH,
  checkCheckpointName,
  checkpointsIn,
} from '../containers/checkpoint/names.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { WctrError } from '../errors.ts';
import type { FreezeRequest } from '../host/container/container.ts';
import { fileReader, streamRange } from '../images/archive/files.ts';
import { parseReference } from '../images/reference.ts';
import { containerContents } from './container-contents.ts';
import type { ContainerContext } from './container-context.ts';
import { launch, starting } from './container-start.ts';
import { assertManaged, isRunning } from './container-state.ts';
import { waitForContainer } from './container-wait.ts';
import type { CheckpointOptions } from './engine.ts';

/** Gives the image's id where one was asked for. */
export async function createCheckpoint(
  context: ContainerContext,
  name: string,
  options: CheckpointOptions,
): Promise<{ Id?: string }> {
  const { fs, host, events } = context.parts;
  const { checkpoint, reference } = options;
  if (checkpoint === undefined && reference === undefined) {
    throw new WctrError('invalid-argument', 'a checkpoint needs a name', {
      hint: 'name it, or give an image: --image',
    });
  }
  if (checkpoint !== undefined) checkCheckpointName(checkpoint);
  if (reference !== undefined) parseReference(reference);
  const record = await context.find(name);
  assertManaged(record, 'freeze');
  const directory = checkpointsIn(context.parts.containers.directory(record.key));
  const unnamed = `.${[...host.randomBytes(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  const path = `${directory}/${checkpoint ?? unnamed}`;
  if (checkpoint !== undefined && (await fs.stat(path).catch(() => undefined)) !== undefined) {
    throw new WctrError('conflict', `checkpoint with name ${checkpoint} already exists for container ${record.name}`, {
      hint: `remove it: wctr checkpoint rm ${record.name} ${checkpoint}`,
    });
  }
  try {
    if (isRunning(record.state)) await freezeRunning(context, record, path, options);
    else await freezeInitialised(context, record, path, options);
    const image = reference === undefined ? {} : await checkpointImage(context, record, path, reference, options);
    await events.container(record, 'checkpoint', { ...(checkpoint === undefined ? {} : { checkpoint }) });
    return image;
  } finally {
    if (checkpoint === undefined) await fs.rm(path, { force: true });
  }
}

export async function listCheckpoints(context: ContainerContext, name: string): Promise<{ Name: string }[]> {
  const { key } = await context.find(name);
  const { fs, containers } = context.parts;
  const found = await fs.readdir(checkpointsIn(containers.directory(key))).catch((error: { code?: unknown }) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return found
    .filter((file) => !file.startsWith('.'))
    .sort()
    .map((Name) => ({ Name }));
}

export async function removeCheckpoint(context: ContainerContext, name: string, checkpoint: string): Promise<void> {
  await context.parts.fs.unlink(await checkpointPath(context, await context.find(name), checkpoint));
}

/** Throws 'not-found'. */
export async function checkpointPath(
  { parts }: ContainerContext,
  { key, name }: ContainerRecord,
  checkpoint: string,
): Promise<string> {
  const path = `${checkpointsIn(parts.containers.directory(key))}/${checkCheckpointName(checkpoint)}`;
  if ((await parts.fs.stat(path).catch(() => undefined)) !== undefined) return path;
  throw new WctrError('not-found', `checkpoint ${checkpoint} does not exist for container ${name}`, {
    hint: `wctr checkpoint ls ${name}`,
  });
}

/** Starts it for as long as its initialising export takes. */
async function freezeInitialised(
  context: ContainerContext,
  { key, name, hostConfig }: ContainerRecord,
  path: string,
  { init }: CheckpointOptions,
): Promise<void> {
  const { containers, fs } = context.parts;
  if (hostConfig.AutoRemove === true) {
    throw new WctrError('conflict', `container ${name} is removed at its end, and its checkpoints with it`, {
      hint: 'create one without --rm',
    });
  }
  const freeze: FreezeRequest = { path, ...(init === undefined ? {} : { init }) };
  await starting(context, key, async () => {
    const record = await containers.find(key);
    if (isRunning(record.state)) throw new WctrError('conflict', `container ${name} has just been started`);
    await launch(context, record, { freeze });
  });
  await waitForContainer(context, key);
  if ((await fs.stat(path).catch(() => undefined)) !== undefined) return;
  const exit = (await containers.get(key))?.state.exit;
  throw new WctrError(
    exit?.errorCode ?? 'conflict',
    exit?.reason ?? `the program exited with ${exit?.exitCode ?? 0} before it could be frozen`,
    { hint: exit?.hint ?? `see wctr logs ${name}` },
  );
}

async function freezeRunning(
  context: ContainerContext,
  record: ContainerRecord,
  path: string,
  { leaveRunning = false, init, reference }: CheckpointOptions,
): Promise<void> {
  if (init !== undefined) {
    throw new WctrError(
      'conflict',
      `container ${record.name} runs: an export that initialises it would come too late`,
      {
        hint: `stop it first: wctr stop ${record.name}`,
      },
    );
  }
  if (leaveRunning && reference !== undefined) {
    throw new WctrError('conflict', 'a program that goes on changes the files its image is to have', {
      hint: 'leave out --leave-running',
    });
  }
  if (record.state.status === 'paused') {
    throw new WctrError('conflict', `container ${record.name} is paused`, { hint: `wctr unpause ${record.name}` });
  }
  await context.ask(record, { op: 'checkpoint', path, leaveRunning }, 'freeze');
  if (!leaveRunning) await waitForContainer(context, record.key);
}

/** The writable layer and the checkpoint, a layer each, and the label that says where it is. */
async function checkpointImage(
  context: ContainerContext,
  record: ContainerRecord,
  path: string,
  reference: string,
  { changes = [] }: CheckpointOptions,
): Promise<{ Id: string }> {
  const file = await fileReader(context.parts.fs, path);
  const { sizeBytes } = file;
  try {
    return await containerContents(context).commit(
      record.key,
      { reference, changes, message: 'wctr checkpoint' },
      {
        layer: () => checkpointLayer(sizeBytes, streamRange(file, 0, sizeBytes)),
        labels: { [CHECKPOINT_LABEL]: CHECKPOINT_PATH },
      },
    );
  } finally {
    await file.close();
  }
}
