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
import type { EngineParts } from './parts.ts';
import { ProgramSources } from './program.ts';
import { LocalSystem } from './system-use-cases.ts';

/** The engine in this process, over a store this process can reach. */
export class LocalEngine implements Engine {
  readonly images: ImageUseCases;
  readonly containers: ContainerUseCases;
  readonly exec!: ExecUseCases;
  readonly volumes!: VolumeUseCases;
  readonly networks!: NetworkUseCases;
  readonly system: SystemUseCases;
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const images = new LocalImages(parts);
    this.images = images;
    this.containers = new LocalContainers(parts, new ProgramSources(parts, images)) as unknown as ContainerUseCases;
    this.system = new LocalSystem(parts) as unknown as SystemUseCases;
  }

  async close(): Promise<void> {
    await this.#parts.sandboxes.close();
  }
}
