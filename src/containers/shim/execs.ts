/** Programs started beside the container's own: `exec`, and health checks. */
import { ERROR_TABLE, isWctrError, WctrError } from '../../errors.ts';
import type { GuestProcess, HostContainer, ProcessSpec } from '../../host/container/container.ts';
import type { SandboxExit, SandboxSpec } from '../../host/sandbox.ts';
import type { ExecConfig, ExecInspect } from '../../spec/engine-api.ts';
import { FRAME_STDERR, FRAME_STDOUT } from '../control/protocol.ts';
import type { ControlExchange, TerminalSize } from '../control/server.ts';
import { containerUser } from './container-user.ts';
import { GuestInput } from './input.ts';

interface Exec {
  readonly id: string;
  readonly config: ExecConfig;
  process?: GuestProcess;
  started: boolean;
  running: boolean;
  exitCode: number | null;
}

/** Ended ones stay to be asked about, so many. */
const MOST_ENDED = 1000;
const MOST_OUTPUT_CHARS = 4096;
const STILL_MS = 1000;

export interface ExecStartOptions {
  readonly detach: boolean;
  readonly tty: boolean;
  readonly consoleSize?: readonly [number, number] | undefined;
}

export class Execs {
  readonly #spec: SandboxSpec;
  /** Throws 'conflict' when the container does not run. */
  readonly #container: () => HostContainer;
  readonly #onEnd: (id: string, exit: SandboxExit) => void;
  readonly #execs = new Map<string, Exec>();

  constructor(spec: SandboxSpec, container: () => HostContainer, onEnd: (id: string, exit: SandboxExit) => void) {
    this.#spec = spec;
    this.#container = container;
    this.#onEnd = onEnd;
  }

  create(id: string, config: ExecConfig): void {
    this.#container();
    if (!/^[0-9a-f]{64}$/.test(id) || !Array.isArray(config?.Cmd) || config.Cmd.length === 0) {
      throw new WctrError('invalid-argument', 'no exec command specified', { hint: 'name a program of the container' });
    }
    if (this.#execs.has(id)) throw new WctrError('conflict', `exec ${id} is there already`);
    for (const [ended, exec] of this.#execs) {
      if (this.#execs.size < MOST_ENDED) break;
      if (exec.exitCode !== null) this.#execs.delete(ended);
    }
    this.#execs.set(id, { id, config, started: false, running: false, exitCode: null });
  }

  inspect(id: string): ExecInspect {
    const { config, process, running, exitCode } = this.#find(id);
    return {
      ID: id,
      Running: running,
      ExitCode: exitCode,
      ProcessConfig: {
        tty: config.Tty ?? false,
        entrypoint: config.Cmd[0]!,
        arguments: config.Cmd.slice(1),
        privileged: config.Privileged ?? false,
        ...(config.User ? { user: config.User } : {}),
      },
      OpenStdin: config.AttachStdin ?? false,
      OpenStderr: config.AttachStderr ?? false,
      OpenStdout: config.AttachStdout ?? false,
      CanRemove: false,
      ContainerID: this.#spec.id,
      DetachKeys: config.DetachKeys ?? '',
      Pid: process?.pid ?? 0,
    };
  }

  resize(id: string, size: TerminalSize): void {
    this.#find(id).process?.resize(size);
  }

  /** Replies when the program runs; resolves with its exit, or at once when it is detached. */
  async start(id: string, options: ExecStartOptions, exchange: ControlExchange): Promise<SandboxExit | undefined> {
    const exec = this.#find(id);
    if (exec.started) throw new WctrError('conflict', `exec ${id} has already been started`);
    exec.started = true;
    const tty = options.tty || (exec.config.Tty ?? false);
    const size = options.consoleSize ?? exec.config.ConsoleSize ?? undefined;
    const stdin = !options.detach && exec.config.AttachStdin === true;
    const process = await this.#run(exec, {
      tty,
      stdin,
      ...(size === undefined ? {} : { consoleSize: { height: size[0], width: size[1] } }),
    });
    if (options.detach) {
      void this.#drain(exec, process);
      return undefined;
    }
    exchange.onResize = (to) => process.resize(to);
    await exchange.reply({ tty });
    if (stdin) {
      const input = new GuestInput(true);
      input.begin(process.stdin);
      void input.forward(exchange.input());
    }
    const { AttachStdout = true, AttachStderr = true } = exec.config;
    await Promise.all([
      relay(process.stdout, AttachStdout ? exchange : undefined, FRAME_STDOUT),
      relay(process.stderr, AttachStderr ? exchange : undefined, FRAME_STDERR),
    ]);
    return this.#ended(exec, process);
  }

