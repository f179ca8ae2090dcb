/** `run` of a container with a process of its own, as clients do it: create (pull, create again), attach, wait, start. */
import { isWctrError, WctrError } from '../errors.ts';
import type { SandboxExit, SandboxMount, Signal } from '../host/sandbox.ts';
import type { ContainerCreateRequest, Mount } from '../spec/engine-api.ts';
import type { ContainerUseCases, ImageUseCases, RunningContainer, RunOptions } from './engine.ts';

const SIGNALS: Readonly<Record<number, Signal>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  9: 'SIGKILL',
  15: 'SIGTERM',
};

export interface ManagedRunHost {
  readonly containers: Omit<ContainerUseCases, 'run'>;
  readonly images: Pick<ImageUseCases, 'pull'>;
  /** Its files are not those of this machine. */
  readonly isRemote: boolean;
}

/** Throws 'unsupported' for what such a container cannot have of this process: its streams, objects mounted into it. */
export async function runManaged(
  { containers, images, isRemote }: ManagedRunHost,
  options: RunOptions,
): Promise<RunningContainer> {
  const stdio = options.stdio ?? { stdin: 'null', stdout: 'pipe', stderr: 'pipe' };
  if (Object.values(stdio).includes('inherit')) {
    throw new WctrError('unsupported', 'a container with a process of its own cannot use the streams of this one', {
      hint: 'use pipes, or create, attach and start',
    });
  }
  const request = createRequest(options, stdio.stdin === 'pipe', isRemote);
  const Id = await created(containers, images, options, request);
  await options.onCreated?.(Id);
  const streams = await containers.attach(Id, { stdin: stdio.stdin === 'pipe', stdout: true, stderr: true });
  // Not aborted with `signal`, which is for what happens until the start.
  const ended = containers.wait(Id, options.autoRemove === true ? 'removed' : 'next-exit');
  ended.catch(() => {});
  try {
    await containers.start(Id);
  } catch (error) {
    await streams.detach();
    // With AutoRemove the daemon may have removed it by itself.
    if (options.autoRemove === true) await containers.remove(Id, { force: true }).catch(() => {});
    throw error;
  }
  const exit = ended.then(async ({ StatusCode }): Promise<SandboxExit> => {
    const signal = SIGNALS[StatusCode - 128];
    const last = options.autoRemove === true ? undefined : await stateOf(containers, Id);
    return {
      exitCode: StatusCode,
      oomKilled: last?.OOMKilled ?? false,
      ...(signal === undefined ? {} : { signal }),
      ...(last?.Error ? { reason: last.Error } : {}),
    };
  });
  exit.catch(() => {});
  const { name, pid } = await namesOf(containers, Id);
  return {
    id: Id,
    name: options.name ?? name,
    wait: () => exit,
    kill: (signal = 'SIGKILL') => containers.kill(Id, signal),
    sandbox: {
      pid: isRemote ? undefined : pid,
      stdin: streams.stdin,
      stdout: streams.stdout,
      stderr: streams.stderr,
      wait: () => exit,
      signal: (name) => containers.kill(Id, name),
      stats: async () => {
        for await (const stats of containers.stats(Id, { stream: false, oneShot: true })) {
          return {
            memoryBytes: stats.memory_stats.usage ?? 0,
            storageBytes: 0,
            cpuMs: stats.cpu_stats.cpu_usage.total_usage / 1e6,
          };
        }
        throw new WctrError('no-such-container', `No such container: ${Id}`);
      },
    },
  };
}

type Inspecting = Pick<ContainerUseCases, 'inspect'>;

