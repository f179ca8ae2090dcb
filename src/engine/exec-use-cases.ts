/** `exec`: more programs inside a container that runs. Its process keeps them; here is known which container has which. */
import type { ControlSession } from '../containers/processes.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { isWctrError, WctrError } from '../errors.ts';
import type { ExecConfig, ExecInspect } from '../spec/engine-api.ts';
import type { ContainerContext } from './container-context.ts';
import { newId } from './container-names.ts';
import { assertManaged, assertNotPaused, assertRunning } from './container-state.ts';
import type { AttachedStreams, ExecUseCases, TerminalSize } from './engine.ts';

export class LocalExec implements ExecUseCases {
  readonly #context: ContainerContext;
  /** Exec id -> container id. Others are asked for. */
  readonly #owners = new Map<string, { readonly container: string; readonly config: ExecConfig }>();

  constructor(context: ContainerContext) {
    this.#context = context;
  }

  async create(name: string, config: ExecConfig): Promise<{ Id: string }> {
    const record = await this.#context.find(name);
    assertRunning(record, 'exec in');
    assertNotPaused(record);
    assertManaged(record, 'exec in');
    if (config.Cmd === undefined || config.Cmd === null || config.Cmd.length === 0) {
      throw new WctrError('invalid-argument', 'no exec command specified');
    }
    const id = newId(this.#context.parts.host.randomBytes);
    await this.#context.ask(record, { op: 'exec.create', id, config }, 'exec in');
    this.#owners.set(id, { container: record.key, config });
    await this.#event(record, `exec_create: ${config.Cmd.join(' ')}`, id);
    return { Id: id };
  }

  async start(
    id: string,
    options: { tty: boolean; consoleSize?: readonly [number, number] },
  ): Promise<AttachedStreams> {
    const { record, config } = await this.#find(id);
    const session = await this.#start(record, id, { ...options, detach: false });
    await this.#started(record, id, config);
    return this.#streams(session, options.tty, config);
  }

  async startDetached(id: string, options: { tty?: boolean } = {}): Promise<void> {
    const { record, config } = await this.#find(id);
    (await this.#start(record, id, { tty: options.tty ?? false, detach: true })).close();
    await this.#started(record, id, config);
  }

  async inspect(id: string): Promise<ExecInspect> {
    const { record } = await this.#find(id);
    return (await this.#context.ask(record, { op: 'exec.inspect', id }, 'inspect')) as ExecInspect;
  }

  async resize(id: string, size: TerminalSize): Promise<void> {
    const { record } = await this.#find(id);
    await this.#context.ask(record, { op: 'exec.resize', id, ...size }, 'resize');
  }

  #start(
    record: ContainerRecord,
    id: string,
    options: { tty: boolean; detach: boolean; consoleSize?: readonly [number, number] },
  ): Promise<ControlSession> {
    assertNotPaused(record);
    const { tty, detach, consoleSize } = options;
    const size = consoleSize === undefined ? {} : { consoleSize };
    return this.#context.control(record, { op: 'exec.start', id, detach, tty, ...size }, 'exec in');
  }

  #streams(session: ControlSession, tty: boolean, config: ExecConfig | undefined): AttachedStreams {
    session.end.catch(() => {});
    // What nobody reads must not hold up the rest.
    if (tty) void session.stderr.cancel();
    return {
      stdin: config?.AttachStdin === false ? undefined : session.stdin,
      stdout: session.stdout,
      stderr: tty ? undefined : session.stderr,
      tty,
      detach: async () => session.close(),
    };
  }

  async #find(id: string): Promise<{ record: ContainerRecord; config: ExecConfig | undefined }> {
    const owner = this.#owners.get(id);
    if (owner !== undefined) {
      return { record: await this.#context.find(owner.container), config: owner.config };
    }
    // Made by another process, or before this one was started.
    const { containers } = this.#context.parts;
    for (const record of await containers.list()) {
      if (record.state.status !== 'running' || !record.managed || !containers.runs(record)) continue;
      try {
        await this.#context.ask(record, { op: 'exec.inspect', id }, 'inspect');
        return { record, config: undefined };
      } catch (error) {
        if (!isWctrError(error)) throw error;
      }
    }
    throw new WctrError('not-found', `no such exec instance: ${id}`);
  }

  #started(record: ContainerRecord, id: string, config: ExecConfig | undefined): Promise<void> {
    return this.#event(record, `exec_start: ${(config?.Cmd ?? []).join(' ')}`, id);
  }

  #event(record: ContainerRecord, action: string, execID: string): Promise<void> {
    return this.#context.parts.events.container(record, action, { execID });
  }
}
