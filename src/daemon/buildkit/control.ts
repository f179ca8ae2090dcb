/** Service moby.buildkit.v1.Control: what clients ask of the daemon itself. */
import type { BuildOutcome, BuildUseCases } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import type { BuildCacheRecord, Filters } from '../../spec/engine-api.ts';
import { type Call, duplex, type Methods, streaming, unary } from './grpc/server.ts';
import { GrpcError, UNIMPLEMENTED, UNKNOWN } from './grpc/status.ts';
import { type LoadedBuild, type LoadParts, loadBuild } from './load-build.ts';
import type { Of } from './proto/codec.ts';
import { NOTHING } from './proto/common.ts';
import {
  DISK_USAGE_REQUEST,
  DISK_USAGE_RESPONSE,
  HISTORY_REQUEST,
  INFO_REQUEST,
  INFO_RESPONSE,
  LIST_WORKERS_REQUEST,
  LIST_WORKERS_RESPONSE,
  PRUNE_REQUEST,
  SOLVE_REQUEST,
  SOLVE_RESPONSE,
  STATUS_REQUEST,
  STATUS_RESPONSE,
  USAGE_RECORD,
} from './proto/control.ts';
import { BYTES } from './proto/session.ts';
import { tunnelSession } from './session/tunnel.ts';
import { solveError } from './solve-errors.ts';
import { timestampOf } from './solve-status.ts';
import type { Attributes, Solve, SolveRequest, Solves } from './solves.ts';
import { buildkitVersion, worker } from './worker.ts';

const SERVICE = '/moby.buildkit.v1.Control';

export interface ControlParts extends LoadParts {
  readonly builds: BuildUseCases;
  readonly solves: Solves;
  /** Of wctr. */
  readonly version: string;
}

export function controlMethods(parts: ControlParts): Methods {
  const { builds, solves, version } = parts;
  return new Map([
    [
      `${SERVICE}/ListWorkers`,
      unary(LIST_WORKERS_REQUEST, LIST_WORKERS_RESPONSE, () => ({ record: [worker(version)] })),
    ],
    [`${SERVICE}/Info`, unary(INFO_REQUEST, INFO_RESPONSE, () => ({ buildkitVersion: buildkitVersion(version) }))],
    [`${SERVICE}/Solve`, unary(SOLVE_REQUEST, SOLVE_RESPONSE, (request, call) => solve(parts, request, call))],
    [
      `${SERVICE}/Status`,
      streaming(STATUS_REQUEST, STATUS_RESPONSE, async function* ({ Ref }, { signal }) {
        yield* (await solves.get(Ref, signal)).statuses(signal);
      }),
    ],
    [
      `${SERVICE}/DiskUsage`,
      unary(DISK_USAGE_REQUEST, DISK_USAGE_RESPONSE, async ({ filter }) => ({
        record: (await builds.usage(filtersOf(filter))).map(usageRecord),
      })),
    ],
    [`${SERVICE}/Prune`, streaming(PRUNE_REQUEST, USAGE_RECORD, (request) => prune(builds, request))],
    [
      `${SERVICE}/Session`,
      duplex(BYTES, BYTES, (requests, call) => tunnelSession(parts.sessions, parts.host, requests, call)),
    ],
    // Nothing is kept of builds that are over.
    [`${SERVICE}/ListenBuildHistory`, streaming(HISTORY_REQUEST, NOTHING, async function* () {})],
    [`${SERVICE}/UpdateBuildHistory`, unary(NOTHING, NOTHING, () => ({}))],
  ]);
}

async function solve(parts: ControlParts, request: SolveRequest, { signal }: Call): Promise<Partial<SolveResponse>> {
  refuseUnsupported(request);
  const begun = parts.solves.begin(request, signal);
  try {
    const attributes = await attributesOf(begun, parts);
    if (attributes === undefined) return {};
    return { ExporterResponse: exporterResponse(await runBuild(begun, attributes, parts)) };
  } finally {
    begun.over();
  }
}

export async function runBuild(begun: Solve, attributes: Attributes, parts: ControlParts): Promise<BuildOutcome> {
  const loaded = await loadBuild(begun, attributes, parts).catch((error: unknown) => {
    throw solveError(error, undefined);
  });
  try {
    return await build(parts.builds, loaded);
  } finally {
    await loaded.close();
  }
}

type SolveResponse = Of<typeof SOLVE_RESPONSE>;

