/**
 * RUNs in processes of their own, as containers have them, but in no record: `ps` and `events` know none of them, and
 * nothing of theirs has a name that could clash. Each ends when this process does, since the system closes its orders.
 */
import type { RunSpace, RunSpaceRequest, RunSpaces } from '../build/run/space.ts';
import type { ControlRequest } from '../containers/control/protocol.ts';
import type { LaunchedProcess } from '../containers/processes.ts';
import { WctrError } from '../errors.ts';
import type { SandboxExit } from '../host/sandbox.ts';
import type { ContainerContext } from './container-context.ts';
import { ControlledFiles } from './controlled-files.ts';
import { RunPlaces } from './run-places.ts';
import { pause } from './timing.ts';

/** A process that was killed is gone when the system has let go of its memory. */
const GONE_WITHIN_MS = 5_000;
const POLL_MS = 3;

export class RunProcesses implements RunSpaces {
  readonly #context: ContainerContext;
  readonly #places: RunPlaces;

  constructor(context: ContainerContext) {
    this.#context = context;
    this.#places = new RunPlaces(context);
  }

  async open({ spec, network, extraHosts, expectsMore, signal }: RunSpaceRequest): Promise<RunSpace> {
    await this.#places.sweep();
    const place = await this.#places.take({ id: spec.id, hostname: spec.hostname, network, extraHosts });
    const { socket, plan, names } = place;
    let process: (LaunchedProcess & { readonly startedAt?: string }) | undefined;
    let closed: Promise<void> | undefined;
    const close = () => {
      closed ??= this.#end(process).then(() => this.#places.give(place));
      return closed;
    };
    try {
      const processes = await this.#context.processes();
      const launched = await processes.launchRun({
        kind: 'build-run',
        spec: { ...spec, names },
        controlSocket: socket,
        network: plan,
      });
      const startedAt = this.#context.parts.host.processStart?.(launched.pid);
      process = { ...launched, ...(startedAt === undefined ? {} : { startedAt }) };
      if (signal?.aborted === true) throw new WctrError('cancelled', 'cancelled', { cause: signal.reason });
      if (expectsMore === true) processes.prepare();
      const connect = (request: ControlRequest) => processes.connect(socket, request);
      return {
        files: new ControlledFiles(connect),
        run: (onOutput) => runIn(connect, launched, onOutput),
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** It has nothing to put in order: what it had outside of its memory is given back here. */
  async #end(process: (LaunchedProcess & { readonly startedAt?: string }) | undefined): Promise<void> {
    if (process === undefined) return;
    const { pid, startedAt } = process;
    const { isAlive } = this.#context.parts.host;
    try {
      if (isAlive(pid, startedAt)) this.#context.host.signal(pid, 'SIGKILL');
    } catch {
      // It has just gone by itself.
    }
    process.abandon();
    const until = Date.now() + GONE_WITHIN_MS;
    while (isAlive(pid, startedAt) && Date.now() < until) await pause(POLL_MS);
  }
}

async function runIn(
  connect: (request: ControlRequest) => ReturnType<ControlledRun>,
  process: LaunchedProcess,
  onOutput: (stream: 1 | 2, data: Uint8Array) => void,
): Promise<SandboxExit> {
  const session = await connect({ op: 'attach', stdin: false, stdout: true, stderr: true });
  try {
    const outputs = Promise.all([
      drain(session.stdout, (data) => onOutput(1, data)),
      drain(session.stderr, (data) => onOutput(2, data)),
    ]);
    // Told below, unless the program did not even start.
    outputs.catch(() => {});
    await process.go();
    await outputs;
    return (await session.end) as SandboxExit;
  } finally {
    session.close();
  }
}

type ControlledRun = Awaited<ReturnType<ContainerContext['processes']>>['connect'];

async function drain(stream: ReadableStream<Uint8Array>, take: (data: Uint8Array) => void): Promise<void> {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}
