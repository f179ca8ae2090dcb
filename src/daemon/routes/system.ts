import { API_VERSION, MIN_API_VERSION } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { json, jsonLines } from '../reply.ts';
import { body, filters, text } from '../request.ts';
import { LOGIN } from '../schemas.ts';
import { imageSummaries } from './images.ts';

export function systemRoutes(api: Api): void {
  const { app, engine, version, buildkit } = api;
  app.get('/_ping', () => {
    return new Response('OK', {
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-cache, no-store, must-revalidate',
        pragma: 'no-cache',
        // Which builder a client that has both should use: BuildKit, or the classic one.
        'builder-version': buildkit === undefined ? '1' : '2',
        ostype: 'linux',
        swarm: 'inactive',
      },
    });
  });

  app.get('/version', async () => {
    const facts = await engine.system.version();
    return json({
      Platform: { Name: 'wctr' },
      Components: [
        {
          Name: 'Engine',
          Version: version,
          Details: {
            ApiVersion: API_VERSION,
            MinAPIVersion: MIN_API_VERSION,
            Os: facts.Os,
            Arch: facts.Arch,
            Experimental: 'true',
          },
        },
      ],
      ApiVersion: API_VERSION,
      MinAPIVersion: MIN_API_VERSION,
      GitCommit: '',
      GoVersion: '',
      KernelVersion: '',
      BuildTime: '',
      Experimental: true,
      ...facts,
    });
  });

  app.get('/info', async () => json({ ...ABSENT_INFO, ...(await engine.system.info()) }));

  app.post('/auth', async ({ req }) => {
    const { username, password, serveraddress, identitytoken } = await body(req.raw, LOGIN);
    const { status, identityToken } = await engine.system.login({
      signal: req.raw.signal,
      ...(serveraddress ? { server: serveraddress } : {}),
      ...(identitytoken ? { identityToken: identitytoken } : { username: username ?? '', password: password ?? '' }),
    });
    return json({ Status: status, IdentityToken: identityToken ?? '' });
  });

  app.get('/events', ({ req }) => {
    const url = new URL(req.url);
    const since = text(url, 'since');
    const until = text(url, 'until');
    // What goes on with nobody reading would be kept for ever.
    const left = new AbortController();
    req.raw.signal.addEventListener('abort', () => left.abort(), { once: true });
    return jsonLines(
      engine.system.events({
        ...(since === undefined ? {} : { since }),
        ...(until === undefined ? {} : { until }),
        filters: filters(url),
        signal: left.signal,
      }),
    );
  });

  app.get('/system/df', async ({ req }) => {
    const types = new URL(req.url).searchParams.getAll('type');
    const wants = (type: string) => types.length === 0 || types.includes(type);
    const [usage, images, containers, volumes, cache] = await Promise.all([
      engine.system.diskUsage(),
      wants('image') ? imageSummaries(engine, {}) : [],
      wants('container') ? engine.containers.list({ all: true, size: true }) : [],
      wants('volume') ? engine.volumes.list({}) : { Volumes: [] },
      wants('build-cache') ? engine.builds.usage() : [],
    ]);
    const users = new Map<string, number>();
    for (const { ImageID } of containers) users.set(ImageID, (users.get(ImageID) ?? 0) + 1);
    return json({
      LayersSize: usage.images.sizeBytes,
      Images: images.map((image) => ({ ...image, SharedSize: 0, Containers: users.get(image.Id) ?? 0 })),
      Containers: containers,
      Volumes: volumes.Volumes.map((volume) => ({ UsageData: { Size: 0, RefCount: 0 }, ...volume })),
      BuildCache: cache,
      BuilderSize: cache.reduce((sum, { Size }) => sum + Size, 0),
      WctrUsage: usage,
    });
  });
}

/** What clients read without asking whether it is there, of a daemon that has none of it. */
const ABSENT_INFO = {
  BridgeNfIptables: true,
  BridgeNfIp6tables: true,
  ContainerdCommit: { ID: '' },
  RuncCommit: { ID: '' },
  InitCommit: { ID: '' },
};
