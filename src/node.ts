/** The composition root of Node (and of Deno and Bun through `node:`): the portable API over their files and processes. */

import { readFileSync } from 'node:fs';
import type { RegistryTools } from './cli/registry-tools.ts';
import type { OpenFiles } from './containers/files/open.ts';
import type { ContainerProcesses } from './containers/processes.ts';
import type { VolumeDriver } from './containers/volumes/driver.ts';
import { createCoreModules } from './core/core-modules.ts';
import { assembleEngine } from './engine/assemble.ts';
import type { LocalEngine } from './engine/local-engine.ts';
import type { EngineHost, HostProcesses, SandboxChoice } from './engine/parts.ts';
import { WctrError } from './errors.ts';
import { directFileSystem } from './host/node/direct-file-system.ts';
import { configDirectory, dataRoot } from './host/node/directories.ts';
import {
  hostFacts,
  hostPaths,
  isAlive,
  isDirectory,
  listeners,
  processStart,
  randomBytes,
  readAt,
} from './host/node/engine-host.ts';
import { nodeFileSystem } from './host/node/file-system.ts';
import { nodeHasher } from './host/node/hasher.ts';
import { createLayerThread } from './host/node/layer-thread.ts';
import { FileLocks } from './host/node/locks.ts';
import { memoryDirectory } from './host/node/memory-directory.ts';
import { DIST } from './host/node/package-files.ts';
import { processUsage, signalProcess } from './host/node/processes.ts';
import { runDirectory } from './host/node/run-directory.ts';
import type { CredentialHelpers } from './host/ports.ts';
import type { ContainerProcess } from './host/process/container-process.ts';
import type { Sandbox } from './host/sandbox.ts';
import { directoryFiles } from './images/archive/files.ts';
import { Layers } from './images/layers.ts';
import type { RegistryClient } from './images/registry/client.ts';
import type { RegistriesConfig } from './images/registry/registries.ts';
import { Wctr as PortableWctr } from './index.ts';
import { VERSION } from './version.ts';

export * from './index.ts';
export { VERSION } from './version.ts';

export interface OpenOptions {
  /** Where images and containers live. Default: `WCTR_DATA_ROOT`, else `~/.local/share/wctr`. */
  readonly dataRoot?: string;
  /** What runs guests unless a call says otherwise: `process` (default), `worker`, `inline`, `wasmer`. */
  readonly isolation?: string;
  /** Container processes kept ready, so that a start need not wait for one to boot. Default 0. */
  readonly warm?: number;
  /** In place of the configuration file: docker's `registry-mirrors` and `insecure-registries`. */
  readonly registries?: Partial<RegistriesConfig>;
  /** Further volume drivers, beside `local` and `memfs`. */
  readonly volumeDrivers?: readonly VolumeDriver[];
  /** Default: the process' own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

interface InternalOptions extends OpenOptions {
  /** This process does nothing but run one container: let it become the container's. */
  readonly becomesContainer?: boolean;
  /** A container process the CLI started ahead. */
  readonly early?: ContainerProcess;
}

/** `import { Wctr } from 'wctr'`. */
export class Wctr extends PortableWctr {
  /** Opens a store, which is made when it is first written to. */
  static async open(options: OpenOptions = {}): Promise<Wctr> {
    return new Wctr(await openEngine(options));
  }
}

