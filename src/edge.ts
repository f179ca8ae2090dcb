/**
 * The composition root of an edge host, where Wasm modules are compiled before and time is short: answers requests with
 * the program of one image. A bundle of `wctr build --output type=edge` calls it; nothing else of wctr comes along.
 */
import { cgiEnvironment, cgiResponse } from './host/edge/cgi.ts';
import { type EdgeCall, type EdgeResult, EdgeRuns } from './host/edge/container.ts';
import { decodeResponse, encodeRequest, RequestListener } from './host/edge/http-connection.ts';
import type { EdgeDescription, EdgeImage } from './host/edge-image.ts';

export { WctrError } from './errors.ts';
export type { EdgeCall, EdgeResult } from './host/edge/container.ts';
export type { EdgeDescription, EdgeImage } from './host/edge-image.ts';

export interface EdgeContainer {
  /** A guest of its own for each call; it sees nothing of the others. */
  run(call?: EdgeCall): Promise<EdgeResult>;
  /** `variables`: the strings among them are the guest's environment. What it writes to standard error is logged. */
  fetch(request: Request, variables?: Readonly<Record<string, unknown>>): Promise<Response>;
}

export function openEdge(image: EdgeImage): EdgeContainer {
  const runs = new EdgeRuns(image);
  return {
    run: (call = {}) => runs.run(call),
    fetch: (request, variables = {}) => answer(runs, image.description, request, variables),
  };
}

async function answer(
  runs: EdgeRuns,
  { http }: EdgeDescription,
  request: Request,
  variables: Readonly<Record<string, unknown>>,
): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer());
  const env = Object.entries(variables).flatMap(([name, value]) =>
    typeof value === 'string' && /^[^=\0]+$/.test(name) ? [`${name}=${value}`] : [],
  );
  if (http === 'socket') {
    const listener = new RequestListener(encodeRequest(request, body));
    const result = await runs.run({ env, listeners: [listener] });
    return decodeResponse(listener.written(), request.method) ?? failed(result);
  }
  const remote = request.headers.get('cf-connecting-ip') ?? '';
  const result = await runs.run({ env: [...env, ...cgiEnvironment(request, body.length, remote)], stdin: body });
  if (result.stdout.length === 0 && result.exit.exitCode !== 0) return failed(result);
  log(result);
  return cgiResponse(result.stdout);
}

/** The reason is for whoever reads the host's log, not for the client. */
function failed(result: EdgeResult): Response {
  const { exitCode, reason } = result.exit;
  log(result);
  console.error(
    `the program ended with ${exitCode} and without a response${reason === undefined ? '' : `: ${reason}`}`,
  );
  return new Response('Internal Server Error\n', { status: 500, headers: { 'content-type': 'text/plain' } });
}

function log({ stderr }: EdgeResult): void {
  if (stderr.length > 0) console.error(new TextDecoder().decode(stderr).trimEnd());
}
