/**
 * One HTTP/1.1 request as the connection a server accepts, and what it writes as a response (RFC 9112). The guest runs to
 * the point where it waits for another connection; there it ends.
 */
import type { HostConnection, HostListener } from '../wasi/ports.ts';
import { responseInit } from './response-init.ts';

/** Thrown through the guest when it has nothing left to do. */
export class NothingElse extends Error {
  override readonly name = 'NothingElse';
}

const EAGAIN = 11;
const POLLIN = 1;
const POLLOUT = 4;

export class RequestListener implements HostListener {
  readonly #request: Uint8Array;
  readonly #written: Uint8Array[] = [];
  #accepted = false;

  constructor(request: Uint8Array) {
    this.#request = request;
  }

  accept(): HostConnection | number {
    if (this.#accepted) throw new NothingElse('the server waits for another connection');
    this.#accepted = true;
    return new RequestConnection(this.#request, this.#written);
  }

  poll(events: number): number {
    if (this.#accepted) throw new NothingElse('the server waits for another connection');
    return events & POLLIN;
  }

  /** Everything the server wrote. */
  written(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#written.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of this.#written) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

class RequestConnection implements HostConnection {
  #rest: Uint8Array;
  readonly #written: Uint8Array[];

  constructor(request: Uint8Array, written: Uint8Array[]) {
    this.#rest = request;
    this.#written = written;
  }

  read(target: Uint8Array): number {
    const part = this.#rest.subarray(0, target.length);
    target.set(part);
    this.#rest = this.#rest.subarray(part.length);
    return part.length;
  }

  write(source: Uint8Array): number {
    this.#written.push(source.slice());
    return source.length;
  }

  receive(target: Uint8Array, flags: number, nonBlocking: boolean): number {
    const peeks = (flags & 1) !== 0;
    if (this.#rest.length === 0) return nonBlocking ? -EAGAIN : 0;
    if (!peeks) return this.read(target);
    const part = this.#rest.subarray(0, target.length);
    target.set(part);
    return part.length;
  }

  send(source: Uint8Array): number {
    return this.write(source);
  }

  shutdown(): number {
    return 0;
  }

  poll(events: number): number {
    return events & (POLLIN | POLLOUT);
  }

  available(): number {
    return this.#rest.length;
  }
}

/** The request line, its headers and its body; one connection, one request. */
export function encodeRequest(request: Request, body: Uint8Array): Uint8Array {
  const { pathname, search, host } = new URL(request.url);
  const lines = [`${request.method} ${pathname}${search} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of request.headers) {
    if (['host', 'connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade'].includes(name)) continue;
    lines.push(`${name}: ${value}`);
  }
  if (body.length > 0) lines.push(`content-length: ${body.length}`);
  lines.push('connection: close', '', '');
  const head = latin1(lines.join('\r\n'));
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

/** Undefined for what is no whole response. `method`: the answer to HEAD has no body. */
export function decodeResponse(bytes: Uint8Array<ArrayBuffer>, method: string): Response | undefined {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 64 * 1024));
  const end = text.indexOf('\r\n\r\n');
  const [, code] = /^HTTP\/1\.[01] ([2-5]\d\d)/.exec(text) ?? [];
  if (end < 0 || code === undefined) return undefined;
  const headers = new Headers();
  for (const line of text.slice(0, end).split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) return undefined;
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const status = Number(code);
  let body: Uint8Array<ArrayBuffer> | undefined = bytes.subarray(end + 4);
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') body = unchunked(body);
  else if (headers.has('content-length')) body = body.subarray(0, Number(headers.get('content-length')));
  if (body === undefined) return undefined;
  for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'content-length']) headers.delete(name);
  const isEmpty = method === 'HEAD' || status === 204 || status === 205 || status === 304;
  return new Response(isEmpty ? null : body, responseInit(status, headers));
}

function unchunked(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const whole = new Uint8Array(bytes.length);
  let length = 0;
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf(10, at);
    if (lineEnd < 0) return undefined;
    const [size] = /^[0-9a-f]{1,8}/i.exec(new TextDecoder('latin1').decode(bytes.subarray(at, lineEnd))) ?? [];
    if (size === undefined) return undefined;
    const count = Number.parseInt(size, 16);
    at = lineEnd + 1;
    if (count === 0) return whole.subarray(0, length);
    if (at + count > bytes.length) return undefined;
    whole.set(bytes.subarray(at, at + count), length);
    length += count;
    at += count + 2;
  }
}

function latin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i) & 0xff;
  return bytes;
}
