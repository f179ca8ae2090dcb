/** `info` and `version`, as docker's clients read them, and what is wctr's own. */
import { API_VERSION, MIN_API_VERSION } from '../spec/engine-api.ts';
import { currentRecord } from './container-state.ts';
import type { EngineParts } from './parts.ts';

export async function systemInfo(parts: EngineParts): Promise<Record<string, unknown>> {
  const { host, images, containers, layout, sandboxes, version } = parts;
  const records = (await containers.list()).map((record) => currentRecord(record, containers));
  const count = (...statuses: string[]) => records.filter(({ state }) => statuses.includes(state.status)).length;
  const running = count('running', 'restarting');
  const paused = count('paused');
  const facts = host.facts();
  return {
    ID: layout.root,
    Containers: records.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: records.length - running - paused,
    Images: new Set((await images.records(() => {})).map(({ id }) => id)).size,
    Driver: 'layer-index',
    DriverStatus: [['Isolations', sandboxes.available.join(' ')]],
    Plugins: {
      Volume: ['local', 'memfs'],
      Network: ['bridge', 'host', 'null'],
      Authorization: null,
      Log: ['json-file', 'local', 'none'],
    },
    MemoryLimit: true,
    SwapLimit: false,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: false,
    CPUSet: false,
    PidsLimit: true,
    OomKillDisable: false,
    IPv4Forwarding: true,
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'none',
    CgroupVersion: '2',
    NEventsListener: 0,
    KernelVersion: facts.runtime,
    OperatingSystem: `${facts.os}/${facts.architecture}`,
    OSVersion: '',
    OSType: 'linux',
    Architecture: 'wasm',
    Platforms: ['wasip1/wasm', 'wasi/wasm', 'wasi/wasm32'],
    Isolations: sandboxes.available,
    DefaultIsolation: sandboxes.default,
    Runtime: facts.runtime,
    NCPU: facts.cpus,
    MemTotal: facts.memoryBytes,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: {}, Mirrors: [] },
    GenericResources: null,
    DockerRootDir: layout.root,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: facts.hostname,
    Labels: [],
    ExperimentalBuild: true,
    ServerVersion: version,
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
    SecurityOptions: ['name=wasm'],
    Warnings: null,
  };
}

export async function systemVersion({ host, version }: EngineParts): Promise<Record<string, unknown>> {
  const facts = host.facts();
  return {
    Version: version,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    Platform: { Name: 'wctr' },
    Components: [
      {
        Name: 'Engine',
        Version: version,
        Details: { ApiVersion: API_VERSION, MinAPIVersion: MIN_API_VERSION, Arch: facts.architecture, Os: facts.os },
      },
    ],
    GitCommit: '',
    GoVersion: facts.runtime,
    KernelVersion: facts.runtime,
    Runtime: facts.runtime,
    Os: facts.os,
    Arch: facts.architecture,
    Wasi: 'preview1, snapshot 0',
  };
}
