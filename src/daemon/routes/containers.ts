import { refuseCheckpointDirectory } from '../../containers/checkpoint/names.ts';
import type {
  CommitOptions,
  Engine,
  StopOptions,
  SystemUseCases,
  TerminalSize,
  WaitCondition,
} from '../../engine/engine.ts';
import { isWctrError, WctrError } from '../../errors.ts';
import { streamOf } from '../../host/stream-of.ts';
import type { ContainerCreateRequest, Resources, RestartPolicy, WaitResponse } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { errorBody, json, jsonLines, nothing } from '../reply.ts';
import { body, filters, flag, integer, text } from '../request.ts';
import { COMMIT, CREATE_CONTAINER, UPDATE_CONTAINER } from '../schemas.ts';

export function containerRoutes({ app, engine }: Api): void {
  const { containers } = engine;

  app.get('/containers/json', async ({ req }) => {
    const url = new URL(req.url);
    const limit = integer(url, 'limit');
    const size = flag(url, 'size');
    return json(
      await containers.list({
        all: flag(url, 'all'),
        // -1 is "no limit" of old clients.
        ...(limit === undefined || limit <= 0 ? {} : { limit }),
        ...(size ? { size } : {}),
        filters: filters(url),
      }),
    );
  });

  app.post('/containers/create', async ({ req }) => {
    const url = new URL(req.url);
    const request = await body(req.raw, CREATE_CONTAINER);
    if (request.Image === '')
      throw new WctrError('invalid-argument', 'config cannot be empty in order to create a container');
    const name = text(url, 'name');
    const platform = text(url, 'platform');
    const options = {
      ...(name === undefined ? {} : { name }),
      ...(platform === undefined ? {} : { platform }),
    };
    try {
      const created = await containers.create(withoutNull(request) as unknown as ContainerCreateRequest, options);
      return json(created, 201);
    } catch (error) {
      // 404 would have the CLI pull the image: anything else that is not there is a bad request.
      if (isWctrError(error, 'not-found')) return json(errorBody(error), 400);
      throw error;
    }
  });

  app.post('/containers/prune', async ({ req }) => json(await containers.prune(filters(new URL(req.url)))));

  app.get('/containers/:id/json', async ({ req }) => {
    return json(await containers.inspect(req.param('id'), { size: flag(new URL(req.url), 'size') }));
  });

  app.post('/containers/:id/start', async ({ req }) => {
    const url = new URL(req.url);
    const id = req.param('id');
    const { State } = await containers.inspect(id);
    if (State.Running) return nothing(304);
    const checkpoint = text(url, 'checkpoint');
    refuseCheckpointDirectory(text(url, 'checkpoint-dir'));
    const detachKeys = text(url, 'detachKeys');
    await containers.start(id, {
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(detachKeys === undefined ? {} : { detachKeys }),
    });
    return nothing();
  });

  app.post('/containers/:id/stop', async ({ req }) => {
    const { State } = await containers.inspect(req.param('id'));
    if (!State.Running && !State.Restarting) return nothing(304);
    await containers.stop(req.param('id'), stopOptions(new URL(req.url)));
    return nothing();
  });
  app.post('/containers/:id/restart', async ({ req }) => {
    await containers.restart(req.param('id'), stopOptions(new URL(req.url)));
    return nothing();
  });
  app.post('/containers/:id/kill', async ({ req }) => {
    const signal = text(new URL(req.url), 'signal');
    await containers.kill(req.param('id'), ...(signal === undefined ? [] : [signal]));
    return nothing();
  });
  app.post('/containers/:id/pause', async ({ req }) => {
    await containers.pause(req.param('id'));
    return nothing();
  });
  app.post('/containers/:id/unpause', async ({ req }) => {
    await containers.unpause(req.param('id'));
    return nothing();
  });
  app.post('/containers/:id/rename', async ({ req }) => {
    const name = text(new URL(req.url), 'name');
    if (name === undefined) throw new WctrError('invalid-argument', 'Neither old nor new names may be empty');
    await containers.rename(req.param('id'), name);
    return nothing();
  });
  app.post('/containers/:id/update', async ({ req }) => {
    const changes = withoutNull(await body(req.raw, UPDATE_CONTAINER));
    return json(
      await containers.update(req.param('id'), onlyGiven(changes) as Resources & { RestartPolicy?: RestartPolicy }),
    );
  });
  app.post('/containers/:id/resize', async ({ req }) => {
    await containers.resize(req.param('id'), terminalSize(new URL(req.url)));
    return nothing(200);
  });
  app.post('/containers/:id/wait', async ({ req }) => {
    const condition = text(new URL(req.url), 'condition') ?? 'not-running';
    if (!isCondition(condition)) throw new WctrError('invalid-argument', `invalid condition: "${condition}"`);
    return waiting(engine, req.param('id'), condition, req.raw.signal);
  });
  app.delete('/containers/:id', async ({ req }) => {
    const url = new URL(req.url);
    await containers.remove(req.param('id'), {
      force: flag(url, 'force'),
      volumes: flag(url, 'v'),
      link: flag(url, 'link'),
    });
    return nothing();
  });
  app.get('/containers/:id/top', async ({ req }) => {
    return json(await containers.top(req.param('id'), text(new URL(req.url), 'ps_args')));
  });
  app.get('/containers/:id/stats', async ({ req }) => {
    const url = new URL(req.url);
    await containers.inspect(req.param('id'));
    return jsonLines(
      containers.stats(req.param('id'), { stream: flag(url, 'stream', true), oneShot: flag(url, 'one-shot') }),
    );
  });

  app.post('/commit', async ({ req }) => {
    const url = new URL(req.url);
    const container = text(url, 'container');
    if (container === undefined) throw new WctrError('invalid-argument', 'missing parameter "container"');
    await body(req.raw, COMMIT, {});
    return json(await containers.commit(container, commitOptions(url)), 201);
  });
}