export async function openEngine(options: InternalOptions = {}): Promise<LocalEngine> {
  const env = options.env ?? process.env;
  const root = hostPaths.resolve(options.dataRoot ?? dataRoot(env));
  const core = createCoreModules(async () => readFileSync(`${DIST}wasm/core.wasm`));
  return assembleEngine({
    version: VERSION,
    root,
    fs: options.becomesContainer === true ? directFileSystem : nodeFileSystem,
    locks: new FileLocks(`${root}/locks`),
    createHasher:
      options.becomesContainer === true ? (await import('./host/process/own-hasher.ts')).ownHasher : nodeHasher,
    core,
    locateBy: 'path',
    layers: (stores) =>
      new Layers({
        ...stores,
        createHasher: nodeHasher,
        core,
        writesShared: true,
        createTarThread: (path) => createLayerThread(path),
      }),
    sandboxes: nodeSandboxes(options),
    host: {
      facts: hostFacts,
      paths: { fs: nodeFileSystem, ...hostPaths },
      bundledImage: async (name) => {
        const directory = bundledDirectory(name);
        return directory === undefined ? undefined : directoryFiles(nodeFileSystem, directory);
      },
      edgeRuntime: async () => ({
        runtime: readFileSync(`${DIST}edge/runtime.js`),
        kernel: readFileSync(`${DIST}wasm/kernel.wasm`),
      }),
      randomBytes,
      isAlive,
      listeners,
      tellsRenames: process.platform !== 'win32',
      processStart,
      pid: process.pid,
      processes: hostProcesses(env, root, options),
      memoryDirectory: () => memoryDirectory(root),
      openFiles: lazyFiles,
      openHere: lazySpace,
      readAt,
      git: { checkout: async (request) => (await import('./host/node/git.ts')).git.checkout(request) },
    },
    transport: TRANSPORT,
    config: { env, helpers: lazyHelpers, directory: configDirectory(env) },
    ...(options.volumeDrivers === undefined ? {} : { volumeDrivers: options.volumeDrivers }),
    ...(options.registries === undefined ? {} : { registries: { mirrors: [], insecure: [], ...options.registries } }),
  });
}

const TRANSPORT = {
  // Deno's fetch sends a stream without its length, which not every registry takes.
  canStream: !('Deno' in globalThis),
  fetch: (url: string, init: RequestInit) => fetch(url, init),
  lookup: async (name: string) => (await import('./host/node/lookup.ts')).addressesOf(name),
};

/** What the CLI's commands on registries work with, beside any engine. */
export async function openRegistryTools(options: Pick<OpenOptions, 'env' | 'dataRoot'> = {}): Promise<RegistryTools> {
  const env = options.env ?? process.env;
  const [{ openRegistryClient }, { LoginStore }, { dockerConfigPath }, { NodeCredentialHelpers }] = await Promise.all([
    import('./engine/registry-client.ts'),
    import('./images/registry/login-store.ts'),
    import('./images/registry/docker-config.ts'),
    import('./host/node/credential-helpers.ts'),
  ]);
  const { replaceConfigFile } = await import('./host/node/config-file.ts');
  const { tempDirectory } = await import('./host/node/temp-directory.ts');
  const path = dockerConfigPath(env);
  if (path === undefined) {
    throw new WctrError('invalid-argument', 'there is no place for logins', { hint: 'set HOME or DOCKER_CONFIG' });
  }
  const helpers = new NodeCredentialHelpers({ env: env as NodeJS.ProcessEnv });
  const config = { env, helpers, directory: configDirectory(env) };
  const adapters = { fs: nodeFileSystem, createHasher: nodeHasher, transport: TRANSPORT, config, version: VERSION };
  let client: Promise<RegistryClient> | undefined;
  return {
    client: (insecure) => {
      if (insecure !== undefined) return openRegistryClient(adapters, undefined, insecure);
      client ??= openRegistryClient(adapters);
      return client;
    },
    logins: new LoginStore({
      path,
      fs: nodeFileSystem,
      replaceFile: replaceConfigFile,
      helpers,
      alone: async (change) => {
        const lock = await new FileLocks(`${options.dataRoot ?? dataRoot(env)}/locks`).acquire('docker-config');
        try {
          return await change();
        } finally {
          await lock.release();
        }
      },
    }),
    fs: nodeFileSystem,
    createHasher: nodeHasher,
    configDirectory: configDirectory(env),
    tempDirectory,
  };
}

/** Loaded by the first command that looks into a container that does not run. */
const lazyFiles: OpenFiles = async (spec, options) => {
  const [{ openStoppedFiles }, { KernelFiles }] = await Promise.all([
    import('./host/node/stopped-files.ts'),
    import('./containers/files/kernel-files.ts'),
  ]);
  return openStoppedFiles(spec, options, (access) => new KernelFiles(access));
};

