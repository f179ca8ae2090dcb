/** The `wctr` command; launch.ts loads it. */
import { ContainerRecords } from '../containers/records.ts';
import type { ListOptions } from '../engine/container-list.ts';
import type { Engine } from '../engine/engine.ts';
import { MemoryLocks } from '../host/memory-locks.ts';
import { contextStore } from '../host/node/context-store.ts';
import { directFileSystem } from '../host/node/direct-file-system.ts';
import { dataRoot } from '../host/node/directories.ts';
import { hostPaths, isAlive, listeners } from '../host/node/engine-host.ts';
import { nodeHasher } from '../host/node/hasher.ts';
import type { ContainerSummary } from '../spec/engine-api.ts';
import { VERSION } from '../version.ts';
import { runCli } from './app.ts';
import type { Context } from './command.ts';
import { chooseEndpoint, takeGlobalFlags } from './contexts.ts';
import type { DaemonHost } from './daemon-host.ts';
import { nodeCliHost } from './node-host.ts';
import { nodeTerminal } from './node-terminal.ts';

const { flags: globals, rest: argv } = takeGlobalFlags(process.argv.slice(2));
const contexts = contextStore(process.env);
// A second process takes as long to boot as this one: started first, it boots while this one finds the image.
const early = needsSecondProcess(argv)
  ? import('../host/process/prespawn.ts').then(({ prespawn }) => prespawn())
  : undefined;

async function open(dataRoot?: string): Promise<Engine> {
  const { openEngine } = await import('../node.ts');
  const process = await early;
  return openEngine({
    becomesContainer: true,
    ...(dataRoot === undefined ? {} : { dataRoot }),
    ...(process === undefined ? {} : { early: process }),
  });
}

/** The engine of `-H`, `--context` or the environment, else this process' own. */
async function openChosen(): Promise<Engine> {
  const endpoint = chooseEndpoint(globals, process.env, contexts);
  if (endpoint === undefined) return open();
  const [{ RemoteEngine }, { openDaemonClient }] = await Promise.all([
    import('../engine/remote/remote-engine.ts'),
    import('../host/node/daemon-client.ts'),
  ]);
  const logins = async (domain: string) => {
    const { openRegistryTools } = await import('../node.ts');
    return (await openRegistryTools()).logins.get(domain);
  };
  return new RemoteEngine(openDaemonClient(endpoint), endpoint.host, logins, hostPaths.contextFiles);
}

/** Most of `ps` would be opening an engine. */
async function listOwn(options: ListOptions): Promise<ContainerSummary[] | undefined> {
  const { listSettled } = await import('../engine/container-list.ts');
  const root = dataRoot(process.env);
  return listSettled(
    new ContainerRecords({
      fs: directFileSystem,
      root,
      createHasher: nodeHasher,
      locks: new MemoryLocks(),
      isAlive,
      listeners,
      keepsListing: process.platform !== 'win32',
    }),
    options,
  );
}

async function daemonHost(): Promise<DaemonHost> {
  const [{ daemonHost }, { buildkitHost }, { dataRoot: ownRoot }, { openEngine }] = await Promise.all([
    import('../host/node/daemon-host.ts'),
    import('../host/node/buildkit-host.ts'),
    import('../host/node/directories.ts'),
    import('../node.ts'),
  ]);
  return {
    ...daemonHost,
    buildkit: ({ dataRoot = ownRoot(process.env) }) => buildkitHost(dataRoot),
    openEngine,
  };
}

async function main(): Promise<number> {
  const terminal = nodeTerminal();
  let engine: Promise<Engine> | undefined;
  let interrupted: AbortController | undefined;
  const context: Context = {
    terminal,
    engine: () => {
      engine ??= openChosen();
      return engine;
    },
    containers: async (options) => {
      const isOwn = chooseEndpoint(globals, process.env, contexts) === undefined;
      const found = isOwn ? await listOwn(options) : undefined;
      return found ?? (await context.engine()).containers.list(options);
    },
    get isRemote() {
      return chooseEndpoint(globals, process.env, contexts) !== undefined;
    },
    contexts,
    daemon: daemonHost,
    registryServer: async () => (await import('../registry/node/host.ts')).registryHost,
    registry: async () => (await import('../node.ts')).openRegistryTools(),
    engineAt: (root) => open(root),
    get signal() {
      interrupted ??= abortOnInterrupt();
      return interrupted.signal;
    },
    host: nodeCliHost(),
  };
  const code = await runCli(argv, context, VERSION);
  await terminal.flush();
  await (await engine)?.close();
  return code;
}

void main().then((code) => {
  process.exit(code);
});

function abortOnInterrupt(): AbortController {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller;
}

/** A guess from the line alone; where it is wrong the process is started later, or ends unused. */
function needsSecondProcess([command, ...rest]: readonly string[]): boolean {
  return command === 'run' && rest.some((word) => /^(-m|--memory|--timeout)/.test(word)) && !rest.includes('--help');
}
