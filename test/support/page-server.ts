/** Serves a page, the built package and what a test adds, on loopback; with or without cross-origin isolation. */
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROJECT = new URL('../../', import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
};

const PAGE = `<!doctype html><title>wctr</title>
<script type="importmap">{ "imports": { "memfs": "/memfs.js" } }</script>`;

export interface PageServer {
  readonly origin: string;
  close(): Promise<void>;
}

export type Route = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** `/dist/` and `/test/runtimes/` are the project's; everything else is `route`'s, or an empty page. */
export async function startPageServer(options: { isolated: boolean; route?: Route }): Promise<PageServer> {
  const server = createServer(async (request, response) => {
    if (options.isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (await options.route?.(request, response)) return;
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === '/') {
      response.setHeader('content-type', 'text/html').end(PAGE);
      return;
    }
    if (!/^\/(dist|test\/runtimes|node_modules)\//.test(path)) {
      response.writeHead(404).end();
      return;
    }
    const file = fileURLToPath(new URL(`.${path}`, PROJECT));
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
