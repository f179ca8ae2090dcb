import { WctrError } from '../../errors.ts';
import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspect,
  ContainerStats,
  ContainerSummary,
  FilesystemChange,
  Filters,
  PathStat,
  Resources,
  RestartPolicy,
  TopResponse,
  WaitResponse,
} from '../../spec/engine-api.ts';
import type {
  AttachedStreams,
  AttachOptions,
  CheckpointOptions,
  CommitOptions,
  ContainerUseCases,
  ImageUseCases,
  LogChunk,
  LogOptions,
  PutArchiveOptions,
  RunningContainer,
  RunOptions,
  StopOptions,
  TerminalSize,
  WaitCondition,
} from '../engine.ts';
import { runManaged } from '../managed-run.ts';
import { type ApiClient, bodyOf, type Call, filterText, jsonLines } from './api-client.ts';
import { attachedStreams } from './attached.ts';
import { FrameDecoder, MULTIPLEXED, STDERR } from './frames.ts';

export class RemoteContainers implements ContainerUseCases {
  readonly #api: ApiClient;
  readonly #images: ImageUseCases;
  /** Waits whose headers have not come: a start that overtook them could end before they began. */
  readonly #beginning = new Set<Promise<unknown>>();

  constructor(api: ApiClient, images: ImageUseCases) {
    this.#api = api;
    this.#images = images;
  }

