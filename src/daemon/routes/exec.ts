import type { AttachedStreams, Engine } from '../../engine/engine.ts';
import type { Upgraded } from '../../host/http.ts';
import type { ExecConfig } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import { json, nothing } from '../reply.ts';
import { body } from '../request.ts';
import { CREATE_EXEC, START_EXEC } from '../schemas.ts';
import { terminalSize } from './containers.ts';
import { answered, contentType, serveAttached } from './streams.ts';

export function execRoutes({ app, engine }: Api): void {
  app.post('/containers/:id/exec', async ({ req }) => {
    const config = await body(req.raw, CREATE_EXEC);
    return json(await engine.exec.create(req.param('id'), config as unknown as ExecConfig), 201);
  });
  app.post('/exec/:id/start', async ({ req }) => {
    const start = await startExec(engine, req.raw, req.param('id'));
    // Without an upgrade there is no way for input: the body was the options.
    return start === undefined
      ? nothing(200)
      : answered(start.streams, undefined, contentType(new URL(req.url), start.streams.tty));
  });
  app.get('/exec/:id/json', async ({ req }) => json(await engine.exec.inspect(req.param('id'))));
  app.post('/exec/:id/resize', async ({ req }) => {
    await engine.exec.resize(req.param('id'), terminalSize(new URL(req.url)));
    return nothing(200);
  });
}

export async function upgradeExec(engine: Engine, request: Request, id: string): Promise<Response | Upgraded> {
  const start = await startExec(engine, request, id);
  if (start === undefined) return nothing(200);
  const { streams, detachKeys } = start;
  const keys = parseDetachKeys(detachKeys);
  return {
    headers: { 'content-type': contentType(new URL(request.url), streams.tty) },
    serve: (channel) => serveAttached(streams, channel, keys),
  };
}

/** Undefined: started, with nobody attached. */
async function startExec(
  engine: Engine,
  request: Request,
  id: string,
): Promise<{ streams: AttachedStreams; detachKeys: string | undefined } | undefined> {
  const { Detach, Tty, ConsoleSize } = await body(request, START_EXEC, {});
  const { DetachKeys } = await engine.exec.inspect(id);
  if (Detach === true) {
    await engine.exec.startDetached(id, { tty: Tty === true });
    return undefined;
  }
  const consoleSize = ConsoleSize == null ? {} : { consoleSize: [ConsoleSize[0], ConsoleSize[1]] as const };
  const streams = await engine.exec.start(id, { tty: Tty === true, ...consoleSize });
  return { streams, detachKeys: DetachKeys };
}
