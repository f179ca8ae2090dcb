/** A client of BuildKit's door: calls over `POST /grpc`, and a session whose answers the test gives. */
import { mkdtempSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { frameOf, messagesOf } from '../../src/daemon/buildkit/grpc/frames.ts';
import type { Message, Of } from '../../src/daemon/buildkit/proto/codec.ts';
import { SOLVE_REQUEST, SOLVE_RESPONSE } from '../../src/daemon/buildkit/proto/control.ts';
import {
  BYTES,
  GO_MODE_DIR,
  PACKET,
  PACKET_DATA,
  PACKET_FIN,
  PACKET_REQ,
  PACKET_STAT,
  type STAT,
} from '../../src/daemon/buildkit/proto/session.ts';
import { createDaemon } from '../../src/daemon/daemon.ts';
import type { BuildUseCases } from '../../src/engine/builds.ts';
import { buildkitHost } from '../../src/host/node/buildkit-host.ts';
import { listen } from '../../src/host/node/http-server.ts';
import { fakeEngine } from './fake-engine.ts';

export const DIFF_COPY = '/moby.filesync.v1.FileSync/DiffCopy';

export interface TestDoor {
  readonly dir: string;
  readonly path: string;
  /** What nobody threw on purpose. */
  readonly internalErrors: unknown[];
  connect(): Promise<BuildkitClient>;
  close(): Promise<void>;
}

/** A daemon whose builds the test makes. */
export async function openTestDoor(builds: Partial<BuildUseCases>): Promise<TestDoor> {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-bk-'));
  const path = join(dir, 'd.sock');
  const internalErrors: unknown[] = [];
  const { engine } = fakeEngine({ builds: builds as never });
  const service = createDaemon(engine, {
    version: '0.0.0',
    buildkit: buildkitHost(dir),
    onInternalError: (error) => internalErrors.push(error),
  });
  const listener = await listen(service, { path }, {});
  const clients: BuildkitClient[] = [];
  return {
    dir,
    path,
    internalErrors,
    connect: async () => {
      const client = new BuildkitClient(path, await upgrade(path, '/grpc'));
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      await listener.close(0);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export function upgrade(
  socketPath: string,
  path: string,
  headers: Readonly<Record<string, string | string[]>> = {},
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = http.request({
      socketPath,
      path,
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'h2c', ...headers },
    });
    request.on('upgrade', (_, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      resolve(socket as Socket);
    });
    request.on('response', (response) => {
      response.resume();
      reject(new Error(`HTTP ${response.statusCode}`));
    });
    request.on('error', reject);
    request.end();
  });
}

export interface Answered<R> {
  readonly messages: R[];
  readonly status: number;
  readonly message: string;
  readonly details: string | undefined;
}

/** The client's end of a call the daemon makes. */
export interface SessionCall {
  readonly headers: http2.IncomingHttpHeaders;
  readonly stream: http2.ServerHttp2Stream;
  requests<Q>(type: Message<Q>): AsyncGenerator<Q>;
  send<R>(type: Message<R>, value: Partial<R>): void;
  end(status?: number, message?: string): void;
}

export type SessionMethods = Readonly<Record<string, (call: SessionCall) => void | Promise<void>>>;

export class BuildkitClient {
  readonly #path: string;
  readonly #connection: http2.ClientHttp2Session;
  readonly #sessions: http2.Http2Session[] = [];

  constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#connection = http2.connect('http://door', { createConnection: () => socket });
    this.#connection.on('error', () => {});
  }

  async call<Q, R>(
    path: string,
    request: Message<Q>,
    response: Message<R>,
    value: Partial<Q>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered<R>> {
    return this.raw(path, response, frameOf(request.encode(value)), headers);
  }

  /** A call that can be given up. */
  begin<Q>(path: string, request: Message<Q>, value: Partial<Q>, headers: Readonly<Record<string, string>> = {}) {
    const stream = this.#request(path, headers);
    stream.on('error', () => {});
    stream.end(frameOf(request.encode(value)));
    return stream;
  }

  async raw<R>(
    path: string,
    response: Message<R>,
    body: Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answered<R>> {
    const stream = this.#request(path, headers);
    let last: http2.IncomingHttpHeaders = {};
    stream.on('response', (found) => {
      last = { ...last, ...found };
    });
    stream.on('trailers', (found) => {
      last = { ...last, ...found };
    });
    stream.end(body);
    const messages: R[] = [];
    for await (const bytes of messagesOf(stream)) messages.push(response.decode(bytes));
    return {
      messages,
      status: Number(last['grpc-status'] ?? -1),
      message: decodeURIComponent(String(last['grpc-message'] ?? '')),
      details: last['grpc-status-details-bin'] as string | undefined,
    };
  }

  /** Solves with `dockerfile.v0`, as `docker build` has it in the end. */
  solve(
    ref: string,
    session: string,
    attributes: Readonly<Record<string, string>> = {},
    more: Partial<Of<typeof SOLVE_REQUEST>> = {},
  ) {
    return this.call('/moby.buildkit.v1.Control/Solve', SOLVE_REQUEST, SOLVE_RESPONSE, {
      Ref: ref,
      Session: session,
      Frontend: 'dockerfile.v0',
      FrontendAttrs: new Map(Object.entries(attributes)),
      ...more,
    });
  }

  /** Returns what ends it. */
  async openSession(
    id: string,
    methods: SessionMethods,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<() => void> {
    const socket = await upgrade(this.#path, '/session', {
      'x-docker-expose-session-uuid': id,
      'x-docker-expose-session-name': 'test',
      'x-docker-expose-session-grpc-method': Object.keys(methods),
      ...headers,
    });
    const session = http2.performServerHandshake(socket);
    session.on('error', () => {});
    session.on('stream', (stream, found) => answer(stream, found, methods));
    this.#sessions.push(session);
    return () => session.destroy();
  }

  /** The same through a call of this connection: Control/Session. */
  async tunnelSession(id: string, methods: SessionMethods): Promise<() => void> {
    const call = this.#request('/moby.buildkit.v1.Control/Session', {
      'x-docker-expose-session-uuid': id,
      'x-docker-expose-session-grpc-method': Object.keys(methods).join(', '),
    });
    call.on('error', () => {});
    const inside = new Duplex({
      read() {},
      write: (chunk: Buffer, _, done) => void call.write(frameOf(BYTES.encode({ data: chunk })), () => done()),
      final: (done) => void call.end(done),
    });
    inside.on('error', () => {});
    void (async () => {
      for await (const bytes of messagesOf(call)) inside.push(BYTES.decode(bytes).data);
      inside.push(null);
    })().catch(() => inside.destroy());
    const session = http2.performServerHandshake(inside);
    session.on('error', () => {});
    session.on('stream', (stream, found) => answer(stream, found, methods));
    return () => call.close(8);
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
    this.#connection.destroy();
  }

  #request(path: string, headers: Readonly<Record<string, string>>): http2.ClientHttp2Stream {
    return this.#connection.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
  }
}

