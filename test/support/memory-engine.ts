/**
 * An Engine in memory for tests of what stands on the port (daemon, remote engine): containers have states, programs are
 * pretended. `echo WORDS` writes and ends; `cat` copies its input; `exit N`; `sleep` stays until it is killed; `both`
 * writes to both outputs.
 */
import type { AttachedStreams, Engine, LogChunk, WaitCondition } from '../../src/engine/engine.ts';
import { WctrError } from '../../src/errors.ts';
import type {
  ContainerCreateRequest,
  ContainerInspect,
  ContainerSummary,
  ExecConfig,
  Network,
  Volume,
} from '../../src/spec/engine-api.ts';

const encoder = new TextEncoder();

interface Program {
  readonly stdin: TransformStream<Uint8Array, Uint8Array>;
  readonly stdout: TransformStream<Uint8Array, Uint8Array>;
  readonly stderr: TransformStream<Uint8Array, Uint8Array>;
}

function pipes(): Program {
  const pipe = () => new TransformStream<Uint8Array, Uint8Array>({}, { highWaterMark: 64 }, { highWaterMark: 64 });
  return { stdin: pipe(), stdout: pipe(), stderr: pipe() };
}

class PretendedContainer {
  readonly id: string;
  name: string;
  readonly request: ContainerCreateRequest;
  status: 'created' | 'running' | 'paused' | 'exited' = 'created';
  exitCode = 0;
  readonly logs: LogChunk[] = [];
  streams = pipes();
  attached = false;
  readonly waiters: { condition: WaitCondition; done: (code: number) => void }[] = [];
  #kill: (code: number) => void = () => {};

  constructor(id: string, name: string, request: ContainerCreateRequest) {
    this.id = id;
    this.name = name;
    this.request = request;
  }

  get args(): string[] {
    return [...(this.request.Entrypoint ?? []), ...(this.request.Cmd ?? [])];
  }

  start(onEnd: () => void): void {
    this.status = 'running';
    const killed = new Promise<number>((resolve) => {
      this.#kill = resolve;
    });
    void runProgram(this.args, this.streams, this.attached, this.logs, killed).then((code) => {
      this.status = 'exited';
      this.exitCode = code;
      this.streams = pipes();
      this.attached = false;
      onEnd();
      this.settle(['not-running', 'next-exit']);
    });
  }

  kill(code: number): void {
    this.#kill(code);
  }

  settle(conditions: readonly WaitCondition[]): void {
    for (const waiter of this.waiters.filter(({ condition }) => conditions.includes(condition))) {
      this.waiters.splice(this.waiters.indexOf(waiter), 1);
      waiter.done(this.exitCode);
    }
  }
}

async function runProgram(
  args: readonly string[],
  streams: Program,
  attached: boolean,
  logs: LogChunk[],
  killed: Promise<number>,
): Promise<number> {
  const out = streams.stdout.writable.getWriter();
  const err = streams.stderr.writable.getWriter();
  const write = async (stream: 'stdout' | 'stderr', bytes: Uint8Array) => {
    logs.push({ stream, bytes });
    if (attached) await (stream === 'stdout' ? out : err).write(bytes);
  };
  const [program, ...rest] = args;
  const end = async (): Promise<number> => {
    if (program === 'exit') return Number(rest[0]);
    if (program === 'echo') await write('stdout', encoder.encode(`${rest.join(' ')}\n`));
    if (program === 'both') {
      await write('stdout', encoder.encode('out\n'));
      await write('stderr', encoder.encode('err\n'));
    }
    if (program === 'cat') {
      const reader = streams.stdin.readable.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) await write('stdout', next.value);
    }
    if (program === 'sleep') await new Promise(() => {});
    return 0;
  };
  const code = await Promise.race([end(), killed]);
  await Promise.all([out.close().catch(() => {}), err.close().catch(() => {})]);
  return code;
}

function attachedTo(streams: Program, tty: boolean, stdin: boolean): AttachedStreams {
  return {
    stdin: stdin ? streams.stdin.writable : undefined,
    stdout: streams.stdout.readable,
    stderr: tty ? undefined : streams.stderr.readable,
    tty,
    detach: async () => {
      await streams.stdout.readable.cancel().catch(() => {});
    },
  };
}

/** What a test may look at beside the port. */
export interface MemoryEngine extends Engine {
  readonly calls: string[];
}

