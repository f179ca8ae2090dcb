/**
 * Listeners for an HttpService over node:http: unix sockets, TCP, and sockets a service manager opened. Deno and Bun run
 * it through their node: modules.
 */
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HttpService } from '../http.ts';
import { type AccessRule, deniedBecause } from './http-access.ts';
import { channelOf } from './http-channel.ts';

/** Registry logins travel in headers. */
const MAX_HEADER_BYTES = 64 * 1024;
const HEADERS_TIMEOUT_MS = 60_000;

export interface TlsFiles {
  readonly key: Uint8Array;
  readonly cert: Uint8Array;
  /** With it, clients must show a certificate it signed. */
  readonly ca?: Uint8Array;
}

export type ListenAddress =
  | { readonly path: string }
  | { readonly host: string; readonly port: number; readonly tls?: TlsFiles }
  /** An open listening socket. */
  | { readonly fd: number };

export interface HttpListener {
  /** `unix:///run/wctr.sock`, `tcp://127.0.0.1:2375`, `fd://3`. */
  readonly url: string;
  /** Takes no new requests, lets the ones under way end for `graceMs`, then drops them. */
  close(graceMs: number): Promise<void>;
}

export async function listen(service: HttpService, address: ListenAddress, access: AccessRule): Promise<HttpListener> {
  const tls = 'host' in address ? address.tls : undefined;
  const options: http.ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Loading an image or following a log takes as long as it takes.
    requestTimeout: 0,
    keepAliveTimeout: 30_000,
  };
  const server =
    tls === undefined
      ? http.createServer(options)
      : https.createServer({
          ...options,
          key: Buffer.from(tls.key),
          cert: Buffer.from(tls.cert),
          minVersion: 'TLSv1.2',
          ...(tls.ca === undefined ? {} : { ca: Buffer.from(tls.ca), requestCert: true, rejectUnauthorized: true }),
        });
  const sockets = new Set<Socket>();
  let closing = false;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A client that goes away is no event of ours.
    socket.on('error', () => {});
  });
  server.on('request', (request, response) => void answer(service, access, request, response));
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => void upgrade(service, access, request, socket, head));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return socket.destroy();
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    return undefined;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const done = () => {
      server.off('error', reject);
      resolve();
    };
    if ('path' in address) server.listen(address.path, done);
    else if ('fd' in address) server.listen({ fd: address.fd }, done);
    else server.listen(address.port, address.host, done);
  });
  return {
    url: urlOf(address, server.address()),
    close: async (graceMs) => {
      if (closing) return;
      closing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function urlOf(address: ListenAddress, bound: AddressInfo | string | null): string {
  if ('path' in address) return `unix://${address.path}`;
  if ('fd' in address) return `fd://${address.fd}`;
  const { host } = address;
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  return `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

async function answer(
  service: HttpService,
  access: AccessRule,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): Promise<void> {
  const left = new AbortController();
  outgoing.once('close', () => left.abort());
  try {
    const request = admit(access, incoming, left.signal, bodyOf(incoming));
    await send(request instanceof Response ? request : await service.fetch(request), incoming, outgoing);
  } catch (error) {
    if (outgoing.headersSent) outgoing.destroy();
    else await send(failure(error), incoming, outgoing).catch(() => outgoing.destroy());
  }
}

function failure(error: unknown): Response {
  return Response.json({ message: error instanceof Error ? error.message : String(error) }, { status: 500 });
}

/** The Request, or why there is none. */
function admit(
  access: AccessRule,
  incoming: http.IncomingMessage,
  signal: AbortSignal,
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>,
): Request | Response {
  const denied = deniedBecause(access, incoming.headers);
  if (denied !== undefined) return Response.json({ message: denied }, { status: 403 });
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at]!, incoming.rawHeaders[at + 1]!);
  }
  const method = incoming.method ?? 'GET';
  const hasBody = method !== 'GET' && method !== 'HEAD';
  try {
    // What the client calls us has been looked at; routes see paths only.
    const url = new URL(`http://daemon${incoming.url?.startsWith('/') ? incoming.url : '/'}`);
    return new Request(url, {
      method,
      headers,
      signal,
      ...(hasBody ? { body, duplex: 'half' } : {}),
    } as RequestInit);
  } catch {
    // A method or a header the web's rules forbid.
    return Response.json({ message: 'malformed request' }, { status: 400 });
  }
}

/** As much as is asked for, no more. */
function bodyOf(incoming: http.IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = incoming[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await chunks.next();
        if (next.done === true) controller.close();
        else controller.enqueue(new Uint8Array(next.value.buffer, next.value.byteOffset, next.value.length));
      },
      cancel() {
        // The connection is still needed for the answer: the rest is read and dropped.
        incoming.resume();
      },
    },
    { highWaterMark: 0 },
  );
}

