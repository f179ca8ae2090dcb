/**
 * Service moby.buildkit.v1.frontend.LLBBridge: buildx runs a frontend of its own, which does no more than to ask for our
 * `dockerfile.v0` and to return the result. The build begins when it has.
 */

import { dockerfileAttributes } from './control.ts';
import { type Call, type Method, type Methods, unary } from './grpc/server.ts';
import { GrpcError, INVALID_ARGUMENT, UNIMPLEMENTED } from './grpc/status.ts';
import { type LoadParts, loadDockerfile } from './load-build.ts';
import type { Of } from './proto/codec.ts';
import { NOTHING } from './proto/common.ts';
import {
  BRIDGE_SOLVE_REQUEST,
  BRIDGE_SOLVE_RESPONSE,
  EVALUATE_REQUEST,
  PONG,
  RETURN_REQUEST,
  WARN_REQUEST,
} from './proto/gateway.ts';
import { solveError } from './solve-errors.ts';
import type { Solve, Solves } from './solves.ts';
import { answerSubrequest } from './subrequests.ts';
import { FRONTEND_CAPABILITIES, LLB_CAPABILITIES, worker } from './worker.ts';

const SERVICE = '/moby.buildkit.v1.frontend.LLBBridge';

export interface BridgeParts extends LoadParts {
  readonly solves: Solves;
  /** Of wctr. */
  readonly version: string;
}

export function bridgeMethods(parts: BridgeParts): Methods {
  const of = (call: Call): Promise<Solve> => {
    const id = call.metadata('buildkit-controlapi-buildid');
    if (id === undefined) throw new GrpcError(INVALID_ARGUMENT, 'the call is of no build');
    return parts.solves.get(id, call.signal);
  };
  const methods: [string, Method][] = [
    [
      'Ping',
      unary(NOTHING, PONG, () => ({
        FrontendAPICaps: FRONTEND_CAPABILITIES,
        LLBCaps: LLB_CAPABILITIES,
        Workers: [worker(parts.version)],
      })),
    ],
    [
      'Solve',
      unary(BRIDGE_SOLVE_REQUEST, BRIDGE_SOLVE_RESPONSE, async (request, call) =>
        solve(await of(call), request, parts),
      ),
    ],
    [
      'Return',
      unary(RETURN_REQUEST, NOTHING, async (returned, call) => {
        (await of(call)).settle(returned);
        return {};
      }),
    ],
    // What a result stands for is built when it is returned: until then there is nothing that could fail.
    ['Evaluate', unary(EVALUATE_REQUEST, NOTHING, () => ({}))],
    [
      'Warn',
      unary(WARN_REQUEST, NOTHING, async ({ digest, level, short, url }, call) => {
        const text = new TextDecoder().decode(short);
        (await of(call)).tell({ warnings: [{ vertex: digest, level, short: text, url }] });
        return {};
      }),
    ],
  ];
  return new Map(methods.map(([name, method]) => [`${SERVICE}/${name}`, method]));
}

async function solve(
  begun: Solve,
  { Definition, Frontend, FrontendOpt, FrontendInputs, CacheImports }: Of<typeof BRIDGE_SOLVE_REQUEST>,
  parts: BridgeParts,
): Promise<Partial<Of<typeof BRIDGE_SOLVE_RESPONSE>>> {
  if (Definition.length > 0 || FrontendInputs.length > 0) {
    throw new GrpcError(UNIMPLEMENTED, 'LLB definitions are not built: build a Dockerfile');
  }
  const attributes = new Map(dockerfileAttributes(Frontend, FrontendOpt));
  if (CacheImports.length > 0) {
    const entries = CacheImports.map(({ Type, Attrs }) => ({ Type, Attrs: Object.fromEntries(Attrs ?? []) }));
    attributes.set('cache-imports', JSON.stringify(entries));
  }
  const subrequest = attributes.get('requestid');
  if (subrequest !== undefined) {
    const dockerfile = await loadDockerfile(begun, attributes, parts).catch((error: unknown) => {
      throw solveError(error, undefined);
    });
    return { result: { metadata: answerSubrequest(subrequest, dockerfile, attributes) } };
  }
  const id = `result-${begun.results.size}`;
  begun.results.set(id, attributes);
  return { result: { ref: { id } } };
}
