import { afterEach, expect, it, vi } from 'vitest';
import { cgiResponse } from '../../../../src/host/edge/cgi.ts';
import { decodeResponse } from '../../../../src/host/edge/http-connection.ts';

afterEach(() => vi.unstubAllGlobals());

const bytes = (text: string) => new TextEncoder().encode(text);

it.each([
  ['a CGI program', (head: string) => cgiResponse(bytes(`Content-Type: a/b\r\n${head}\r\nX`))],
  ['a server', (head: string) => decodeResponse(bytes(`HTTP/1.1 200 OK\r\n${head}\r\nX`), 'GET')],
])('what %s compressed is not compressed again', async (_, answer) => {
  const seen: unknown[] = [];
  class Workers extends Response {
    constructor(body?: BodyInit | null, init?: ResponseInit) {
      super(body, init);
      seen.push((init as { encodeBody?: string }).encodeBody);
    }
  }
  vi.stubGlobal('Response', Workers);
  expect(await answer('Content-Encoding: gzip\r\n')?.text()).toBe('X');
  answer('');
  expect(seen).toEqual(['manual', undefined]);
});
