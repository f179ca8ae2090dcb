/**
 * A container's files: `cp`, `diff`, `export`, `commit`. One that runs is asked over its control socket; one that does not
 * is booted here, without a guest, from its image and its writable layer, while nobody can start or remove it.
 */
import { cleanAbsolute } from '../containers/files/names.ts';
import type { OpenedFiles } from '../containers/files/open.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { ContainerFiles } from '../host/container/container.ts';
import { withoutGzip } from '../images/archive/spool.ts';
import type { FilesystemChange, PathStat } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { sandboxSpec, startLock } from './container-start.ts';
import { assertManaged, isRunning } from './container-state.ts';
import { ControlledFiles } from './controlled-files.ts';
import type { ContainerUseCases, PutArchiveOptions } from './engine.ts';
import type { LocalMounts } from './volume-mounts.ts';

type FileUseCases = Pick<ContainerUseCases, 'changes' | 'statPath' | 'getArchive' | 'putArchive' | 'export'>;

export class LocalFiles implements FileUseCases {
  readonly #context: ContainerContext;
  readonly #mounts: Pick<LocalMounts, 'reopen'>;

  constructor(context: ContainerContext, mounts: Pick<LocalMounts, 'reopen'>) {
    this.#context = context;
    this.#mounts = mounts;
  }

  async changes(name: string): Promise<FilesystemChange[]> {
    return this.#use(await this.find(name, 'diff'), ({ files }) => files.changes());
  }

  async statPath(name: string, path: string): Promise<PathStat> {
    const record = await this.find(name, 'look into');
    return this.#use(record, ({ files }) => named(record, path, files.stat(path)));
  }

  async getArchive(name: string, path: string): Promise<{ stat: PathStat; tar: AsyncIterable<Uint8Array> }> {
    const record = await this.find(name, 'copy from');
    const opened = await this.#open(record);
    try {
      const stat = await named(record, path, opened.files.stat(path));
      return { stat, tar: closing(opened.files.archive(path), opened) };
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  async putArchive(
    name: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: PutArchiveOptions = {},
  ): Promise<void> {
    const record = await this.find(name, 'copy to');
    await this.#use(record, async ({ files, sync }) => {
      try {
        await named(record, path, files.extract(path, withoutGzip(tar), options));
      } finally {
        // What came before an error is there: it is to be there tomorrow too.
        await sync();
      }
    });
  }

  async *export(name: string): AsyncGenerator<Uint8Array> {
    const opened = await this.#open(await this.find(name, 'export'));
    yield* closing(opened.files.export(), opened);
  }

  /** The writable layer as an OCI layer. Guests of a running container wait meanwhile. */
  async *layer(record: ContainerRecord): AsyncGenerator<Uint8Array> {
    const opened = await this.#open(record);
    yield* closing(opened.files.layer(), opened);
  }

  protected async find(name: string, action: string): Promise<ContainerRecord> {
    const record = await this.#context.find(name);
    assertManaged(record, action);
    if (record.state.status === 'paused') {
      throw new WctrError('conflict', `cannot ${action} container ${record.name} while it is paused`, {
        hint: `its process is halted as a whole; wctr unpause ${record.name} first`,
      });
    }
    return record;
  }

  async #use<T>(record: ContainerRecord, action: (opened: OpenedFiles) => Promise<T>): Promise<T> {
    const opened = await this.#open(record);
    try {
      return await action(opened);
    } finally {
      await opened.close();
    }
  }

  async #open(found: ContainerRecord): Promise<OpenedFiles> {
    if (isRunning(found.state)) return controlled(this.#context, found);
    const { containers, locks } = this.#context.parts;
    // Nobody starts or removes it for as long as its files are open here.
    const lock = await locks.acquire(startLock(found.key));
    try {
      const record = await containers.find(found.key);
      if (isRunning(record.state) && containers.runs(record)) {
        await lock.release();
        return controlled(this.#context, record);
      }
      const { files, sync, close } = await this.#boot(record);
      let closed: Promise<void> | undefined;
      return {
        files,
        sync,
        close: () => {
          closed ??= close().finally(() => lock.release());
          return closed;
        },
      };
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async #boot(record: ContainerRecord): Promise<OpenedFiles> {
    const { host, containers } = this.#context.parts;
    if (host.openFiles === undefined) {
      throw new WctrError('unsupported', 'this host cannot open the files of a container that does not run');
    }
    const program = await this.#context.programs.reopen(record);
    const spec = await sandboxSpec(record, program, await this.#mounts.reopen(record));
    return host.openFiles(spec, { journal: `${containers.directory(record.key)}/upper.journal` });
  }
}

function controlled(context: ContainerContext, record: ContainerRecord): OpenedFiles {
  const files: ContainerFiles = new ControlledFiles((request) => context.control(record, request, 'look into'));
  // The container's own process keeps its writable layer.
  return { files, sync: async () => {}, close: async () => {} };
}

async function* closing(chunks: AsyncIterable<Uint8Array>, opened: OpenedFiles): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    await opened.close();
  }
}

/** A path that is not there, in docker's words. */
async function named<T>({ name }: ContainerRecord, path: string, result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    if (!isWctrError(error, 'not-found')) throw error;
    throw new WctrError('not-found', `Could not find the file ${cleanAbsolute(path)} in container ${name}`, {
      cause: error,
      data: error.data,
    });
  }
}
