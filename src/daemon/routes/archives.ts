/** `docker cp`, `docker export`, `docker diff`. */
import { WctrError } from '../../errors.ts';
import type { PathStat } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { bytes, chunksOf, json, nothing } from '../reply.ts';
import { flag, text } from '../request.ts';

const STAT_HEADER = 'x-docker-container-path-stat';

export function archiveRoutes({ app, engine }: Api): void {
  const { containers } = engine;
  // HEAD comes here as well: the framework answers it with what GET says, without a body.
  app.get('/containers/:id/archive', async ({ req }) => {
    const id = req.param('id');
    const path = pathOf(req.url);
    if (req.method === 'HEAD') return nothing200(await containers.statPath(id, path));
    const { stat, tar } = await containers.getArchive(id, path);
    return bytes(tar, 'application/x-tar', { [STAT_HEADER]: encodeStat(stat) });
  });
  app.put('/containers/:id/archive', async ({ req }) => {
    const url = new URL(req.url);
    await containers.putArchive(req.param('id'), pathOf(req.url), chunksOf(req.raw.body), {
      noOverwriteDirNonDir: flag(url, 'noOverwriteDirNonDir'),
      copyUidGid: flag(url, 'copyUIDGID'),
    });
    return nothing(200);
  });
  app.get('/containers/:id/export', async ({ req }) => {
    await containers.inspect(req.param('id'));
    return bytes(containers.export(req.param('id')), 'application/octet-stream');
  });
  app.get('/containers/:id/changes', async ({ req }) => json(await containers.changes(req.param('id'))));
}

function pathOf(url: string): string {
  const path = text(new URL(url), 'path');
  if (path === undefined) throw new WctrError('invalid-argument', 'missing parameter "path"');
  return path;
}

function nothing200(stat: PathStat): Response {
  return new Response(null, { status: 200, headers: { [STAT_HEADER]: encodeStat(stat) } });
}

/** Names are UTF-8, btoa is not. */
function encodeStat(stat: PathStat): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(stat))));
}
