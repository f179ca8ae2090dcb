/** `start`: a record becomes a process of its own. */
import type { LaunchDocument } from '../containers/launch.ts';
import { environment, resolveUser } from '../containers/process-config.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { ERROR_TABLE, isWctrError, WctrError } from '../errors.ts';
import type { FreezeRequest } from '../host/container/container.ts';
import type { NetworkPlan } from '../host/network/port.ts';
import type { SandboxMount, SandboxSpec } from '../host/sandbox.ts';
import type { ContainerContext } from './container-context.ts';
import { assertManaged, isRunning, now } from './container-state.ts';
import { sandboxResources } from './host-config.ts';
import type { ProgramFiles } from './program.ts';
import { pause } from './timing.ts';

const DEFAULT_STOP_SECONDS = 10;
/** A process takes its leave of slow callers before it ends. */
const LEAVES_WITHIN_MS = 10_000;
const ANSWERS_WITHIN_MS = 2_000;
const POLL_MS = 20;

/** How a start differs from a plain one. */
interface LaunchOptions {
  /** Of a restart by policy; a start by a user begins at 0. */
  readonly restartCount?: number;
  /** The host's file of a checkpoint to go on from. */
  readonly checkpoint?: string;
  /** The program is initialised and frozen in place of being run. */
  readonly freeze?: FreezeRequest;
}

/** Idempotent. Rejects with the reason when the program cannot be started. `checkpoint`: a name of the container's. */
export async function startContainer(context: ContainerContext, name: string, checkpoint = ''): Promise<void> {
  const { key } = await context.find(name);
  await starting(context, key, async () => {
    const record = await context.parts.containers.find(key);
    if (record.state.status === 'paused') {
      throw new WctrError('conflict', 'cannot start a paused container, try unpause instead');
    }
    if (isRunning(record.state) && context.parts.containers.runs(record)) return;
    assertManaged(record, 'start');
    await launch(context, record, checkpoint === '' ? {} : { checkpoint: await pathOf(context, record, checkpoint) });
  });
}

/** Held by who starts or removes the container, or has its files open. */
export function startLock(id: string): string {
  return `start-${id}`;
}

/** Runs `action` while nobody else starts or removes the container. The record's own lock is the process' to take. */
export async function starting<T>({ parts }: ContainerContext, id: string, action: () => Promise<T>): Promise<T> {
  const lock = await parts.locks.acquire(startLock(id));
  try {
    return await action();
  } finally {
    await lock.release();
  }
}

async function pathOf(context: ContainerContext, record: ContainerRecord, checkpoint: string): Promise<string> {
  return (await import('./checkpoint-use-cases.ts')).checkpointPath(context, record, checkpoint);
}

/** Under the lock of `starting`. */
export async function launch(
  context: ContainerContext,
  record: ContainerRecord,
  options: LaunchOptions = {},
): Promise<void> {
  const pending = context.takePending(record.key);
  try {
    await launchWith(context, record, pending, options);
  } catch (error) {
    for (const one of pending) one.fail(error);
    await recordFailure(context, record, error);
    throw error;
  }
}

async function launchWith(
  context: ContainerContext,
  record: ContainerRecord,
  pending: ReturnType<ContainerContext['takePending']>,
  options: LaunchOptions,
): Promise<void> {
  const { containers } = context.parts;
  const files = await context.programs.reopen(record);
  if (await isStartedAlready(context, record.key)) {
    await Promise.all(pending.map((one) => one.connect(context.socket(record.key))));
    return;
  }
  const { plan, networks, names } = await context.networks.plan(record);
  const mounts = await context.mounts.prepare(record, files);
  const { restartCount = 0 } = options;
  const spec = { ...(await sandboxSpec(record, files, mounts)), names };
  const document = launchDocument(context, record, spec, plan, options);
  await containers.change(record.key, (current) => ({ ...current, networks, stoppedByUser: false, restartCount }));
  const process = await (await context.processes()).launch(document);
  try {
    await Promise.all(pending.map((one) => one.connect(document.controlSocket)));
  } catch (error) {
    process.abandon();
    throw error;
  }
  await process.go();
}

/**
 * Whoever launched it before may have been killed while its process began, which goes on. The process of its last run may
 * be about to end. Either listens: waits until it has done what it does.
 */
