import type { RunExecutor } from '../build/run/executor.ts';
import type { BuildUseCases } from './builds.ts';
import { ContainerContext, type ContainerMounts, type ContainerNetworks } from './container-context.ts';
import { LocalContainers } from './container-use-cases.ts';
import type {
  ContainerUseCases,
  Engine,
  ExecUseCases,
  ImageUseCases,
  NetworkUseCases,
  SystemUseCases,
  VolumeUseCases,
} from './engine.ts';
import { LocalImages } from './image-use-cases.ts';
import { lazily } from './lazily.ts';
import type { EngineParts } from './parts.ts';
import { ProgramSources } from './program.ts';
import { LocalSystem } from './system-use-cases.ts';

/** The engine in this process, over a store this process can reach. */
export class LocalEngine implements Engine {
  readonly images: ImageUseCases;
  readonly containers: ContainerUseCases;
  readonly exec: ExecUseCases;
  readonly volumes: VolumeUseCases;
  readonly networks: NetworkUseCases;
  readonly system: SystemUseCases;
  readonly builds: BuildUseCases;
  readonly #parts: EngineParts;
  readonly #context: ContainerContext;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const images = new LocalImages(parts);
    const programs = new ProgramSources(parts, images);
    const mounts = lazily<ContainerMounts>(['resolve', 'prepare', 'release'], async () => {
      const { openVolumes } = await import('./volume-store.ts');
      return new (await import('./volume-mounts.ts')).LocalMounts(parts, openVolumes(parts));
    });
    const networks = lazily<NetworkUseCases & ContainerNetworks>(
      [
        ...(['create', 'list', 'inspect', 'remove', 'prune', 'connect', 'disconnect'] as const),
        ...(['attach', 'plan', 'release', 'renamed'] as const),
      ],
      async () => new (await import('./network-use-cases.ts')).LocalNetworks(parts),
    );
    this.networks = networks;
    this.#context = new ContainerContext(parts, programs, mounts, networks);
    this.images = images;
    this.containers = new LocalContainers(this.#context, images);
    this.volumes = lazily<VolumeUseCases>(['create', 'list', 'inspect', 'remove', 'prune'], async () => {
      const { openVolumes } = await import('./volume-store.ts');
      return new (await import('./volume-use-cases.ts')).LocalVolumes(openVolumes(parts));
    });
    this.exec = lazily<ExecUseCases>(['create', 'start', 'startDetached', 'inspect', 'resize'], async () => {
      return new (await import('./exec-use-cases.ts')).LocalExec(this.#context);
    });
    this.system = new LocalSystem(parts);
    this.builds = lazily<BuildUseCases>(['build', 'usage', 'prune'], async () => {
      const runs = lazily<RunExecutor>(['run'], async () => {
        return (await import('./run-executor.ts')).openRunExecutor(this.#context);
      });
      return new (await import('./build-use-cases.ts')).LocalBuilds(parts, images, runs);
    });
  }

  /** Puts the record of a container right whose process was killed, and does what its restart policy says. */
  async reconcile(id: string): Promise<void> {
    await (await import('./reconcile.ts')).reconcile(this.#context, id, { backsOff: true });
  }

  /**
   * What a daemon does beside answering: starts those that are to run whenever it does, and notices processes that are
   * killed. Call the result to end it.
   */
  async watch(): Promise<() => void> {
    return (await import('./watch.ts')).watchContainers(this.#context);
  }

  async close(): Promise<void> {
    await this.#context.settled();
    await Promise.all([this.#parts.sandboxes.close(), this.#parts.host.processes?.close()]);
  }
}
