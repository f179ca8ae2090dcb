import type { InferOutput } from 'valibot';
import type { AttachedStreams, Engine } from '../../engine/engine.ts';
import { ERROR_TABLE, isWctrError } from '../../errors.ts';
import type { Upgraded } from '../../host/http.ts';
import type { ExecConfig } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { parseDetachKeys } from '../detach-keys.ts';
import { errorBody, json, nothing } from '../reply.ts';
import { body } from '../request.ts';
import { CREATE_EXEC, START_EXEC } from '../schemas.ts';
import { terminalSize } from './containers.ts';
import { answered, contentType, serveAttached } from './streams.ts';

export function execRoutes(api: Api): void {
  const { app, engine, failedExecs } = api;
  app.post('/containers/:id/exec', async ({ req }) => {
    const config = await body(req.raw, CREATE_EXEC);
    return json(await engine.exec.create(req.param('id'), config as unknown as ExecConfig), 201);
  });
  app.post('/exec/:id/start', async ({ req }) => {
    const start = await startOrSay(api, await body(req.raw, START_EXEC, {}), req.param('id'), false);
    // Without an upgrade there is no way for input: the body was the options.
    return start === undefined
      ? nothing(200)
      : answered(start.streams, undefined, contentType(new URL(req.url), start.streams.tty));
  });
  app.get('/exec/:id/json', async ({ req }) => {
    const document = await engine.exec.inspect(req.param('id'));
    const ExitCode = failedExecs.get(req.param('id'));
    return json(ExitCode === undefined ? document : { ...document, Running: false, ExitCode });
  });
  app.post('/exec/:id/resize', async ({ req }) => {
    await engine.exec.resize(req.param('id'), terminalSize(new URL(req.url)));
    return nothing(200);
  });
}

/**
 * The connection comes first and the program second, as with docker: the Python SDK loses what arrives together with the
 * answer's headers.
 */
export async function upgradeExec(api: Api, request: Request, id: string): Promise<Response | Upgraded> {
  const options = await body(request, START_EXEC, {});
  const { DetachKeys, Running } = await api.engine.exec.inspect(id);
  if (options.Detach === true || Running) {
    const start = await startExec(api.engine, options, id);
    await start?.streams.detach();
    return nothing(200);
  }
  const keys = parseDetachKeys(DetachKeys);
  return {
    headers: { 'content-type': contentType(new URL(request.url), options.Tty === true) },
    serve: async (channel) => {
      const start = await startOrSay(api, options, id, true).catch(() => undefined);
      if (start !== undefined) await serveAttached(start.streams, channel, keys);
      else await channel.writable.abort().catch(() => {});
    },
  };
}

/**
 * A program that cannot be started is told where its output would be, as docker does, and by the exec's exit code: a
 * refusal would be 1 to the CLI, whatever it was.
 */
async function startOrSay(
  api: Api,
  options: StartOptions,
  id: string,
  hasConnection: boolean,
): ReturnType<typeof startExec> {
  try {
    return await startExec(api.engine, options, id);
  } catch (error) {
    const exit = isWctrError(error) ? ERROR_TABLE[error.code].exit : 0;
    const isProgram = exit === 126 || exit === 127;
    if (!hasConnection && !isProgram) throw error;
    rememberFailure(api, id, isProgram ? exit : 126);
    const message = `OCI runtime exec failed: exec failed: ${errorBody(error).message}\r\n`;
    return { streams: saying(new TextEncoder().encode(message), options.Tty === true) };
  }
}

function saying(bytes: Uint8Array, tty: boolean): AttachedStreams {
  const stream = (chunks: readonly Uint8Array[]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
  const detach = async () => {};
  return tty
    ? { stdin: undefined, stdout: stream([bytes]), stderr: undefined, tty, detach }
    : { stdin: undefined, stdout: stream([]), stderr: stream([bytes]), tty, detach };
}

/** Execs that never ran are asked for right after; more than this many at once are not kept. */
const MAX_FAILURES = 1_000;

function rememberFailure({ failedExecs }: Api, id: string, exit: number): void {
  failedExecs.set(id, exit);
  const [oldest] = failedExecs.keys();
  if (failedExecs.size > MAX_FAILURES && oldest !== undefined) failedExecs.delete(oldest);
}

type StartOptions = InferOutput<typeof START_EXEC>;

/** Undefined: started, with nobody attached. */
async function startExec(
  engine: Engine,
  { Detach, Tty, ConsoleSize }: StartOptions,
  id: string,
): Promise<{ streams: AttachedStreams } | undefined> {
  if (Detach === true) {
    await engine.exec.startDetached(id, { tty: Tty === true });
    return undefined;
  }
  const consoleSize = ConsoleSize == null ? {} : { consoleSize: [ConsoleSize[0], ConsoleSize[1]] as const };
  return { streams: await engine.exec.start(id, { tty: Tty === true, ...consoleSize }) };
}
