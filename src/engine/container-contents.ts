/** What is inside of a container: `diff`, `cp`, `export`, `commit`. */
import type { CommitMore } from './commit-use-cases.ts';
import type { ContainerContext } from './container-context.ts';
import type { CommitOptions, ContainerUseCases } from './engine.ts';
import { LocalFiles } from './file-use-cases.ts';
import { LocalMounts } from './volume-mounts.ts';
import { openVolumes } from './volume-store.ts';

export interface ContainerContents
  extends Pick<ContainerUseCases, 'changes' | 'statPath' | 'getArchive' | 'putArchive' | 'export'> {
  /** `more`: what the image gets beside what the container changed. */
  commit(name: string, options?: CommitOptions, more?: CommitMore): Promise<{ Id: string }>;
}

export function containerContents(context: ContainerContext): ContainerContents {
  return new Contents(context, new LocalMounts(context.parts, openVolumes(context.parts)));
}

class Contents extends LocalFiles implements ContainerContents {
  readonly #context: ContainerContext;

  constructor(context: ContainerContext, mounts: LocalMounts) {
    super(context, mounts);
    this.#context = context;
  }

  async commit(name: string, options?: CommitOptions, more?: CommitMore): Promise<{ Id: string }> {
    const record = await this.find(name, 'commit');
    const { commitContainer } = await import('./commit-use-cases.ts');
    return commitContainer(this.#context.parts, record, () => this.layer(record), options, more);
  }
}
