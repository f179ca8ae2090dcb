/**
 * BuildKit's door: `POST /grpc`, on which a client asks for builds, and `POST /session`, on which it is asked back. Both
 * become HTTP/2 without TLS ("h2c") on the connection they came by.
 */
import type { BuildUseCases } from '../../engine/builds.ts';
import { WctrError } from '../../errors.ts';
import type { Upgraded } from '../../host/http.ts';
import type { Http2ServerStream } from '../../host/http2.ts';
import { bridgeMethods } from './bridge.ts';
import { controlMethods } from './control.ts';
import { serveCall, unary } from './grpc/server.ts';
import type { BuildkitHost } from './host.ts';
import { HEALTH_REQUEST, HEALTH_RESPONSE } from './proto/session.ts';
import { DigestMemory } from './session/known-digests.ts';
import { Sessions } from './session/session.ts';
import { Solves } from './solves.ts';
import { buildVersionTwo, type VersionTwoLine } from './version-two.ts';

const SERVING = 1;

export interface DoorOptions {
  readonly builds: BuildUseCases;
  readonly host: BuildkitHost;
  readonly version: string;
  readonly onInternalError?: (error: unknown) => void;
}

export interface BuildkitDoor {
  /** What becomes of the connection; undefined for another path. Throws what the request is refused with. */
  upgrade(request: Request, path: string): Upgraded | undefined;
  /** `POST /build?version=2`, the lines of its answer. */
  build(url: URL, signal: AbortSignal): AsyncIterable<VersionTwoLine>;
}

export function openDoor({ builds, host, version, onInternalError }: DoorOptions): BuildkitDoor {
  const sessions = new Sessions();
  const parts = { builds, sessions, solves: new Solves(), digests: new DigestMemory(), host, version };
  const health = unary(HEALTH_REQUEST, HEALTH_RESPONSE, () => ({ status: SERVING }));
  const methods = new Map([
    ...controlMethods(parts),
    ...bridgeMethods(parts),
    ['/grpc.health.v1.Health/Check', health] as const,
  ]);
  return {
    build: (url, signal) => buildVersionTwo(url, parts, signal),
    upgrade(request, path) {
      if (request.method !== 'POST' || (path !== '/grpc' && path !== '/session')) return undefined;
      if (request.headers.get('upgrade')?.toLowerCase() !== 'h2c') {
        throw new WctrError('invalid-argument', `POST ${path} speaks h2c`, { hint: 'ask to upgrade to it' });
      }
      if (path === '/grpc') {
        return {
          headers: {},
          serve: async (channel) => {
            const each = (stream: Http2ServerStream) => void serveCall(stream, methods, onInternalError);
            await (await host.http2.serve(channel, each)).closed;
          },
        };
      }
      const { headers } = request;
      sessions.check(headers);
      return { headers: {}, serve: async (channel) => sessions.serve(headers, await host.http2.connect(channel)) };
    },
  };
}
