/** HttpClient over node:http: unix sockets, named pipes, TCP, TLS with a client certificate. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { DuplexChannel, HttpClient, HttpClientRequest } from '../http.ts';
import { channelOf } from './http-channel.ts';

export interface TlsClient {
  /** PEM. Without it, the authorities the system trusts. */
  readonly ca?: Uint8Array;
  readonly cert?: Uint8Array;
  readonly key?: Uint8Array;
  /** False: any certificate of the server is taken. */
  readonly verify: boolean;
}

export type ServerAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number; readonly tls?: TlsClient };

export function nodeHttpClient(address: ServerAddress): HttpClient {
  const tls = 'host' in address ? address.tls : undefined;
  const module = tls === undefined ? http : https;
  const agent = new module.Agent({ keepAlive: true });
  const base: https.RequestOptions = {
    ...('socketPath' in address
      ? { socketPath: address.socketPath, host: 'wctr' }
      : { host: address.host, port: address.port }),
    ...(tls === undefined
      ? {}
      : {
          ...(tls.ca === undefined ? {} : { ca: Buffer.from(tls.ca) }),
          ...(tls.cert === undefined ? {} : { cert: Buffer.from(tls.cert) }),
          ...(tls.key === undefined ? {} : { key: Buffer.from(tls.key) }),
          rejectUnauthorized: tls.verify,
        }),
  };
  return {
    fetch: (request) =>
      new Promise((resolve, reject) => {
        const outgoing = module.request({ ...base, agent, ...optionsOf(request) });
        outgoing.once('response', (incoming) => resolve(responseOf(incoming)));
        outgoing.once('error', reject);
        sendBody(outgoing, request.body, reject);
      }),
    hijack: (request) =>
      new Promise((resolve, reject) => {
        const options = optionsOf(request);
        const headers = { ...options.headers, connection: 'Upgrade', upgrade: 'tcp' };
        // Of its own: what an agent gives back to others must not carry bytes of this.
        const outgoing = module.request({ ...base, agent: false, ...options, headers });
        outgoing.once('response', (incoming) => resolve(responseOf(incoming)));
        outgoing.once('upgrade', (incoming: http.IncomingMessage, socket: Socket, head: Buffer) => {
          socket.setTimeout(0);
          if (head.length > 0) socket.unshift(head);
          const channel: DuplexChannel = channelOf(socket);
          resolve({ ...channel, headers: headersOf(incoming) });
        });
        outgoing.once('error', reject);
        sendBody(outgoing, request.body, reject);
      }),
    close: async () => agent.destroy(),
  };
}

function optionsOf({ method, path, headers, body, signal }: HttpClientRequest): https.RequestOptions {
  const length =
    typeof body === 'string' ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.length : undefined;
  const sized = body === undefined ? (method === 'GET' || method === 'HEAD' ? undefined : 0) : length;
  return {
    method,
    path,
    headers: { ...headers, ...(sized === undefined ? {} : { 'content-length': sized }) },
    ...(signal === undefined ? {} : { signal }),
  };
}

function sendBody(
  outgoing: http.ClientRequest,
  body: HttpClientRequest['body'],
  reject: (reason: unknown) => void,
): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    outgoing.end(body);
    return;
  }
  const source = Readable.from(body, { objectMode: true });
  source.once('error', (error) => {
    outgoing.destroy();
    reject(error);
  });
  source.pipe(outgoing);
}

function headersOf(incoming: http.IncomingMessage): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at]!, incoming.rawHeaders[at + 1]!);
  }
  return headers;
}

const WITHOUT_BODY = new Set([204, 205, 304]);

function responseOf(incoming: http.IncomingMessage): Response {
  const status = incoming.statusCode ?? 500;
  const init = { status, headers: headersOf(incoming) };
  if (WITHOUT_BODY.has(status) || incoming.method === 'HEAD') {
    incoming.resume();
    return new Response(null, init);
  }
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(new Uint8Array(next.value));
      },
      cancel() {
        incoming.destroy();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, init);
}