export function createMemoryEngine(preloaded: readonly string[] = ['hello']): MemoryEngine {
  const calls: string[] = [];
  const images = [...preloaded];
  const containers = new Map<string, PretendedContainer>();
  const execs = new Map<string, { container: string; config: ExecConfig; code: number | null; running: boolean }>();
  const volumes = new Map<string, Volume>();
  const networks = new Map<string, Network>();
  let count = 0;
  const newId = () => (++count).toString(16).padStart(8, '0').repeat(8);

  const find = (name: string): PretendedContainer => {
    const bare = name.replace(/^\//, '');
    const found = [...containers.values()].find((c) => c.name === bare || (bare !== '' && c.id.startsWith(bare)));
    if (found === undefined) throw new WctrError('no-such-container', `No such container: ${name}`);
    return found;
  };
  const view = (c: PretendedContainer): ContainerInspect =>
    ({
      Id: c.id,
      Name: `/${c.name}`,
      Path: c.args[0] ?? '',
      Args: c.args.slice(1),
      Image: `sha256:${'b'.repeat(64)}`,
      Created: '2026-01-01T00:00:00Z',
      State: {
        Status: c.status,
        Running: c.status === 'running' || c.status === 'paused',
        Paused: c.status === 'paused',
        Restarting: false,
        OOMKilled: false,
        Dead: false,
        Pid: 1,
        ExitCode: c.exitCode,
        Error: '',
        StartedAt: '2026-01-01T00:00:00Z',
        FinishedAt: '2026-01-01T00:00:00Z',
      },
      Config: { ...c.request, Tty: c.request.Tty === true },
      HostConfig: c.request.HostConfig ?? {},
      Mounts: [],
      NetworkSettings: { Ports: {}, Networks: {} },
    }) as unknown as ContainerInspect;
  const remove = (c: PretendedContainer) => {
    containers.delete(c.id);
    c.settle(['removed', 'not-running', 'next-exit']);
  };
  const absent = (what: string) => async (): Promise<never> => {
    throw new WctrError('unsupported', `the fake engine does not ${what}`);
  };

  return {
    calls,
    close: async () => {},
    images: {
      pull: async (reference, options = {}) => {
        calls.push(`pull ${reference} ${options.credentials?.username ?? '-'}`);
        if (reference.includes('missing')) throw new WctrError('not-found', `${reference}: not found`);
        options.onEvent?.({ id: 'latest', status: `Pulling from ${reference}` });
        options.onEvent?.({ id: 'abc', status: 'Downloading', currentBytes: 1, totalBytes: 2 });
        if (reference.includes('broken')) throw new WctrError('digest-mismatch', 'layer abc is damaged');
        images.push(reference.replace(/:latest$/, ''));
        options.onEvent?.({ status: `Status: Downloaded newer image for ${reference}` });
        return { reference, digest: `sha256:${'d'.repeat(64)}`, imageId: `sha256:${'b'.repeat(64)}`, changed: true };
      },
      push: async (reference, options = {}) => {
        calls.push(`push ${reference}${options.all ? ' all' : ''} ${options.credentials?.username ?? '-'}`);
        if (!images.includes(reference.replace(/:latest$/, ''))) {
          throw new WctrError('no-such-image', `no such image: ${reference}`);
        }
        const pushed = { tag: 'latest', digest: `sha256:${'1'.repeat(64)}`, sizeBytes: 123 };
        options.onEvent?.({ status: `The push refers to repository [${reference}]` });
        options.onEvent?.({ id: 'aaaaaaaaaaaa', status: 'Pushing', currentBytes: 1, totalBytes: 2 });
        options.onEvent?.({ id: 'aaaaaaaaaaaa', status: 'Pushed' });
        options.onEvent?.({ status: `latest: digest: ${pushed.digest} size: 123`, pushed });
        if (reference.includes('/broken')) throw new WctrError('unauthorized', 'no', { hint: 'log in' });
        return [pushed];
      },
      search: async (term, options = {}) => {
        calls.push(`search ${term} ${options.limit ?? '-'} ${JSON.stringify(options.filters)}`);
        return [{ name: term, description: 'd', star_count: 1, is_official: true, is_automated: false }];
      },
      distribution: async (reference, options = {}) => {
        calls.push(`distribution ${reference} ${options.credentials?.username ?? '-'}`);
        return {
          Descriptor: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: 'sha256:1', size: 1 },
          Platforms: [{ architecture: 'wasm', os: 'wasip1' }],
        };
      },
      list: async () => [
        {
          id: `sha256:${'b'.repeat(64)}`,
          digest: `sha256:${'d'.repeat(64)}`,
          tags: images.map((name) => `${name}:latest`),
          repoDigests: [],
          created: '2026-01-01T00:00:00Z',
          sizeBytes: 100,
          platform: 'wasi/wasm',
          labels: {},
        },
      ],
      inspect: async (name) => {
        if (!images.includes(name.replace(/:latest$/, '')))
          throw new WctrError('no-such-image', `No such image: ${name}`);
        return { Id: `sha256:${'b'.repeat(64)}`, RepoTags: [`${name}:latest`], Config: { Labels: null } };
      },
      history: async () => [{ id: 'x', created: '2026-01-01T00:00:00Z', createdBy: 'CMD', sizeBytes: 1, comment: '' }],
      tag: async (source, target) => void calls.push(`tag ${source} ${target}`),
      remove: async (name) => [{ untagged: `${name}:latest` }],
      prune: async ({ all = false } = {}) => ({ removed: [], reclaimedBytes: all ? 2 : 1 }),
      load: async (source) => {
        let length = 0;
        if ('tar' in source) for await (const chunk of source.tar) length += chunk.length;
        calls.push(`load ${length}`);
        return [{ id: `sha256:${'b'.repeat(64)}`, references: ['hello:latest'] }];
      },
      save: async function* (names) {
        yield encoder.encode(names.join(','));
      },
      import: absent('import'),
    },
    builds: { build: absent('build'), usage: async () => [], prune: absent('prune') },
    containers: {
      run: absent('run'),
      create: async (request, { name = `fake-${count}` } = {}) => {
        if (!images.includes(request.Image.replace(/:latest$/, ''))) {
          throw new WctrError('no-such-image', `No such image: ${request.Image}`);
        }
        if ([...containers.values()].some((c) => c.name === name)) {
          throw new WctrError('conflict', `The container name "/${name}" is already in use`);
        }
        const container = new PretendedContainer(newId(), name, request);
        containers.set(container.id, container);
        return { Id: container.id, Warnings: [] };
      },
      start: async (name) => {
        const c = find(name);
        if (c.args[0] === 'missing') {
          throw new WctrError('entrypoint-not-found', 'no such program: missing', { hint: 'look at the image' });
        }
        c.start(() => {
          if (c.request.HostConfig?.AutoRemove === true) remove(c);
        });
      },
      stop: async (name) => find(name).kill(143),
      restart: async (name) => void calls.push(`restart ${find(name).name}`),
      kill: async (name, signal = 'SIGKILL') => {
        const c = find(name);
        if (c.status !== 'running') throw new WctrError('conflict', `container ${c.id} is not running`);
        c.kill(signal === 'SIGTERM' || signal === 'TERM' ? 143 : 137);
      },
      pause: async (name) => {
        find(name).status = 'paused';
      },
      unpause: async (name) => {
        find(name).status = 'running';
      },
      rename: async (name, newName) => {
        find(name).name = newName;
      },
      update: async (name, changes) => {
        calls.push(`update ${name} ${JSON.stringify(changes)}`);
        return { Warnings: [] };
      },
      wait: (name, condition = 'not-running') =>
        new Promise((resolve, reject) => {
          try {
            const c = find(name);
            const stands = c.status === 'created' || c.status === 'exited';
            if (condition === 'not-running' && stands) resolve({ StatusCode: c.exitCode });
            else c.waiters.push({ condition, done: (StatusCode) => resolve({ StatusCode }) });
          } catch (error) {
            reject(error);
          }
        }),
      remove: async (name, { force = false } = {}) => {
        const c = find(name);
        if (c.status === 'running' && !force) throw new WctrError('conflict', `container ${c.id} is running`);
        c.kill(137);
        remove(c);
      },
      list: async ({ all = false } = {}) =>
        [...containers.values()]
          .filter((c) => all || c.status === 'running')
          .map(
            (c) =>
              ({
                Id: c.id,
                Names: [`/${c.name}`],
                Image: c.request.Image,
                ImageID: `sha256:${'b'.repeat(64)}`,
                Command: c.args.join(' '),
                Created: 0,
                Ports: [],
                Labels: {},
                State: c.status,
                Status: c.status,
                HostConfig: { NetworkMode: 'default' },
                NetworkSettings: { Networks: {} },
                Mounts: [],
              }) as ContainerSummary,
          ),
      inspect: async (name) => view(find(name)),
      logs: async function* (name, options = {}) {
        for (const chunk of find(name).logs) {
          if ((chunk.stream === 'stdout' ? options.stdout : options.stderr) !== false) yield chunk;
        }
      },
      attach: async (name, options) => {
        const c = find(name);
        c.attached = true;
        return attachedTo(c.streams, c.request.Tty === true, options.stdin === true);
      },
      resize: async (name, { height, width }) => void calls.push(`resize ${find(name).name} ${height}x${width}`),
      top: async () => ({ Titles: ['PID', 'CMD'], Processes: [['1', 'sleep']] }),
      stats: async function* (name) {
        yield { id: find(name).id, name: `/${find(name).name}` } as never;
      },
      changes: async () => [{ Path: '/new', Kind: 1 }],
      statPath: async (_name, path) => ({
        name: path,
        size: 1,
        mode: 0o644,
        mtime: '2026-01-01T00:00:00Z',
        linkTarget: '',
      }),
      getArchive: async (_name, path) => ({
        stat: { name: path, size: 1, mode: 0o644, mtime: '2026-01-01T00:00:00Z', linkTarget: '' },
        tar: (async function* () {
          yield encoder.encode('tar');
        })(),
      }),
      putArchive: async (_name, path, tar) => {
        let length = 0;
        for await (const chunk of tar) length += chunk.length;
        calls.push(`put ${path} ${length}`);
      },
      export: async function* () {
        yield encoder.encode('rootfs');
      },
      commit: async (name, options = {}) => {
        calls.push(`commit ${name} ${JSON.stringify(options)}`);
        return { Id: `sha256:${'c'.repeat(64)}` };
      },
      createCheckpoint: absent('createCheckpoint'),
      listCheckpoints: absent('listCheckpoints'),
      removeCheckpoint: absent('removeCheckpoint'),
      prune: async () => ({ ContainersDeleted: [], SpaceReclaimed: 0 }),
    },
    exec: {
      create: async (container, config) => {
        const Id = newId();
        execs.set(Id, { container: find(container).id, config, code: null, running: false });
        return { Id };
      },
      start: async (id, { tty }) => {
        const exec = execs.get(id);
        if (exec === undefined) throw new WctrError('not-found', `No such exec instance: ${id}`);
        const streams = pipes();
        exec.running = true;
        void runProgram(exec.config.Cmd, streams, true, [], new Promise(() => {})).then((code) => {
          Object.assign(exec, { code, running: false });
        });
        return attachedTo(streams, tty, exec.config.AttachStdin === true);
      },
      startDetached: async (id) => void calls.push(`detached ${execs.get(id)?.config.Cmd.join(' ')}`),
      inspect: async (id) => {
        const exec = execs.get(id);
        if (exec === undefined) throw new WctrError('not-found', `No such exec instance: ${id}`);
        return {
          ID: id,
          Running: exec.running,
          ExitCode: exec.code,
          ContainerID: exec.container,
          DetachKeys: '',
        } as never;
      },
      resize: async () => {},
    },
    volumes: {
      create: async ({ Name = `v${count++}`, Labels = {} }) => {
        const volume: Volume = { Name, Labels, Driver: 'local', Mountpoint: '/v', Scope: 'local', Options: null };
        volumes.set(Name, volume);
        return volume;
      },
      list: async () => ({ Volumes: [...volumes.values()], Warnings: null }),
      inspect: async (name) => {
        const volume = volumes.get(name);
        if (volume === undefined) throw new WctrError('not-found', `get ${name}: no such volume`);
        return volume;
      },
      remove: async (name) => void volumes.delete(name),
      prune: async () => ({ VolumesDeleted: [], SpaceReclaimed: 0 }),
    },
    networks: {
      create: async ({ Name }) => {
        const Id = newId();
        networks.set(Name, { Name, Id, Driver: 'bridge', Scope: 'local', Labels: {}, Containers: {} } as never);
        return { Id, Warning: '' };
      },
      list: async () => [...networks.values()],
      inspect: async (name) => {
        const network = [...networks.values()].find(({ Name, Id }) => Name === name || Id === name);
        if (network === undefined) throw new WctrError('not-found', `network ${name} not found`);
        return network;
      },
      connect: async (name, container) => void calls.push(`connect ${name} ${container}`),
      disconnect: async (name, container) => void calls.push(`disconnect ${name} ${container}`),
      remove: async (name) => {
        for (const [key, { Id, Name }] of networks) if (name === Id || name === Name) networks.delete(key);
      },
      prune: async () => ({ NetworksDeleted: [] }),
    },
    system: {
      login: async ({ server, username, password, identityToken }) => {
        calls.push(`login ${server} ${username}`);
        if (password === 'wrong') throw new WctrError('unauthorized', 'wrong username or password');
        return { status: 'Login Succeeded', ...(identityToken === undefined ? {} : { identityToken }) };
      },
      info: async () => ({ Name: 'fake', Containers: containers.size, Images: images.length }),
      version: async () => ({ Version: '0.0.0', Os: 'linux', Arch: 'wasm' }),
      diskUsage: async () => {
        const row = { total: 0, active: 0, sizeBytes: 0, reclaimableBytes: 0 };
        return { images: row, containers: row, volumes: row, cache: row };
      },
      events: async function* (options = {}) {
        yield {
          Type: 'container',
          Action: 'start',
          Actor: { ID: 'x', Attributes: { name: 'c1' } },
          scope: 'local',
          time: 1,
          timeNano: 1_000_000_000,
        };
        if (options.until === undefined) {
          await new Promise<void>((resolve) => options.signal?.addEventListener('abort', () => resolve()));
        }
      },
    },
  };
}
