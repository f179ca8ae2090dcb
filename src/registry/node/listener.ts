/**
 * The registry on sockets of Node (and of Deno and Bun by their node: modules). Answers go out without a Request and a
 * Response in between, and a blob's bytes from its file to the socket through a few buffers that are used again.
 */
import { type FileHandle, open } from 'node:fs/promises';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { WctrError } from '../../errors.ts';
import { type BlobBody, isBlobBody, type RegistryRequest, type Reply } from '../http.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly key: Uint8Array; readonly cert: Uint8Array; readonly ca?: Uint8Array };
}

export interface RegistryListener {
  /** `http://127.0.0.1:5000` */
  readonly url: string;
  /** Takes no new requests, lets the ones under way end for `graceMs`, then drops them. */
  close(graceMs: number): Promise<void>;
}

const MAX_HEADER_BYTES = 64 * 1024;
const HEADERS_TIMEOUT_MS = 30_000;
/** A connection on which nothing moves for this long is given up: an upload's bytes so far stay. */
const IDLE_MS = 120_000;
const KEEP_ALIVE_MS = 75_000;

export async function listenRegistry(
  handle: (request: RegistryRequest) => Promise<Reply>,
  { host, port, tls }: ListenOptions,
): Promise<RegistryListener> {
  const options: http.ServerOptions = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // A large blob over a slow line takes as long as it takes.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? http.createServer(options)
      : https.createServer({
          ...options,
          minVersion: 'TLSv1.2',
          key: Buffer.from(tls.key),
          cert: Buffer.from(tls.cert),
          ...(tls.ca === undefined ? {} : { ca: Buffer.from(tls.ca), requestCert: true, rejectUnauthorized: true }),
        });
  server.timeout = IDLE_MS;
  const sockets = new Set<Socket>();
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('request', (incoming, outgoing) => void answer(handle, incoming, outgoing));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return socket.destroy();
    const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    return undefined;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${bound}`,
    close: async (graceMs) => {
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

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new WctrError('conflict', `cannot listen on ${host}:${port}: the port is in use`, {
      hint: 'name another with --listen HOST:PORT',
    });
  }
  if (error.code === 'EACCES' || error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') {
    return new WctrError('invalid-argument', `cannot listen on ${host}:${port}: ${error.code}`);
  }
  return error;
}

async function answer(
  handle: (request: RegistryRequest) => Promise<Reply>,
  incoming: http.IncomingMessage,
  outgoing: http.ServerResponse,
): Promise<void> {
  try {
    const reply = await handle(lightRequest(incoming));
    const { body } = reply;
    outgoing.writeHead(reply.status, reply.headers as Record<string, string>);
    if (body === undefined || incoming.method === 'HEAD') outgoing.end();
    else if (!isBlobBody(body)) outgoing.end(body);
    else await sendBlob(body, outgoing);
  } catch {
    // The head has gone out, so breaking off is all that can be said; before it, only a client that left can fail here.
    outgoing.destroy();
  }
}

function lightRequest(incoming: http.IncomingMessage): RegistryRequest {
  const url = incoming.url ?? '/';
  const question = url.indexOf('?');
  const { headers, socket } = incoming;
  return {
    method: incoming.method ?? 'GET',
    path: question < 0 ? url : url.slice(0, question),
    query: question < 0 ? '' : url.slice(question + 1),
    header: (name) => {
      const value = headers[name];
      return typeof value === 'object' ? value.join(', ') : value;
    },
    body: () => bodyOf(incoming),
    ...(socket.remoteAddress === undefined ? {} : { remote: socket.remoteAddress }),
  };
}

async function* bodyOf(incoming: http.IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of incoming) yield chunk as Buffer;
  } catch (cause) {
    throw new WctrError('cancelled', 'the client went away', { cause });
  } finally {
    // A body nobody reads to its end would be taken for the next request.
    if (!incoming.destroyed) incoming.resume();
  }
}

const BUFFER_BYTES = 512 * 1024;
const BUFFERS = 3;

/** One buffer is read into while the others are on their way out. */
async function sendBlob(body: BlobBody, outgoing: http.ServerResponse): Promise<void> {
  if (body.path === undefined) {
    for await (const chunk of body.stream()) await written(outgoing, chunk);
    outgoing.end();
    return;
  }
  const file = await open(body.path, 'r');
  try {
    await copyFile(file, body, outgoing);
  } finally {
    await file.close();
  }
  outgoing.end();
}

async function copyFile(file: FileHandle, { from, to }: BlobBody, outgoing: http.ServerResponse): Promise<void> {
  const size = Math.min(BUFFER_BYTES, to - from);
  const slots = Array.from({ length: BUFFERS }, () => ({
    buffer: undefined as Buffer | undefined,
    sent: Promise.resolve(),
  }));
  let at = from;
  for (let turn = 0; at < to; turn++) {
    const slot = slots[turn % BUFFERS]!;
    await slot.sent;
    slot.buffer ??= Buffer.allocUnsafeSlow(size);
    const { bytesRead } = await file.read(slot.buffer, 0, Math.min(size, to - at), at);
    if (bytesRead === 0) throw new Error('the blob is shorter than it was');
    at += bytesRead;
    slot.sent = written(outgoing, slot.buffer.subarray(0, bytesRead));
    // Whoever waits for it next hears of it.
    slot.sent.catch(() => {});
  }
  await Promise.all(slots.map(({ sent }) => sent));
}

/** Resolves when the bytes have left and the buffer may be used again. */
function written(outgoing: http.ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    outgoing.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}