async function send(response: Response, incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
  const headers: Record<string, string> = {};
  response.headers.forEach((value, name) => {
    headers[name] = value;
  });
  outgoing.writeHead(response.status, headers);
  if (response.body === null || incoming.method === 'HEAD') {
    void response.body?.cancel().catch(() => {});
    outgoing.end();
  } else {
    // Clients act on the headers before there is anything else to send.
    outgoing.flushHeaders();
    await copy(response.body, outgoing);
  }
  // A body nobody read would be taken for the next request.
  if (!incoming.complete) incoming.resume();
}

async function copy(body: ReadableStream<Uint8Array>, outgoing: http.ServerResponse): Promise<void> {
  const reader = body.getReader();
  const gone = new Promise<'gone'>((resolve) => outgoing.once('close', () => resolve('gone')));
  for (;;) {
    const next = await Promise.race([reader.read(), gone]);
    if (next === 'gone') {
      void reader.cancel().catch(() => {});
      return;
    }
    if (next.done) break;
    if (!outgoing.write(next.value)) {
      const drained = new Promise<void>((resolve) => outgoing.once('drain', () => resolve()));
      await Promise.race([drained, gone]);
    }
  }
  outgoing.end();
}

/** The longest body a client may send with an upgrade: options of exec. */
const MAX_UPGRADE_BODY = 64 * 1024;

async function upgrade(
  service: HttpService,
  access: AccessRule,
  incoming: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const left = new AbortController();
  socket.once('close', () => left.abort());
  socket.on('error', () => {});
  // What newer Nodes give may be a stream around the connection.
  incoming.socket.setTimeout(0);
  incoming.socket.setNoDelay(true);
  try {
    const length = Number(incoming.headers['content-length'] ?? 0);
    if (!Number.isInteger(length) || length < 0 || length > MAX_UPGRADE_BODY) {
      return await refuse(socket, Response.json({ message: 'malformed request' }, { status: 400 }));
    }
    const { body, rest } = await bodyBeforeUpgrade(incoming, socket, head, length);
    const request = admit(access, incoming, left.signal, new Uint8Array(body));
    if (request instanceof Response) return await refuse(socket, request);
    const upgraded = await service.upgrade(request);
    if (upgraded instanceof Response) return await refuse(socket, upgraded);
    const headers = Object.entries(upgraded.headers).map(([name, value]) => `${canonical(name)}: ${value}\r\n`);
    const protocol = /^[\w./-]{1,32}$/.test(incoming.headers.upgrade ?? '') ? incoming.headers.upgrade : 'tcp';
    socket.write(`HTTP/1.1 101 UPGRADED\r\n${headers.join('')}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`);
    if (rest.length > 0) socket.unshift(rest);
    await upgraded.serve(channelOf(socket));
    // Both directions are done with: what the client still holds open is nobody's.
    if (!socket.destroyed) socket.end();
    setTimeout(() => socket.destroy(), 1_000).unref();
  } catch (error) {
    await refuse(socket, failure(error)).catch(() => socket.destroy());
  }
}

/**
 * Up to Node 24 the parser stops at the headers: the body comes in `head` and on the socket. Later ones, and Bun, give it as
 * the request's, and `head` is what follows it; Deno does this or that, as the packets come.
 */
async function bodyBeforeUpgrade(
  incoming: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
  length: number,
): Promise<{ body: Buffer; rest: Buffer }> {
  const isParsed = !incoming.complete || incoming.readableLength > 0;
  let read: Buffer = isParsed ? Buffer.alloc(0) : head;
  const follows = isParsed ? head : Buffer.alloc(0);
  if (read.length < length) {
    await new Promise<void>((resolve, reject) => {
      const take = (chunk: Buffer) => {
        read = Buffer.concat([read, chunk]);
        if (read.length >= length) settle(resolve);
      };
      const gone = () => settle(() => reject(new Error('the client has gone')));
      const settle = (how: () => void) => {
        socket.pause();
        for (const source of [socket, incoming]) source.off('data', take);
        socket.off('close', gone);
        how();
      };
      for (const source of [socket, incoming]) source.on('data', take);
      // The request's own close comes with the upgrade, whatever is still to come on the socket.
      socket.on('close', gone);
    });
  }
  return { body: read.subarray(0, length), rest: Buffer.concat([read.subarray(length), follows]) };
}

function canonical(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** An ordinary answer on a connection that asked to be more; it ends with it. */
async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  const headers = [`HTTP/1.1 ${response.status} ${http.STATUS_CODES[response.status] ?? 'Status'}`];
  response.headers.forEach((value, name) => {
    if (name !== 'content-length') headers.push(`${canonical(name)}: ${value}`);
  });
  headers.push(`Content-Length: ${body.length}`, 'Connection: close', '', '');
  socket.end(Buffer.concat([Buffer.from(headers.join('\r\n')), body]));
  setTimeout(() => socket.destroy(), 1_000).unref();
}
