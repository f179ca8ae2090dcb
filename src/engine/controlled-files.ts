/** ContainerFiles of a running container, over its control socket. */
import type { ControlRequest } from '../containers/control/protocol.ts';
import type { ControlSession } from '../containers/processes.ts';
import type { ContainerFiles, ExtractOptions, FileAttributes } from '../host/container/container.ts';
import type { FilesystemChange, PathStat } from '../spec/engine-api.ts';

export class ControlledFiles implements ContainerFiles {
  readonly #connect: (request: ControlRequest) => Promise<ControlSession>;

  constructor(connect: (request: ControlRequest) => Promise<ControlSession>) {
    this.#connect = connect;
  }

  async stat(path: string): Promise<PathStat> {
    return (await this.#ask({ op: 'files.stat', path })) as PathStat;
  }

  async changes(): Promise<FilesystemChange[]> {
    return (await this.#ask({ op: 'files.changes' })) as FilesystemChange[];
  }

  archive(path: string): AsyncIterable<Uint8Array> {
    return this.#stream({ op: 'files.get', path });
  }

  layer(except?: readonly string[]): AsyncIterable<Uint8Array> {
    return this.#stream({ op: 'files.layer', ...(except === undefined ? {} : { except }) });
  }

  export(): AsyncIterable<Uint8Array> {
    return this.#stream({ op: 'files.export' });
  }

  async extract(path: string, tar: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<void> {
    const { noOverwriteDirNonDir = false, copyUidGid = false } = options;
    await this.#send({ op: 'files.put', path, noOverwriteDirNonDir, copyUidGid }, tar);
  }

  async write(path: string, data: AsyncIterable<Uint8Array>, attributes: FileAttributes): Promise<void> {
    await this.#send({ op: 'files.write', path, ...attributes }, data);
  }

  async seal(path: string): Promise<void> {
    await this.#ask({ op: 'files.seal', path });
  }

  async #send(request: ControlRequest, data: AsyncIterable<Uint8Array>): Promise<void> {
    const session = await this.#connect(request);
    const ended = session.end.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const writer = session.stdin.getWriter();
    try {
      for await (const chunk of data) {
        // The container may have given up; why is in its last word.
        const failed = await Promise.race([writer.write(chunk).catch(() => undefined), ended]);
        if (failed !== undefined) throw failed.error;
      }
      await writer.close().catch(() => {});
      const failed = await ended;
      if (failed !== undefined) throw failed.error;
    } finally {
      session.close();
    }
  }

  async #ask(request: ControlRequest): Promise<unknown> {
    const session = await this.#connect(request);
    session.end.catch(() => {});
    session.close();
    return session.result;
  }

  async *#stream(request: ControlRequest): AsyncGenerator<Uint8Array> {
    const session = await this.#connect(request);
    session.end.catch(() => {});
    const reader = session.stdout.getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        yield value;
      }
      // A stream that was cut off is not one that ended.
      await session.end;
    } finally {
      reader.releaseLock();
      session.close();
    }
  }
}
