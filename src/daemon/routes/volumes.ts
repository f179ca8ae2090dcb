import type { VolumeCreateRequest } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { json, nothing } from '../reply.ts';
import { body, filters, flag } from '../request.ts';
import { CREATE_VOLUME } from '../schemas.ts';

export function volumeRoutes({ app, engine }: Api): void {
  app.get('/volumes', async ({ req }) => json(await engine.volumes.list(filters(new URL(req.url)))));
  app.post('/volumes/create', async ({ req }) => {
    const request = await body(req.raw, CREATE_VOLUME, {});
    return json(await engine.volumes.create(withoutNull(request) as VolumeCreateRequest), 201);
  });
  app.post('/volumes/prune', async ({ req }) => json(await engine.volumes.prune(filters(new URL(req.url)))));
  app.get('/volumes/:name', async ({ req }) => json(await engine.volumes.inspect(req.param('name'))));
  app.delete('/volumes/:name', async ({ req }) => {
    await engine.volumes.remove(req.param('name'), { force: flag(new URL(req.url), 'force') });
    return nothing();
  });
}

/** What a client did not say, it did not say: null and the empty text are absent. */
function withoutNull(document: object): object {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null && value !== ''));
}