async function build(builds: BuildUseCases, { request, dockerfile }: LoadedBuild): Promise<BuildOutcome> {
  try {
    return await builds.build(request);
  } catch (error) {
    throw solveError(error, dockerfile);
  }
}

/**
 * A frontend that is named runs here. Without one the client runs its own, which asks for our `dockerfile.v0` through the
 * bridge and returns what it made of it: undefined where that is no build.
 */
async function attributesOf(begun: Solve, { sessions }: ControlParts): Promise<Attributes | undefined> {
  const { request, signal } = begun;
  if (request.Frontend !== '') return dockerfileAttributes(request.Frontend, request.FrontendAttrs);
  const session = await sessions.get(request.Session, signal);
  const gone = AbortSignal.any([signal, session.signal]);
  const left = new Promise<never>((_, reject) => {
    const reason = () => reject(new WctrError('cancelled', 'the client has gone'));
    if (gone.aborted) reason();
    gone.addEventListener('abort', reason, { once: true });
  });
  const { result, error } = await Promise.race([begun.returned, left]);
  if (error !== undefined) throw new GrpcError(error.code ?? UNKNOWN, error.message ?? '', error.details);
  return begun.results.get(result?.ref?.id ?? '');
}

/** Throws where a frontend is none of ours. */
export function dockerfileAttributes(frontend: string, attributes: Attributes): Attributes {
  if (frontend === 'dockerfile.v0') return attributes;
  // A `# syntax=` of docker's own is the language that is built here.
  const source = attributes.get('source') ?? '';
  if (frontend === 'gateway.v0' && /^(docker\.io\/)?docker\/dockerfile(-upstream)?([:@]|$)/.test(source))
    return attributes;
  throw new GrpcError(UNIMPLEMENTED, `there is no frontend ${frontend} ${source}`.trimEnd().slice(0, 300));
}

function refuseUnsupported({ Definition, SourcePolicy }: SolveRequest): void {
  if (Definition.length > 0) {
    throw new GrpcError(UNIMPLEMENTED, 'LLB definitions are not built: build a Dockerfile');
  }
  if (SourcePolicy.length > 0) throw new GrpcError(UNIMPLEMENTED, 'source policies are not applied');
}

/** Keys of exporter/containerimage/exptypes. */
function exporterResponse({ imageId, digest, references }: BuildOutcome): Map<string, string> {
  const found = new Map<string, string>();
  if (digest !== undefined) found.set('containerimage.digest', digest);
  if (imageId !== undefined) found.set('containerimage.config.digest', imageId);
  if (references.length > 0) found.set('image.name', references.join(','));
  return found;
}

/** `type==regular`, `id~=ab`, `inuse`. */
function filtersOf(list: readonly string[]): Filters {
  const found: Record<string, string[]> = {};
  for (const filter of list) {
    for (const part of filter.split(',').filter(Boolean)) {
      const [, name = part, value = 'true'] = /^([^=~!]+)(?:[=~]=|=)(.*)$/.exec(part) ?? [];
      found[name.toLowerCase()] = [...(found[name.toLowerCase()] ?? []), value];
    }
  }
  return found;
}

function usageRecord(record: BuildCacheRecord) {
  const { ID, Type, Description, InUse, Shared, Size, Parents, CreatedAt, LastUsedAt, UsageCount } = record;
  return {
    ID,
    InUse,
    Size,
    Description,
    Shared,
    Parents,
    UsageCount,
    Mutable: false,
    RecordType: Type,
    CreatedAt: timestampOf(CreatedAt),
    ...(LastUsedAt === null ? {} : { LastUsedAt: timestampOf(LastUsedAt) }),
  };
}

/** One record each of what went; how much each had is known from before. */
async function* prune(
  builds: BuildUseCases,
  { filter, all, keepDuration, reservedSpace, maxUsedSpace }: Of<typeof PRUNE_REQUEST>,
): AsyncGenerator<ReturnType<typeof usageRecord>> {
  const before = new Map((await builds.usage()).map((record) => [record.ID, record]));
  const keepBytes = maxUsedSpace || reservedSpace;
  const unused = keepDuration > 0 ? { until: [`${Math.ceil(keepDuration / 1e9)}s`] } : {};
  const { CachesDeleted } = await builds.prune({
    all,
    ...(keepBytes > 0 ? { keepBytes } : {}),
    filters: { ...filtersOf(filter), ...unused },
  });
  for (const id of CachesDeleted) {
    const record = before.get(id);
    if (record !== undefined) yield usageRecord(record);
  }
}
