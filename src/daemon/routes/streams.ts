/** Logs and attached streams. */
import type { AttachedStreams, AttachOptions, Engine, LogChunk, LogOptions } from '../../engine/engine.ts';
import { encodeFrame, MULTIPLEXED, RAW, STDERR, STDOUT } from '../../engine/remote/frames.ts';
import { WctrError } from '../../errors.ts';
import type { DuplexChannel, Upgraded } from '../../host/http.ts';
import { streamOf } from '../../host/stream-of.ts';
import type { Api } from '../api.ts';
import { DetachKeys, parseDetachKeys } from '../detach-keys.ts';
import { begun, bytes } from '../reply.ts';
import { flag, text } from '../request.ts';

/** Up to here clients read one content type for both kinds of stream. */
const FIRST_WITH_MULTIPLEXED_TYPE = 42;

export function attachRoutes({ app, engine }: Api): void {
  app.get('/containers/:id/logs', async ({ req }) => {
    const url = new URL(req.url);
    const id = req.param('id');
    const { Config } = await engine.containers.inspect(id);
    const options = logOptions(url, req.raw.signal);
    const chunks = engine.containers.logs(id, options)[Symbol.asyncIterator]();
    // Only what was written before can fail before anything came; a tail that waits must not hold the headers.
    const parts =
      options.follow === true ? { [Symbol.asyncIterator]: () => chunks } : begun(await chunks.next(), chunks);
    return bytes(Config.Tty ? rawBytes(parts) : frames(parts), contentType(url, Config.Tty));
  });

  // Without an upgrade: output in the answer, input in the request.
  app.post('/containers/:id/attach', async ({ req }) => {
    const url = new URL(req.url);
    const streams = await engine.containers.attach(req.param('id'), attachOptions(url));
    return answered(streams, req.raw, contentType(url, streams.tty));
  });
}

export async function upgradeAttach(engine: Engine, request: Request, id: string): Promise<Upgraded> {
  const url = new URL(request.url);
  const keys = parseDetachKeys(text(url, 'detachKeys'));
  const streams = await engine.containers.attach(id, attachOptions(url));
  return {
    headers: { 'content-type': contentType(url, streams.tty) },
    serve: (channel) => serveAttached(streams, channel, keys),
  };
}

export function contentType(url: URL, tty: boolean): string {
  const [, minor = '51'] = /^\/v1\.(\d+)\//.exec(url.pathname) ?? [];
  return tty || Number(minor) < FIRST_WITH_MULTIPLEXED_TYPE ? RAW : MULTIPLEXED;
}

function attachOptions(url: URL): AttachOptions {
  return {
    stdin: flag(url, 'stdin'),
    stdout: flag(url, 'stdout'),
    stderr: flag(url, 'stderr'),
    logs: flag(url, 'logs'),
    stream: flag(url, 'stream'),
  };
}

function logOptions(url: URL, signal: AbortSignal): LogOptions {
  const stdout = flag(url, 'stdout');
  const stderr = flag(url, 'stderr');
  if (!stdout && !stderr) {
    throw new WctrError('invalid-argument', 'Bad parameters: you must choose at least one stream');
  }
  const since = time(url, 'since');
  const until = time(url, 'until');
  const tail = text(url, 'tail') ?? 'all';
  return {
    stdout,
    stderr,
    follow: flag(url, 'follow'),
    timestamps: flag(url, 'timestamps'),
    details: flag(url, 'details'),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    // Anything that is no number is `all`, as docker has it.
    ...(/^\d{1,9}$/.test(tail) ? { tail: Number(tail) } : {}),
    signal,
  };
}

/** 0 is what clients send for "no limit". */
function time(url: URL, name: string): string | undefined {
  const value = text(url, name);
  return value === undefined || /^0(\.0*)?$/.test(value) ? undefined : value;
}

async function* frames(chunks: AsyncIterable<LogChunk>): AsyncGenerator<Uint8Array> {
  for await (const { stream, bytes: payload } of chunks) {
    yield encodeFrame(stream === 'stderr' ? STDERR : STDOUT, payload);
  }
}

async function* rawBytes(chunks: AsyncIterable<LogChunk>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield chunk.bytes;
}

/** Runs a connection until the guest has nothing more to say, or the client has gone. Never rejects. */
export async function serveAttached(streams: AttachedStreams, channel: DuplexChannel, keys: Uint8Array): Promise<void> {
  const output = channel.writable.getWriter();
  let left = false;
  const leave = async () => {
    if (left) return;
    left = true;
    await streams.detach().catch(() => {});
  };
  // A closed input is not a closed connection: without -i the CLI ends its half at once.
  void output.closed.catch(leave);
  void feed(streams, channel.readable, keys).then((detached) => (detached ? leave() : undefined), leave);
  try {
    await copyOutput(streams, (chunk) => output.write(chunk));
    await output.close();
  } catch {
    await leave();
    await output.abort().catch(() => {});
  }
}

/** The answer of a client that did not ask for a connection of its own. */
export function answered(streams: AttachedStreams, request: Request | undefined, type: string): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const channel: DuplexChannel = { readable: request?.body ?? streamOf((async function* () {})()), writable };
  void serveAttached(streams, channel, parseDetachKeys(undefined));
  return new Response(readable, { headers: { 'content-type': type } });
}

/** Both outputs, each in its order; a slow client holds the guest up, nothing is kept. */
async function copyOutput(streams: AttachedStreams, write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  const copy = async (source: ReadableStream<Uint8Array> | undefined, stream: number) => {
    if (source === undefined) return;
    const reader = source.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        await write(streams.tty ? next.value : encodeFrame(stream, next.value));
      }
    } catch (error) {
      void reader.cancel().catch(() => {});
      throw error;
    }
  };
  await Promise.all([copy(streams.stdout, STDOUT), copy(streams.stderr, STDERR)]);
}

/** What the client types, to the guest. True when it was the keys to leave. */
async function feed(streams: AttachedStreams, source: ReadableStream<Uint8Array>, keys: Uint8Array): Promise<boolean> {
  const reader = source.getReader();
  const input = streams.stdin?.getWriter();
  // A guest that has closed its input is no reason to leave: what is typed is dropped.
  void input?.closed.catch(() => {});
  const watched = streams.tty ? new DetachKeys(keys) : undefined;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const { bytes: typed, detached } = watched?.push(next.value) ?? { bytes: next.value, detached: false };
    if (typed.length > 0) await input?.write(typed).catch(() => {});
    if (detached) return true;
  }
  await input?.close().catch(() => {});
  return false;
}