  run(options: RunOptions): Promise<RunningContainer> {
    return runManaged({ containers: this, images: this.#images, isRemote: true }, options);
  }

  async create(
    request: ContainerCreateRequest,
    options: { name?: string; platform?: string } = {},
  ): Promise<ContainerCreateResponse> {
    try {
      return await this.#api.json('POST', '/containers/create', { query: { ...options }, json: request });
    } catch (error) {
      // Docker's own daemon says only 404, which is always the image here.
      const { code, message, data } = error as WctrError;
      throw code === 'not-found' && data.isNamed !== true
        ? new WctrError('no-such-image', message, { cause: error })
        : error;
    }
  }

  async start(name: string, options: { checkpoint?: string; detachKeys?: string } = {}): Promise<void> {
    await Promise.allSettled(this.#beginning);
    await this.#done('POST', name, 'start', { query: { ...options } });
  }

  stop(name: string, options: StopOptions = {}): Promise<void> {
    return this.#done('POST', name, 'stop', { query: stopQuery(options) });
  }

  restart(name: string, options: StopOptions = {}): Promise<void> {
    return this.#done('POST', name, 'restart', { query: stopQuery(options) });
  }

  kill(name: string, signal?: string): Promise<void> {
    return this.#done('POST', name, 'kill', { query: { signal } });
  }

  pause(name: string): Promise<void> {
    return this.#done('POST', name, 'pause');
  }

  unpause(name: string): Promise<void> {
    return this.#done('POST', name, 'unpause');
  }

  rename(name: string, newName: string): Promise<void> {
    return this.#done('POST', name, 'rename', { query: { name: newName } });
  }

  update(name: string, changes: Resources & { RestartPolicy?: RestartPolicy }) {
    return this.#json<{ Warnings: readonly string[] }>('POST', name, 'update', { json: changes });
  }

  async wait(name: string, condition?: WaitCondition, signal?: AbortSignal): Promise<WaitResponse> {
    const answer = this.#api.send('POST', at(name, 'wait'), {
      query: { condition },
      ...(signal === undefined ? {} : { signal }),
    });
    this.#beginning.add(answer);
    try {
      const response = await answer.finally(() => this.#beginning.delete(answer));
      return (await response.json()) as WaitResponse;
    } catch (error) {
      if (signal?.aborted === true) throw new WctrError('cancelled', `waiting for ${name} was cancelled`);
      throw error;
    }
  }

  remove(name: string, options: { force?: boolean; volumes?: boolean; link?: boolean } = {}): Promise<void> {
    const { force, volumes: v, link } = options;
    return this.#api.done('DELETE', `/containers/${encodeURIComponent(name)}`, { query: { force, v, link } });
  }

  list(options: { all?: boolean; limit?: number; size?: boolean; filters?: Filters } = {}) {
    const { all, limit, size, filters } = options;
    const query = { all, limit, size, filters: filterText(filters) };
    return this.#api.json<ContainerSummary[]>('GET', '/containers/json', { query });
  }

  inspect(name: string, { size = false }: { size?: boolean } = {}): Promise<ContainerInspect> {
    return this.#json('GET', name, 'json', { query: { size } });
  }

  async *logs(name: string, options: LogOptions = {}): AsyncGenerator<LogChunk> {
    const { signal, stdout = true, stderr = true, ...rest } = options;
    const response = await this.#api.send('GET', at(name, 'logs'), {
      query: { stdout, stderr, ...rest },
      ...(signal === undefined ? {} : { signal }),
    });
    const decoder = response.headers.get('content-type') === MULTIPLEXED ? new FrameDecoder() : undefined;
    try {
      for await (const chunk of bodyOf(response)) {
        for (const { stream, bytes } of decoder?.push(chunk) ?? [{ stream: 1, bytes: chunk }]) {
          yield { stream: stream === STDERR ? 'stderr' : 'stdout', bytes };
        }
      }
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  }

  async attach(name: string, options: AttachOptions): Promise<AttachedStreams> {
    const { stdin, stdout, stderr, logs, stream = true } = options;
    // Nothing named is everything.
    const everything = stdin === undefined && stdout === undefined && stderr === undefined;
    const channel = await this.#api.hijack(at(name, 'attach'), {
      query: everything ? { stdout: true, stderr: true, logs, stream } : { stdin, stdout, stderr, logs, stream },
    });
    return attachedStreams(channel, stdin === true);
  }

  resize(name: string, { height: h, width: w }: TerminalSize): Promise<void> {
    return this.#done('POST', name, 'resize', { query: { h, w } });
  }

  top(name: string, psArgs?: string): Promise<TopResponse> {
    return this.#json('GET', name, 'top', { query: { ps_args: psArgs } });
  }

  async *stats(name: string, options: { stream?: boolean; oneShot?: boolean } = {}): AsyncGenerator<ContainerStats> {
    const { stream = true, oneShot = false } = options;
    const query = { stream: stream ? '1' : '0', 'one-shot': oneShot };
    yield* jsonLines<ContainerStats>(await this.#api.send('GET', at(name, 'stats'), { query }));
  }

  async changes(name: string): Promise<FilesystemChange[]> {
    return (await this.#json<FilesystemChange[] | null>('GET', name, 'changes')) ?? [];
  }

  async statPath(name: string, path: string): Promise<PathStat> {
    return decodeStat(await this.#api.send('HEAD', at(name, 'archive'), { query: { path } }));
  }

  async getArchive(name: string, path: string): Promise<{ stat: PathStat; tar: AsyncIterable<Uint8Array> }> {
    const response = await this.#api.send('GET', at(name, 'archive'), { query: { path } });
    return { stat: decodeStat(response), tar: bodyOf(response) };
  }

  putArchive(name: string, path: string, tar: AsyncIterable<Uint8Array>, options: PutArchiveOptions = {}) {
    const { noOverwriteDirNonDir, copyUidGid } = options;
    const query = { path, noOverwriteDirNonDir, copyUIDGID: copyUidGid };
    return this.#done('PUT', name, 'archive', { query, body: tar, headers: { 'content-type': 'application/x-tar' } });
  }

  async *export(name: string): AsyncGenerator<Uint8Array> {
    yield* bodyOf(await this.#api.send('GET', at(name, 'export')));
  }

  commit(name: string, options: CommitOptions = {}): Promise<{ Id: string }> {
    const { reference, author, message, changes, pause = true } = options;
    return this.#api.json('POST', '/commit', {
      // A tag may stand in the repository's own member.
      query: { container: name, repo: reference, author, comment: message, changes, pause: pause ? '1' : '0' },
      json: {},
    });
  }

  async createCheckpoint(name: string, options: CheckpointOptions): Promise<{ Id?: string }> {
    const { checkpoint = '', leaveRunning = false, reference, changes, init } = options;
    const json = { CheckpointID: checkpoint, Exit: !leaveRunning, Reference: reference, Changes: changes, Init: init };
    return (await this.#json<{ Id?: string } | undefined>('POST', name, 'checkpoints', { json })) ?? {};
  }

  listCheckpoints(name: string): Promise<{ Name: string }[]> {
    return this.#json('GET', name, 'checkpoints');
  }

  removeCheckpoint(name: string, checkpoint: string): Promise<void> {
    return this.#done('DELETE', name, `checkpoints/${encodeURIComponent(checkpoint)}`);
  }

  prune(filters?: Filters): Promise<{ ContainersDeleted: readonly string[]; SpaceReclaimed: number }> {
    return this.#api.json('POST', '/containers/prune', { query: { filters: filterText(filters) } });
  }

  #json<T>(method: string, name: string, verb: string, call: Call = {}): Promise<T> {
    return this.#api.json(method, at(name, verb), call);
  }

  #done(method: string, name: string, verb: string, call: Call = {}): Promise<void> {
    return this.#api.done(method, at(name, verb), call);
  }
}

function at(name: string, verb: string): string {
  return `/containers/${encodeURIComponent(name.replace(/^\//, ''))}/${verb}`;
}

function stopQuery({ signal, timeoutSeconds: t }: StopOptions) {
  return { signal, t };
}

function decodeStat(response: Response): PathStat {
  const text = atob(response.headers.get('x-docker-container-path-stat') ?? '');
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0)))) as PathStat;
}