  /** Runs a program to its end without anybody attached. exitCode -1: killed when its time was over. */
  async probe(args: readonly string[], timeoutMs: number): Promise<{ exitCode: number; output: string }> {
    const process = await this.#container().start(await this.#processSpec({ Cmd: args }, { tty: false, stdin: false }));
    let late = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = () => {
      const begunAt = Date.now();
      timer = setTimeout(() => {
        // A timer that is far too late means that all of this process stood still (`pause`): the time starts again.
        late = Date.now() - begunAt <= timeoutMs + STILL_MS;
        if (!late) limit();
        else endNow(process);
      }, timeoutMs);
    };
    limit();
    const [exit, ...texts] = await Promise.all([process.wait(), textOf(process.stdout), textOf(process.stderr)]);
    clearTimeout(timer);
    if (late) return { exitCode: -1, output: `Health check exceeded timeout (${timeoutMs / 1000}s)` };
    return { exitCode: exit.exitCode, output: texts.join('').slice(0, MOST_OUTPUT_CHARS) };
  }

  async #run(exec: Exec, how: ProcessChoice): Promise<GuestProcess> {
    try {
      const process = await this.#container().start(await this.#processSpec(exec.config, how));
      exec.process = process;
      exec.running = true;
      return process;
    } catch (error) {
      exec.exitCode = isWctrError(error) ? ERROR_TABLE[error.code].exit : 126;
      throw error;
    }
  }

  async #drain(exec: Exec, process: GuestProcess): Promise<void> {
    await Promise.all([relay(process.stdout, undefined, 0), relay(process.stderr, undefined, 0)]);
    await this.#ended(exec, process);
  }

  async #ended(exec: Exec, process: GuestProcess): Promise<SandboxExit> {
    const exit = await process.wait();
    exec.running = false;
    exec.exitCode = exit.exitCode;
    this.#onEnd(exec.id, exit);
    return exit;
  }

  #find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (exec === undefined) throw new WctrError('not-found', `No such exec instance: ${id}`);
    return exec;
  }

  async #processSpec(config: ExecConfig, { tty, stdin, consoleSize }: ProcessChoice): Promise<ProcessSpec> {
    const { process, program, deterministic } = this.#spec;
    const { unknownImports } = program;
    return {
      args: config.Cmd,
      env: mergedEnv([...process.env, ...(tty ? ['TERM=xterm'] : [])], config.Env ?? []),
      cwd: config.WorkingDir || process.cwd,
      user: config.User ? await containerUser(this.#container().files, config.User) : process.user,
      terminal: tty,
      ...(consoleSize === undefined ? {} : { consoleSize }),
      program: { path: config.Cmd[0]!, ...(unknownImports === undefined ? {} : { unknownImports }) },
      stdin,
      ...(deterministic === undefined ? {} : { deterministic }),
    };
  }
}

interface ProcessChoice {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly consoleSize?: TerminalSize;
}

function mergedEnv(base: readonly string[], more: readonly string[]): string[] {
  const merged = new Map<string, string>();
  for (const entry of [...base, ...more]) {
    const equals = entry.indexOf('=');
    if (equals < 0) merged.delete(entry);
    else merged.set(entry.slice(0, equals), entry);
  }
  return [...merged.values()];
}

/** To the one attached while he is there; the guest writes on when he is not. */
async function relay(
  stream: ReadableStream<Uint8Array> | undefined,
  exchange: ControlExchange | undefined,
  kind: number,
): Promise<void> {
  if (stream === undefined) return;
  let listener = exchange;
  const reader = stream.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    if (listener !== undefined && !(await listener.output(kind, value))) listener = undefined;
  }
}

async function textOf(stream: ReadableStream<Uint8Array> | undefined): Promise<string> {
  if (stream === undefined) return '';
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text;
    if (text.length < MOST_OUTPUT_CHARS) text += decoder.decode(value, { stream: true });
  }
}

/** It may have ended by itself just before. */
function endNow(process: GuestProcess): void {
  try {
    process.signal('SIGKILL');
  } catch (error) {
    if (!isWctrError(error, 'conflict')) throw error;
  }
}
