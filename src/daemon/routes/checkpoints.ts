/** A container's checkpoints, as docker's experimental doors have them. */
import { refuseCheckpointDirectory } from '../../containers/checkpoint/names.ts';
import type { Api } from '../api.ts';
import { json, nothing } from '../reply.ts';
import { body, text } from '../request.ts';
import { CREATE_CHECKPOINT } from '../schemas.ts';

export function checkpointRoutes({ app, engine }: Api): void {
  const { containers } = engine;

  app.get('/containers/:id/checkpoints', async ({ req }) => {
    refuseCheckpointDirectory(text(new URL(req.url), 'dir'));
    return json(await containers.listCheckpoints(req.param('id')));
  });

  app.post('/containers/:id/checkpoints', async ({ req }) => {
    const { CheckpointID, CheckpointDir, Exit, Reference, Changes, Init } = await body(req.raw, CREATE_CHECKPOINT);
    refuseCheckpointDirectory(CheckpointDir);
    const image = await containers.createCheckpoint(req.param('id'), {
      leaveRunning: Exit !== true,
      ...(given(CheckpointID) ? { checkpoint: CheckpointID } : {}),
      ...(given(Reference) ? { reference: Reference } : {}),
      ...(given(Init) ? { init: Init } : {}),
      ...(Changes === undefined || Changes === null ? {} : { changes: Changes }),
    });
    return image.Id === undefined ? nothing(201) : json(image, 201);
  });

  app.delete('/containers/:id/checkpoints/:name', async ({ req }) => {
    refuseCheckpointDirectory(text(new URL(req.url), 'dir'));
    await containers.removeCheckpoint(req.param('id'), req.param('name'));
    return nothing();
  });
}

function given(value: string | null | undefined): value is string {
  return value !== undefined && value !== null && value !== '';
}