function answer(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders, methods: SessionMethods): void {
  let trailers: Record<string, string> = {};
  stream.on('error', () => {});
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  const call: SessionCall = {
    headers,
    stream,
    async *requests(type) {
      for await (const bytes of messagesOf(stream.iterator({ destroyOnReturn: false }))) yield type.decode(bytes);
    },
    send: (type, value) => void (stream.writable && stream.write(frameOf(type.encode(value)))),
    end: (status = 0, message = '') => {
      trailers = { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(message) };
      if (stream.writable) stream.end();
    },
  };
  const method = methods[String(headers[':path'])];
  if (method === undefined) {
    call.end(12, 'unimplemented');
    return;
  }
  void Promise.resolve(method(call)).catch((error: unknown) => {
    if (!stream.destroyed) call.end(2, String(error));
  });
}

export type Files = Readonly<
  Record<string, string | { readonly stat: Partial<Of<typeof STAT>>; readonly content?: string }>
>;

export interface Served {
  /** Paths whose contents were asked for, in order. */
  readonly asked: string[];
  /** Of each DiffCopy. */
  readonly headers: http2.IncomingHttpHeaders[];
  readonly methods: SessionMethods;
}

/** Directories as an honest client has them: names to contents, directories as they are needed. */
export function serveFiles(directories: Readonly<Record<string, Files>>): Served {
  const asked: string[] = [];
  const headers: http2.IncomingHttpHeaders[] = [];
  const diffCopy = async (call: SessionCall) => {
    headers.push(call.headers);
    const files = directories[String(call.headers['dir-name'])] ?? {};
    const only = call.headers.followpaths;
    const wanted = only === undefined ? undefined : new Set(String(only).split(', '));
    const named: { stat: Partial<Of<typeof STAT>>; content: string }[] = [];
    const seen = new Set<string>();
    for (const path of Object.keys(files).sort()) {
      if (wanted !== undefined && !wanted.has(path)) continue;
      const parts = path.split('/');
      for (let at = 1; at < parts.length; at += 1) {
        const directory = parts.slice(0, at).join('/');
        if (seen.has(directory)) continue;
        seen.add(directory);
        named.push({ stat: { path: directory, mode: (GO_MODE_DIR | 0o755) >>> 0 }, content: '' });
      }
      const file = files[path]!;
      const content = typeof file === 'string' ? file : (file.content ?? '');
      const stat = typeof file === 'string' ? {} : file.stat;
      named.push({ stat: { path, mode: 0o644, size: Buffer.byteLength(content), modTime: 1, ...stat }, content });
    }
    for (const { stat } of named) call.send(PACKET, { type: PACKET_STAT, stat });
    call.send(PACKET, { type: PACKET_STAT });
    for await (const { type, ID } of call.requests(PACKET)) {
      if (type === PACKET_FIN) {
        call.send(PACKET, { type: PACKET_FIN });
        call.end();
        return;
      }
      if (type !== PACKET_REQ) continue;
      const { stat, content } = named[ID]!;
      asked.push(stat.path!);
      if (content !== '') call.send(PACKET, { type: PACKET_DATA, ID, data: Buffer.from(content) });
      call.send(PACKET, { type: PACKET_DATA, ID });
    }
  };
  return { asked, headers, methods: { [DIFF_COPY]: diffCopy } };
}