async function isStartedAlready(context: ContainerContext, id: string): Promise<boolean> {
  const { containers } = context.parts;
  const processes = await context.processes();
  const deadline = Date.now() + LEAVES_WITHIN_MS;
  while (Date.now() < deadline) {
    const answer = processes.connect(context.socket(id), { op: 'ping' }).then(
      (session) => {
        session.close();
        return true;
      },
      () => false,
    );
    if (!(await Promise.race([answer, pause(ANSWERS_WITHIN_MS).then(() => false)]))) return false;
    const now = await containers.get(id);
    if (now !== undefined && isRunning(now.state) && containers.runs(now)) return true;
    await pause(POLL_MS);
  }
  return false;
}

function launchDocument(
  context: ContainerContext,
  record: ContainerRecord,
  spec: SandboxSpec,
  network: NetworkPlan,
  { checkpoint, freeze }: LaunchOptions,
): LaunchDocument {
  const { key: id, name, config, hostConfig } = record;
  const { containers, layout } = context.parts;
  const directory = containers.directory(id);
  return {
    id,
    name,
    root: layout.root,
    spec,
    journal: `${directory}/upper.journal`,
    controlSocket: context.socket(id),
    openStdin: config.OpenStdin,
    stdinOnce: config.StdinOnce,
    log: { ...(hostConfig.LogConfig ?? { Type: 'json-file', Config: {} }), path: logPath(context, record) },
    restartPolicy: hostConfig.RestartPolicy ?? { Name: 'no', MaximumRetryCount: 0 },
    autoRemove: hostConfig.AutoRemove ?? false,
    stopSignal: config.StopSignal ?? 'SIGTERM',
    stopTimeoutMs: (config.StopTimeout ?? DEFAULT_STOP_SECONDS) * 1000,
    ...(config.Healthcheck === undefined || freeze !== undefined ? {} : { health: config.Healthcheck }),
    network,
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(freeze === undefined ? {} : { freeze }),
  };
}

/** What the sandbox of a container is told. Also boots its files where it does not run. */
export async function sandboxSpec(
  record: ContainerRecord,
  files: ProgramFiles,
  mounts: readonly SandboxMount[],
): Promise<SandboxSpec> {
  const { config, hostConfig, args, module } = record;
  const size = hostConfig.ConsoleSize;
  const resume = await files.checkpoint(config.Labels);
  return {
    id: record.key,
    hostname: config.Hostname,
    process: {
      args,
      env: environment({ env: config.Env }, { hostname: config.Hostname, tty: config.Tty }),
      cwd: config.WorkingDir || '/',
      user: await resolveUser(config.User, files.readFile),
      terminal: config.Tty,
      ...(size === undefined || size === null || size[0] === 0
        ? {}
        : { consoleSize: { height: size[0], width: size[1] } }),
    },
    root: { readonly: hostConfig.ReadonlyRootfs ?? false, layers: files.layers, ...files.index },
    program: {
      ...(module === undefined
        ? { path: args[0]! }
        : { module: { path: module.path }, ...(module.export === undefined ? {} : { export: module.export }) }),
      unknownImports: record.unknownImports,
      ...(resume === undefined ? {} : { resume }),
    },
    mounts,
    resources: sandboxResources(hostConfig),
    stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
    deterministic: record.deterministic,
  };
}

export function logPath({ parts }: Pick<ContainerContext, 'parts'>, { key }: Pick<ContainerRecord, 'key'>): string {
  return `${parts.containers.directory(key)}/log/container.log`;
}

async function recordFailure(context: ContainerContext, { key }: ContainerRecord, error: unknown): Promise<void> {
  const { containers } = context.parts;
  const exitCode = isWctrError(error) ? ERROR_TABLE[error.code].exit : 125;
  const message = error instanceof Error ? error.message : String(error);
  let isFailed = false;
  const failed = await containers
    .change(key, (record) => {
      // Somebody else's start went well.
      if (isRunning(record.state) && containers.runs(record)) return undefined;
      isFailed = true;
      const { pid: _, pidStartedAt: __, ...state } = record.state;
      const status = record.state.startedAt === undefined ? 'created' : 'exited';
      return {
        ...record,
        ports: {},
        state: { ...state, status, error: message, finishedAt: now(), exit: { exitCode, oomKilled: false } },
      };
    })
    .catch(() => undefined);
  if (!isFailed || failed?.hostConfig.AutoRemove !== true) return;
  const { discard } = await import('./container-remove.ts');
  await discard(context, failed, { volumes: true }).catch(() => {});
}
