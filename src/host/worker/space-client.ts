/** A container for one program in a worker, as its page has it: nothing waits for the program, and it can be ended. */
import { WctrError } from '../../errors.ts';
import type { ContainerFiles } from '../container/container.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';
import type { WorkerPort } from './messages.ts';
import type { SpaceMessage, SpaceRequest } from './space-messages.ts';

export interface WorkerSpaceHost {
  openWorker(): WorkerPort<SpaceRequest, SpaceMessage>;
  kernelModule(): Promise<WebAssembly.Module>;
  coreModule(): Promise<WebAssembly.Module>;
}

type Files = Pick<ContainerFiles, 'extract' | 'write' | 'seal' | 'archive' | 'layer'>;
type Body<T> = T extends { readonly id: number } ? Omit<T, 'id'> : never;

export async function openWorkerSpace(spec: SandboxSpec, host: WorkerSpaceHost): Promise<WorkerSpace> {
  const [kernel, core] = await Promise.all([host.kernelModule(), host.coreModule()]);
  const space = new WorkerSpace(host.openWorker());
  try {
    await space.open(spec, kernel, core);
    return space;
  } catch (error) {
    await space.close();
    throw error;
  }
}

interface Call {
  resolve(message: SpaceMessage): void;
  reject(error: unknown): void;
  onOutput?(stream: 1 | 2, bytes: Uint8Array): void;
}

export class WorkerSpace {
  readonly files: Files;
  readonly #port: WorkerPort<SpaceRequest, SpaceMessage>;
  readonly #calls = new Map<number, Call>();
  readonly #taken = new Map<number, () => void>();
  #last = 0;
  #gone: WctrError | undefined;

  constructor(port: WorkerPort<SpaceRequest, SpaceMessage>) {
    this.#port = port;
    port.onMessage((message) => this.#receive(message));
    port.onEnd((error) => this.#end((error as { message?: string } | null)?.message ?? 'it ended by itself'));
    this.files = {
      extract: (path, tar, options) => this.#send({ type: 'extract', path, options }, tar),
      write: (path, data, attributes) => this.#send({ type: 'write', path, attributes }, data),
      seal: async (path) => void (await this.#ask(this.#next(), { type: 'seal', path })),
      archive: (path) => this.#read({ type: 'archive', path }),
      layer: (except = []) => this.#read({ type: 'layer', except }),
    };
  }

  async open(spec: SandboxSpec, kernel: WebAssembly.Module, core: WebAssembly.Module): Promise<void> {
    await this.#ask(this.#next(), { type: 'open', spec, kernel, core });
  }

  async run(onOutput: (stream: 1 | 2, data: Uint8Array) => void): Promise<SandboxExit> {
    const ended = await this.#ask(this.#next(), { type: 'run' }, onOutput);
    return (ended as SpaceMessage & { type: 'done' }).exit!;
  }

  async close(): Promise<void> {
    this.#end('it was closed');
    await this.#port.terminate();
  }

  async #send(request: Body<SpaceRequest>, data: AsyncIterable<Uint8Array>): Promise<void> {
    const id = this.#next();
    let isSettled = false;
    const done = this.#ask(id, request);
    const settled = done.then(
      () => {
        isSettled = true;
      },
      () => {
        isSettled = true;
      },
    );
    let broken = true;
    try {
      for await (const bytes of data) {
        const taken = new Promise<void>((resolve) => this.#taken.set(id, resolve));
        this.#post(id, { type: 'piece', bytes });
        await Promise.race([taken, settled]);
        // It failed, or wants no more: `done` tells.
        if (isSettled) break;
      }
      broken = false;
    } finally {
      this.#taken.delete(id);
      this.#post(id, { type: 'end', broken });
    }
    await done;
  }

  async *#read(request: Body<SpaceRequest>): AsyncGenerator<Uint8Array> {
    const id = this.#next();
    let message = await this.#ask(id, request);
    while (message.type === 'piece') {
      yield message.bytes;
      message = await this.#ask(id, { type: 'next' });
    }
  }

  #next(): number {
    this.#last += 1;
    return this.#last;
  }

  /** The next answer for this id. */
  #ask(id: number, request: Body<SpaceRequest>, onOutput?: Call['onOutput']): Promise<SpaceMessage> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) return reject(this.#gone);
      this.#calls.set(id, { resolve, reject, ...(onOutput === undefined ? {} : { onOutput }) });
      this.#post(id, request);
    });
  }

  #post(id: number, request: Body<SpaceRequest>): void {
    this.#port.post({ ...request, id } as SpaceRequest);
  }

  #receive(message: SpaceMessage): void {
    const call = this.#calls.get(message.id);
    if (message.type === 'output') {
      call?.onOutput?.(message.stream, message.bytes);
      return;
    }
    if (message.type === 'taken') {
      this.#taken.get(message.id)?.();
      return;
    }
    this.#calls.delete(message.id);
    if (message.type !== 'failed') {
      call?.resolve(message);
      return;
    }
    const { code, message: text, hint } = message.error;
    call?.reject(new WctrError(code, text, hint === undefined ? {} : { hint }));
  }

  #end(why: string): void {
    this.#gone ??= new WctrError('sandbox-failed', `the worker of the program is gone: ${why}`);
    for (const call of this.#calls.values()) call.reject(this.#gone);
    this.#calls.clear();
  }
}
