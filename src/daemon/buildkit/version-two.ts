/**
 * `POST /build?version=2`: how docker's own client of 18.09 to 22 asks for BuildKit, without buildx. The context and all
 * else come through the session; progress goes back as lines of JSON around messages of the gRPC service.
 */
import type { BuildOutcome } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import { flag, stringMap, text } from '../request.ts';
import { type ControlParts, runBuild } from './control.ts';
import { base64, GrpcError } from './grpc/status.ts';
import { SOLVE_REQUEST, STATUS_RESPONSE } from './proto/control.ts';
import type { Attributes, SolveRequest } from './solves.ts';

export interface VersionTwoLine {
  readonly id: 'moby.buildkit.trace' | 'moby.image.id';
  readonly aux: unknown;
}

/** Ends with the image's id; throws what the build failed of. */
export async function* buildVersionTwo(
  url: URL,
  parts: ControlParts,
  signal: AbortSignal,
): AsyncGenerator<VersionTwoLine> {
  const solve = parts.solves.begin(solveRequestOf(url), signal);
  const built: Promise<BuildOutcome> = runBuild(solve, attributesOf(url), parts).finally(() => solve.over());
  built.catch(() => {});
  for await (const status of solve.statuses(signal)) {
    yield { id: 'moby.buildkit.trace', aux: base64(STATUS_RESPONSE.encode(status)) };
  }
  const { imageId } = await built.catch((cause: unknown) => {
    throw cause instanceof GrpcError ? new WctrError('build-failed', cause.message, { cause }) : cause;
  });
  if (imageId !== undefined) yield { id: 'moby.image.id', aux: { ID: imageId } };
}

function solveRequestOf(url: URL): SolveRequest {
  const Session = text(url, 'session');
  if (Session === undefined) throw new WctrError('invalid-argument', 'version 2 of a build needs a session');
  const name = url.searchParams.getAll('t').filter(Boolean).join(',');
  const given = outputsOf(url);
  return {
    ...SOLVE_REQUEST.decode(new Uint8Array()),
    Ref: text(url, 'buildid') ?? Session,
    Session,
    Exporters: given.length > 0 ? given : [{ Type: 'moby', Attrs: new Map([['name', name]]) }],
  };
}

function outputsOf(url: URL): { Type: string; Attrs: Attributes }[] {
  const list = text(url, 'outputs');
  if (list === undefined) return [];
  let outputs: unknown;
  try {
    outputs = JSON.parse(list);
  } catch (cause) {
    throw new WctrError('invalid-argument', 'invalid outputs: expected a JSON list', { cause });
  }
  return (Array.isArray(outputs) ? outputs : []).map((output) => {
    const { Type, Attrs } = (output ?? {}) as { Type?: unknown; Attrs?: Readonly<Record<string, unknown>> | null };
    return {
      Type: String(Type),
      Attrs: new Map(Object.entries(Attrs ?? {}).map(([key, value]): [string, string] => [key, String(value)])),
    };
  });
}

/** The query in the frontend's words. */
function attributesOf(url: URL): Attributes {
  const found = new Map<string, string>();
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') found.set(name, value);
  };
  const remote = text(url, 'remote');
  if (remote === 'upload-request') {
    throw new WctrError('unsupported', 'a context on standard input is not taken here', {
      hint: 'name a directory, or use DOCKER_BUILDKIT=0',
    });
  }
  if (remote !== 'client-session') set('context', remote);
  set('filename', text(url, 'dockerfile'));
  set('target', text(url, 'target'));
  set('platform', text(url, 'platform'));
  for (const [name, value] of Object.entries(stringMap(url, 'buildargs'))) found.set(`build-arg:${name}`, value ?? '');
  for (const [name, value] of Object.entries(stringMap(url, 'labels'))) found.set(`label:${name}`, value ?? '');
  if (flag(url, 'nocache')) found.set('no-cache', '');
  if (flag(url, 'pull')) found.set('image-resolve-mode', 'pull');
  const network = text(url, 'networkmode');
  if (network !== 'default' && network !== 'bridge') set('force-network-mode', network);
  set(
    'add-hosts',
    url.searchParams
      .getAll('extrahosts')
      .map((host) => host.replace(':', '='))
      .join(','),
  );
  set('cache-from', cacheFrom(url).join(','));
  for (const [name, parameter] of [
    ['memory', 'memory'],
    ['shm-size', 'shmsize'],
    ['cgroup-parent', 'cgroupparent'],
  ] as const) {
    const value = text(url, parameter);
    if (value !== '0') set(name, value);
  }
  return found;
}

function cacheFrom(url: URL): string[] {
  const list = text(url, 'cachefrom');
  if (list === undefined) return [];
  try {
    const names: unknown = JSON.parse(list);
    return Array.isArray(names) ? names.map(String) : [];
  } catch (cause) {
    throw new WctrError('invalid-argument', 'invalid cachefrom: expected a JSON list', { cause });
  }
}