function commitOptions(url: URL): CommitOptions {
  const repository = text(url, 'repo');
  const tag = text(url, 'tag');
  const author = text(url, 'author');
  const message = text(url, 'comment');
  return {
    ...(repository === undefined ? {} : { reference: tag === undefined ? repository : `${repository}:${tag}` }),
    ...(author === undefined ? {} : { author }),
    ...(message === undefined ? {} : { message }),
    // Several of them, or several lines in one.
    changes: url.searchParams.getAll('changes').flatMap((lines) => lines.split('\n').filter((line) => line !== '')),
    pause: flag(url, 'pause', true),
  };
}

function stopOptions(url: URL): StopOptions {
  const signal = text(url, 'signal');
  const timeoutSeconds = integer(url, 't');
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
  };
}

export function terminalSize(url: URL): TerminalSize {
  const height = integer(url, 'h');
  const width = integer(url, 'w');
  const isSize = (value: number | undefined): value is number => value !== undefined && value >= 0 && value < 65_536;
  if (!isSize(height) || !isSize(width)) throw new WctrError('invalid-argument', 'invalid terminal size');
  return { height, width };
}

function isCondition(text: string): text is WaitCondition {
  return text === 'not-running' || text === 'next-exit' || text === 'removed';
}

/** The headers go at once, before the wait is over: the CLI starts the container only when it has them. */
async function waiting(
  { containers, system }: Engine,
  name: string,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<Response> {
  const known = await containers.inspect(name).catch(async (error: unknown) => {
    if (!isWctrError(error, 'no-such-container') || !FULL_ID.test(name)) throw error;
    // Clients that wait for what they started come late for one that is removed at its end.
    const StatusCode = await lastExit(system, name, '0', new Date().toISOString());
    if (StatusCode === undefined) throw error;
    return json({ StatusCode });
  });
  if (known instanceof Response) return known;
  const { Id, Created } = known;
  const left = new AbortController();
  signal.addEventListener('abort', () => left.abort(), { once: true });
  const done = containers.wait(Id, condition, left.signal).catch(async (error): Promise<WaitResponse> => {
    // It was there a moment ago: what it ended with is in the events.
    const StatusCode = isWctrError(error, 'no-such-container') ? await lastExit(system, Id, Created) : undefined;
    return StatusCode === undefined
      ? { StatusCode: 125, Error: { Message: errorBody(error).message } }
      : { StatusCode };
  });
  const answer = streamOf(
    (async function* () {
      yield new TextEncoder().encode(`${JSON.stringify(await done)}\n`);
    })(),
  );
  return new Response(answer, { headers: { 'content-type': 'application/json' } });
}

const FULL_ID = /^[0-9a-f]{64}$/;

async function lastExit(
  system: SystemUseCases,
  id: string,
  since: string,
  until = new Date(Date.now() + 1_000).toISOString(),
): Promise<number | undefined> {
  let code: number | undefined;
  const past = new AbortController();
  const filters = { type: ['container'], container: [id], event: ['die', 'destroy'] };
  for await (const { Action, Actor } of system.events({ since, until, filters, signal: past.signal })) {
    if (Action === 'die') code = Number(Actor.Attributes.exitCode);
    if (Action === 'destroy') past.abort();
  }
  return Number.isInteger(code) ? code : undefined;
}

function withoutNull(document: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null && value !== undefined));
}

/** `docker update` sends every member, zero and empty where the user said nothing. */
function onlyGiven(changes: Record<string, unknown>): Record<string, unknown> {
  const { RestartPolicy: policy, ...rest } = changes;
  const given = Object.entries(rest).filter(([, value]) => value !== 0 && value !== '' && value !== false);
  const named = (policy as RestartPolicy | undefined)?.Name;
  return Object.fromEntries(named ? [...given, ['RestartPolicy', policy]] : given);
}