/** A container that is gone already has no name to tell. */
async function namesOf(containers: Inspecting, id: string): Promise<{ name: string; pid: number | undefined }> {
  return containers.inspect(id).then(
    ({ Name, State }) => ({ name: Name.replace(/^\//, ''), pid: State.Pid > 0 ? State.Pid : undefined }),
    () => ({ name: id.slice(0, 12), pid: undefined }),
  );
}

function stateOf(containers: Inspecting, id: string) {
  return containers.inspect(id).then(
    ({ State }) => State,
    () => undefined,
  );
}

async function created(
  containers: ManagedRunHost['containers'],
  images: ManagedRunHost['images'],
  { image, pull = 'missing', name, platform, onPull, signal }: RunOptions,
  request: ContainerCreateRequest,
): Promise<string> {
  const naming = { ...(name === undefined ? {} : { name }), ...(platform === undefined ? {} : { platform }) };
  const fetchImage = () =>
    images.pull(image, {
      ...(platform === undefined ? {} : { platform }),
      ...(signal === undefined ? {} : { signal }),
      ...(onPull === undefined ? {} : { onEvent: onPull }),
    });
  if (pull === 'always') await fetchImage();
  try {
    return (await containers.create(request, naming)).Id;
  } catch (error) {
    if (pull !== 'missing' || !isWctrError(error, 'no-such-image')) throw error;
    await fetchImage();
    return (await containers.create(request, naming)).Id;
  }
}

function createRequest(options: RunOptions, withInput: boolean, isRemote: boolean): ContainerCreateRequest {
  const { resources = {}, consoleSize } = options;
  if (isRemote && /^[./]/.test(options.image)) {
    throw new WctrError('unsupported', `another engine does not see the file ${options.image}`, {
      hint: 'import or load it as an image',
    });
  }
  const annotations = {
    ...(resources.timeoutMs === undefined ? {} : { 'wctr.timeout': String(resources.timeoutMs) }),
    ...(options.unknownImports === undefined ? {} : { 'wctr.unknown-imports': options.unknownImports }),
    ...(options.deterministic === undefined ? {} : { 'wctr.deterministic': String(options.deterministic) }),
  };
  return {
    Image: options.image,
    Tty: options.tty === true,
    OpenStdin: withInput,
    StdinOnce: withInput,
    AttachStdin: withInput,
    AttachStdout: true,
    AttachStderr: true,
    ...(options.args === undefined ? {} : { Cmd: options.args }),
    ...(options.entrypoint === undefined ? {} : { Entrypoint: options.entrypoint }),
    ...(options.env === undefined ? {} : { Env: options.env }),
    ...(options.user === undefined ? {} : { User: options.user }),
    ...(options.workingDir === undefined ? {} : { WorkingDir: options.workingDir }),
    ...(options.hostname === undefined ? {} : { Hostname: options.hostname }),
    ...(options.labels === undefined ? {} : { Labels: options.labels }),
    HostConfig: {
      AutoRemove: options.autoRemove === true,
      ReadonlyRootfs: options.readonlyRootfs === true,
      Mounts: (options.mounts ?? []).map(mountOf),
      ...(consoleSize === undefined ? {} : { ConsoleSize: [consoleSize.height, consoleSize.width] as const }),
      ...(resources.memoryBytes === undefined ? {} : { Memory: resources.memoryBytes }),
      ...(resources.cpus === undefined ? {} : { NanoCpus: Math.round(resources.cpus * 1e9) }),
      ...(resources.pids === undefined ? {} : { PidsLimit: resources.pids }),
      ...(resources.nofile === undefined
        ? {}
        : { Ulimits: [{ Name: 'nofile', Soft: resources.nofile, Hard: resources.nofile }] }),
      ...(resources.storageBytes === undefined ? {} : { StorageOpt: { size: String(resources.storageBytes) } }),
      ...(options.isolation === undefined ? {} : { Isolation: options.isolation }),
      ...(Object.keys(annotations).length === 0 ? {} : { Annotations: annotations }),
    },
  };
}

function mountOf(mount: SandboxMount): Mount {
  const { destination: Target, readonly: ReadOnly = false } = mount;
  if (mount.type === 'bind') return { Type: 'bind', Source: mount.source, Target, ReadOnly };
  if (mount.type === 'fs') {
    throw new WctrError(
      'unsupported',
      `a container with a process of its own cannot reach the object mounted at ${Target}`,
    );
  }
  const { sizeBytes: SizeBytes, mode: Mode } = mount;
  const TmpfsOptions = {
    ...(SizeBytes === undefined ? {} : { SizeBytes }),
    ...(Mode === undefined ? {} : { Mode }),
  };
  return { Type: 'tmpfs', Target, ReadOnly, TmpfsOptions };
}
