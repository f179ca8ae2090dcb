/** A request as a CGI program gets it, and its output as a response (RFC 3875). */
import { responseInit } from './response-init.ts';

/** Meta-variables, section 4.1. `remote`: the client's address, where the host says it. */
export function cgiEnvironment(request: Request, bodyBytes: number, remote = ''): string[] {
  const url = new URL(request.url);
  const variables = [
    'GATEWAY_INTERFACE=CGI/1.1',
    'SERVER_SOFTWARE=wctr',
    'SERVER_PROTOCOL=HTTP/1.1',
    `SERVER_NAME=${url.hostname}`,
    `SERVER_PORT=${url.port || (url.protocol === 'https:' ? '443' : '80')}`,
    `REQUEST_METHOD=${request.method}`,
    'SCRIPT_NAME=',
    `PATH_INFO=${decoded(url.pathname)}`,
    `REQUEST_URI=${url.pathname}${url.search}`,
    `QUERY_STRING=${url.search.slice(1)}`,
    `REMOTE_ADDR=${remote}`,
    ...(url.protocol === 'https:' ? ['HTTPS=on'] : []),
  ];
  const type = request.headers.get('content-type');
  if (type !== null) variables.push(`CONTENT_TYPE=${type}`);
  if (bodyBytes > 0) variables.push(`CONTENT_LENGTH=${bodyBytes}`);
  for (const [name, value] of request.headers) {
    // `Proxy` would become HTTP_PROXY, which programs take for something else; secrets of the host's own are none of theirs.
    if (['content-type', 'content-length', 'proxy', 'connection'].includes(name)) continue;
    variables.push(`HTTP_${name.toUpperCase().replaceAll('-', '_')}=${value}`);
  }
  return variables.filter((variable) => !variable.includes('\0'));
}

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
/** One of these makes what a program printed a CGI response (section 6.2). */
const CGI_HEADERS = ['content-type', 'location', 'status'];
const HEAD_LIMIT = 64 * 1024;

/** What is not a CGI response is plain text: `hello` answers as well. */
export function cgiResponse(output: Uint8Array<ArrayBuffer>): Response {
  const head = headOf(output);
  if (head === undefined) return new Response(output, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
  const headers = new Headers();
  let status = 200;
  for (const [name, value] of head.lines) {
    if (name.toLowerCase() === 'status') status = Number(/^[1-5]\d\d/.exec(value)?.[0] ?? 502);
    else headers.append(name, value);
  }
  if (headers.has('location') && status === 200) status = 302;
  const hasBody = status !== 204 && status !== 205 && status !== 304 && status >= 200;
  const body = hasBody ? output.subarray(head.length) : null;
  return new Response(body, responseInit(status < 200 ? 502 : status, headers));
}

function headOf(output: Uint8Array): { lines: [string, string][]; length: number } | undefined {
  const text = new TextDecoder('latin1').decode(output.subarray(0, HEAD_LIMIT));
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return undefined;
  const lines: [string, string][] = [];
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    lines.push([name, value]);
  }
  const isCgi = lines.some(([name]) => CGI_HEADERS.includes(name.toLowerCase()));
  return isCgi ? { lines, length: end.index + end[0].length } : undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