/** Loaded by the first RUN of a build with isolation `inline`. */
const lazySpace: NonNullable<EngineHost['openHere']> = async (spec) => {
  const [{ openSpace }, { KernelFiles }] = await Promise.all([
    import('./host/node/sandboxes.ts'),
    import('./containers/files/kernel-files.ts'),
  ]);
  return openSpace(spec, (access) => new KernelFiles(access));
};

/** Loaded by the first command that starts a container process or speaks to one. */
function hostProcesses(env: NonNullable<OpenOptions['env']>, root: string, options: InternalOptions): HostProcesses {
  let directory: string | undefined;
  let containers: Promise<ContainerProcesses & { close(): void }> | undefined;
  return {
    runDirectory: () => {
      directory ??= runDirectory(env, root);
      return directory;
    },
    containers: () => {
      containers ??= import('./containers/node/shim-processes.ts').then(({ createContainerProcesses }) =>
        createContainerProcesses({ codeRoot: `${root}/code`, warm: options.warm ?? 0 }),
      );
      return containers;
    },
    signal: signalProcess,
    usage: processUsage,
    close: async () => (await containers)?.close(),
  };
}

/** Most runs ask no helper: what starts programs is loaded by the first one that does. */
const lazyHelpers: CredentialHelpers = {
  async get(helper, registryHost) {
    const { NodeCredentialHelpers } = await import('./host/node/credential-helpers.ts');
    return new NodeCredentialHelpers().get(helper, registryHost);
  },
};

/** Canonical name to directory in dist/images. */
const BUNDLED: Readonly<Record<string, string>> = {
  'docker.io/library/hello:latest': 'hello',
  'docker.io/wctr/base:latest': 'base',
};

function bundledDirectory(name: string): string | undefined {
  const short = Object.hasOwn(BUNDLED, name) ? BUNDLED[name] : undefined;
  if (short === undefined) return undefined;
  const directory = `${DIST}images/${short}`;
  return isDirectory(directory) ? directory : undefined;
}

interface Closable extends Sandbox {
  close?(): void | Promise<void>;
}

function nodeSandboxes(options: InternalOptions): SandboxChoice {
  const open: Readonly<Record<string, () => Promise<Closable>>> = {
    process: async () => {
      if (options.becomesContainer !== true) return childProcesses();
      const { createOwnProcessSandbox } = await import('./host/process/own-process.ts');
      return createOwnProcessSandbox({ supervised: childProcesses });
    },
    worker: async () => (await import('./host/node/sandboxes.ts')).createWorkerSandbox(),
    inline: async () => (await import('./host/node/sandboxes.ts')).createInlineSandbox(),
    wasmer: async () => {
      const [{ WasmerSandbox }, { openBlockSource }, { syncFileSystem }] = await Promise.all([
        import('./host/wasmer/sandbox.ts'),
        import('./host/node/block-source.ts'),
        import('./host/node/sync-file-system.ts'),
      ]);
      return new WasmerSandbox({
        open: openBlockSource,
        files: syncFileSystem,
        inherit: (fd, bytes) => void (fd === 1 ? process.stdout : process.stderr).write(bytes),
      });
    },
  };
  const opened = new Map<string, Promise<Closable>>();
  async function childProcesses(): Promise<Closable> {
    const { createProcessSandbox } = await import('./host/process/sandbox.ts');
    return createProcessSandbox({
      warm: options.warm ?? 0,
      ...(options.early === undefined ? {} : { early: options.early }),
    });
  }
  return {
    default: options.isolation ?? 'process',
    available: Object.keys(open),
    open: (isolation) => {
      const maker = Object.hasOwn(open, isolation) ? open[isolation] : undefined;
      if (maker === undefined) {
        throw new WctrError('invalid-argument', `no such sandbox: ${isolation}`, {
          hint: `choose one of ${Object.keys(open).join(', ')}`,
        });
      }
      const sandbox = opened.get(isolation) ?? maker();
      opened.set(isolation, sandbox);
      return sandbox;
    },
    close: async () => {
      for (const sandbox of opened.values()) await (await sandbox).close?.();
    },
  };
}
