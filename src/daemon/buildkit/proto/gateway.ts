/** Package moby.buildkit.v1.frontend, service LLBBridge: frontend/gateway/pb/gateway.proto of github.com/moby/buildkit. */
import { bytes, bytesMap, int64, many, message, one, string, stringMap } from './codec.ts';
import { CACHE_ENTRY, CAPABILITY, RANGE, SOURCE_INFO, STATUS, WORKER } from './common.ts';

export const PONG = message({
  FrontendAPICaps: many(1, CAPABILITY),
  LLBCaps: many(2, CAPABILITY),
  Workers: many(3, WORKER),
});

const REF = message({ id: string(1) });
const RESULT = message({ ref: one(3, REF), metadata: bytesMap(10) });

export const BRIDGE_SOLVE_REQUEST = message({
  Definition: bytes(1),
  Frontend: string(2),
  FrontendOpt: stringMap(3),
  CacheImports: many(12, CACHE_ENTRY),
  /** map<string, pb.Definition>; only whether there is one is asked. */
  FrontendInputs: bytes(13),
});
export const BRIDGE_SOLVE_RESPONSE = message({ result: one(3, RESULT) });

export const RETURN_REQUEST = message({ result: one(1, RESULT), error: one(2, STATUS) });

export const WARN_REQUEST = message({
  digest: string(1),
  level: int64(2),
  short: bytes(3),
  url: string(5),
  info: one(6, SOURCE_INFO),
  ranges: many(7, RANGE),
});

export const EVALUATE_REQUEST = message({ Ref: string(1) });

/** A capability that is there. */
export function enabled(ID: string): { ID: string; Enabled: boolean } {
  return { ID, Enabled: true };
}
