import { API_VERSION, MIN_API_VERSION } from '../../spec/engine-api.ts';
import type { Api } from '../api.ts';
import { json, jsonLines } from '../reply.ts';
import { body, filters, text } from '../request.ts';
import { LOGIN } from '../schemas.ts';
import { imageSummaries } from './images.ts';

export function systemRoutes(api: Api): void {
  const { app, engine, version } = api;
  app.get('/_ping', () => {
    return new Response('OK', {
      headers: {
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-cache, no-store, must-revalidate',
        pragma: 'no-cache',
        // The classic builder: there is no BuildKit here.
        'builder-version': '1',
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
    const [usage, images, containers, volumes] = await Promise.all([
      engine.system.diskUsage(),
      wants('image') ? imageSummaries(engine, {}) : [],
      wants('container') ? engine.containers.list({ all: true, size: true }) : [],
      wants('volume') ? engine.volumes.list({}) : { Volumes: [] },
    ]);
    const users = new Map<string, number>();
    for (const { ImageID } of containers) users.set(ImageID, (users.get(ImageID) ?? 0) + 1);
    return json({
      LayersSize: usage.images.sizeBytes,
      Images: images.map((image) => ({ ...image, SharedSize: 0, Containers: users.get(image.Id) ?? 0 })),
      Containers: containers,
      Volumes: volumes.Volumes.map((volume) => ({ UsageData: { Size: 0, RefCount: 0 }, ...volume })),
      BuildCache: [],
      BuilderSize: 0,
      WctrUsage: usage,
    });
  });
}

/** What clients read without asking whether it is there. */
const ABSENT_INFO = {
  ID: '',
  ContainersPaused: 0,
  DriverStatus: [],
  Plugins: {
    Volume: ['local'],
    Network: ['bridge', 'host', 'none'],
    Authorization: null,
    Log: ['json-file', 'local', 'none'],
  },
  MemoryLimit: true,
  SwapLimit: false,
  CpuCfsPeriod: true,
  CpuCfsQuota: true,
  CPUShares: true,
  CPUSet: true,
  PidsLimit: true,
  OomKillDisable: false,
  IPv4Forwarding: true,
  BridgeNfIptables: true,
  BridgeNfIp6tables: true,
  Debug: false,
  NFd: 0,
  NGoroutines: 0,
  NEventsListener: 0,
  SystemTime: '',
  LoggingDriver: 'json-file',
  CgroupDriver: 'none',
  KernelVersion: '',
  OSVersion: '',
  IndexServerAddress: 'https://index.docker.io/v1/',
  RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128'], IndexConfigs: {}, Mirrors: null },
  HttpProxy: '',
  HttpsProxy: '',
  NoProxy: '',
  Labels: [],
  ExperimentalBuild: true,
  Runtimes: { wctr: { path: 'wctr' } },
  DefaultRuntime: 'wctr',
  Swarm: {
    NodeID: '',
    NodeAddr: '',
    LocalNodeState: 'inactive',
    ControlAvailable: false,
    Error: '',
    RemoteManagers: null,
  },
  LiveRestoreEnabled: true,
  Isolation: '',
  InitBinary: '',
  ContainerdCommit: { ID: '' },
  RuncCommit: { ID: '' },
  InitCommit: { ID: '' },
  SecurityOptions: [],
  Warnings: null,
};
