/** The use cases of containers, each in a file of its own that is loaded when it is first called. */
import type { Resources, RestartPolicy } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { ForegroundRuns } from './container-run.ts';
import type { ContainerUseCases, ImageUseCases, RunningContainer, RunOptions } from './engine.ts';

type Parameter<Name extends keyof ContainerUseCases, At extends number> = Parameters<ContainerUseCases[Name]>[At];

export class LocalContainers implements ContainerUseCases {
  readonly #context: ContainerContext;
  readonly #images: Pick<ImageUseCases, 'pull'>;
  readonly #runs: ForegroundRuns;

  constructor(context: ContainerContext, images: Pick<ImageUseCases, 'pull'>) {
    this.#context = context;
    this.#images = images;
    this.#runs = new ForegroundRuns(context.parts, context.programs);
  }

  async run(options: RunOptions): Promise<RunningContainer> {
    if (!this.#isKept(options)) return this.#runs.run(options);
    const { runManaged } = await import('./managed-run.ts');
    const { isolation: _, ...rest } = options;
    return runManaged({ containers: this, images: this.#images, isRemote: false }, rest);
  }

  /** What stays after its end has a process of its own, unless it runs in something else or on this process' streams. */
  #isKept({ autoRemove, isolation, stdio }: RunOptions): boolean {
    const { host, sandboxes } = this.#context.parts;
    if (autoRemove === true || host.processes === undefined) return false;
    return (isolation ?? sandboxes.default) === 'process' && !Object.values(stdio ?? {}).includes('inherit');
  }

  async create(request: Parameter<'create', 0>, options?: Parameter<'create', 1>) {
    return (await import('./container-create.ts')).createContainer(this.#context, request, options);
  }

  async start(name: string, options: Parameter<'start', 1> = {}) {
    await (await import('./container-start.ts')).startContainer(this.#context, name, options.checkpoint);
  }

  async stop(name: string, options?: Parameter<'stop', 1>) {
    await (await import('./container-stop.ts')).stopContainer(this.#context, name, options);
  }

  async restart(name: string, options?: Parameter<'restart', 1>) {
    await (await import('./container-stop.ts')).restartContainer(this.#context, name, options);
  }

  async kill(name: string, signal?: string) {
    await (await import('./container-stop.ts')).killContainer(this.#context, name, signal);
  }

  async pause(name: string) {
    await (await import('./container-stop.ts')).pauseContainer(this.#context, name);
  }

  async unpause(name: string) {
    await (await import('./container-stop.ts')).unpauseContainer(this.#context, name);
  }

  async rename(name: string, newName: string) {
    await (await import('./container-change.ts')).renameContainer(this.#context, name, newName);
  }

  async update(name: string, changes: Resources & { RestartPolicy?: RestartPolicy }) {
    return (await import('./container-change.ts')).updateContainer(this.#context, name, changes);
  }

  async wait(name: string, condition?: Parameter<'wait', 1>, signal?: AbortSignal) {
    return (await import('./container-wait.ts')).waitForContainer(this.#context, name, condition, signal);
  }

  async remove(name: string, options?: Parameter<'remove', 1>) {
    await (await import('./container-remove.ts')).removeContainer(this.#context, name, options);
  }

  async list(options?: Parameter<'list', 0>) {
    return (await import('./container-list.ts')).listContainers(this.#context, options);
  }

  async inspect(name: string, options: Parameter<'inspect', 1> = {}) {
    const record = await this.#context.find(name);
    const { inspectContainer } = await import('./container-views.ts');
    const { logPath } = await import('./container-start.ts');
    const document = inspectContainer(record, logPath(this.#context, record));
    if (options.size !== true) return document;
    const { containerSize } = await import('./container-size.ts');
    return { ...document, ...(await containerSize(this.#context, record)) };
  }

  async *logs(name: string, options?: Parameter<'logs', 1>) {
    yield* (await import('./container-attach.ts')).containerLogs(this.#context, name, options);
  }

  async attach(name: string, options: Parameter<'attach', 1>) {
    return (await import('./container-attach.ts')).attachContainer(this.#context, name, options);
  }

  async resize(name: string, size: Parameter<'resize', 1>) {
    await (await import('./container-change.ts')).resizeContainer(this.#context, name, size);
  }

  async top(name: string, psArgs?: string) {
    return (await import('./container-stats.ts')).containerTop(this.#context, name, psArgs);
  }

  async *stats(name: string, options?: Parameter<'stats', 1>) {
    yield* (await import('./container-stats.ts')).containerStats(this.#context, name, options);
  }

  async changes(name: string) {
    return (await this.#files()).changes(name);
  }

  async statPath(name: string, path: string) {
    return (await this.#files()).statPath(name, path);
  }

  async getArchive(name: string, path: string) {
    return (await this.#files()).getArchive(name, path);
  }

  async putArchive(name: string, path: string, tar: AsyncIterable<Uint8Array>, options?: Parameter<'putArchive', 3>) {
    await (await this.#files()).putArchive(name, path, tar, options);
  }

  async *export(name: string) {
    yield* (await this.#files()).export(name);
  }

  async commit(name: string, options?: Parameter<'commit', 1>) {
    return (await this.#files()).commit(name, options);
  }

  async createCheckpoint(name: string, options: Parameter<'createCheckpoint', 1>) {
    return (await import('./checkpoint-use-cases.ts')).createCheckpoint(this.#context, name, options);
  }

  async listCheckpoints(name: string) {
    return (await import('./checkpoint-use-cases.ts')).listCheckpoints(this.#context, name);
  }

  async removeCheckpoint(name: string, checkpoint: string) {
    await (await import('./checkpoint-use-cases.ts')).removeCheckpoint(this.#context, name, checkpoint);
  }

  async prune(filters?: Parameter<'prune', 0>) {
    return (await import('./container-remove.ts')).pruneContainers(this.#context, filters);
  }

  async #files() {
    return (await import('./container-contents.ts')).containerContents(this.#context);
  }
}
