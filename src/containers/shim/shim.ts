/**
 * A managed container's own process: it opens the container, runs its program as often as the restart policy wants, and
 * serves its control socket all the while. The record on disk is written before anybody is told, so what a caller heard
 * is what the next command reads.
 *
 * ```
 * waiting --go--> running --guest ends--> restarting --back-off--> running
 *    |               |                        |
 *    +---------------+------------------------+--> ended (record says exited, or is gone with AutoRemove)
 * ```
 */
import { ERROR_TABLE, isWctrError, WctrError } from '../../errors.ts';
import type { GuestProcess, HostContainer } from '../../host/container/container.ts';
import type { ContainerNetwork, NetworkPlan } from '../../host/network/port.ts';
import type { SandboxExit } from '../../host/sandbox.ts';
import { parentOf } from '../../images/store/durable.ts';
import type { Resources, RestartPolicy } from '../../spec/engine-api.ts';
import { checkpointsIn } from '../checkpoint/names.ts';
import { described, serveControl, type TerminalSize } from '../control/server.ts';
import { HealthMonitor, healthCommand } from '../health.ts';
import type { LaunchDocument } from '../launch.ts';
import { type SandboxLimits, sandboxLimits } from '../limits.ts';
import { logAttributes, needsAttributes } from '../logs/attributes.ts';
import { createLogDriver, type LogDriver } from '../logs/driver.ts';
import type { ContainerRecord } from '../record.ts';
import { removeContainer } from '../removal.ts';
import { nextBackOff, shouldRestart } from '../restart.ts';
import { Execs } from './execs.ts';
import { GuestInput } from './input.ts';
import { OutputHub } from './output.ts';
import type { ShimHost } from './ports.ts';
import { answer } from './requests.ts';
import { MemoryWatchdog } from './watchdog.ts';

const GO_WITHIN_MS = 60_000;
/** For what the guest left in its rings, and for callers to take their last answer. */
const LAST_WORDS_MS = 5_000;
const EXIT_TIMED_OUT = 124;

interface Run {
  readonly container: HostContainer;
  readonly init: GuestProcess;
  readonly startedMs: number;
  readonly pumps: Promise<unknown>;
  readonly health: HealthMonitor | undefined;
  readonly timeout: ReturnType<typeof setTimeout> | undefined;
}

export class ContainerShim {
  readonly output = new OutputHub();
  readonly input: GuestInput;
  readonly execs: Execs;
  readonly isTerminal: boolean;
  readonly #document: LaunchDocument;
  readonly #host: ShimHost;
  readonly #watchdog: MemoryWatchdog;
  readonly #open = new Set<Promise<unknown>>();
  readonly #go = deferred<boolean>();
  #exit = deferred<SandboxExit>();
  #final = deferred<SandboxExit>();
  #run: Run | undefined;
  #network: ContainerNetwork | undefined;
  #log: LogDriver | undefined;
  #size: TerminalSize | undefined;
  #policy: RestartPolicy;
  /** What `update` changed. */
  #limits: SandboxLimits = {};
  /** How a guest ends that this process ends. */
  #verdict: SandboxExit | undefined;
  #stopped = false;
  #stopsNext = false;
  /** Whoever stopped it starts it again. */
  #stays = false;
  /** For the next run. */
  #checkpoint: string | undefined;
  #cancelBackOff: () => void = () => {};

  constructor(document: LaunchDocument, host: ShimHost) {
    const { spec } = document;
    this.#document = document;
    this.#host = host;
    this.#policy = document.restartPolicy;
    this.#checkpoint = document.checkpoint;
    this.isTerminal = spec.process.terminal;
    this.input = new GuestInput(document.stdinOnce && !this.isTerminal);
    this.execs = new Execs(
      spec,
      () => this.container,
      (id, exit) => void this.#event('exec_die', { execID: id, exitCode: String(exit.exitCode) }),
    );
    this.#watchdog = new MemoryWatchdog(host.residentBytes, (limitBytes) => {
      const reason = `out of memory: the container held more than ${Math.round(limitBytes / 1048576)} MiB`;
      this.#end({ exitCode: 137, signal: 'SIGKILL', oomKilled: true, reason });
    });
  }

  /** The whole life. Resolves when nothing of it is left; the process can go then. */
  async live(): Promise<void> {
    const host = this.#host;
    const server = await host.sockets.listen(this.#document.controlSocket, (channel) => {
      const done: Promise<unknown> = serveControl(channel, (exchange) => answer(this, exchange))
        .catch(() => channel.destroy())
        .then(() => this.#open.delete(done));
      this.#open.add(done);
    });
    host.report({ report: 'ready', pid: host.pid });
    const late = setTimeout(() => this.abandon(), GO_WITHIN_MS);
    const isGo = await this.#go.promise;
    clearTimeout(late);
    if (isGo && (await this.#start())) await this.#untilEnded();
    await this.#network?.close().catch(() => {});
    await server.close();
    await Promise.race([Promise.all(this.#open), pause(LAST_WORDS_MS)]);
  }

  go(): void {
    this.#go.resolve(true);
  }

  /** Nobody wants it started any more. Without effect after `go`. */
  abandon(): void {
    this.#go.resolve(false);
  }

  /** Throws 'conflict' when no guest runs. */
  get container(): HostContainer {
    return this.#running().container;
  }

  /** At the next end of the guest; the record has it by then. */
  get nextExit(): Promise<SandboxExit> {
    return this.#exit.promise;
  }

  resize(size: TerminalSize): void {
    this.#size = size;
    this.#run?.init.resize(size);
  }

  signal(name: string): void {
    const isStop = name === 'SIGKILL' || name === this.#document.stopSignal;
    if (isStop && this.#run === undefined) this.#cancelBackOff();
    else this.#running().init.signal(name);
    // A signal that is to end it is no reason to restart it.
    this.#stopsNext ||= isStop;
  }

  /** Resolves when it has ended. A negative timeout waits for ever. */
  async stop(signal: string, timeoutMs: number, restarts = false): Promise<SandboxExit> {
    this.#stopped = true;
    this.#stays ||= restarts;
    this.#cancelBackOff();
    const run = this.#run;
    if (run !== undefined) {
      signalIfThere(run.init, signal);
      const timer = timeoutMs < 0 ? undefined : setTimeout(() => this.#kill(run), timeoutMs);
      await this.#exit.promise;
      clearTimeout(timer);
    }
    return this.#final.promise;
  }

  /** Into `path`, a file of the host's; ended by it, it is not restarted. */
  async freeze(path: string, leaveRunning: boolean): Promise<void> {
    const { container, init } = this.#running();
    const others = container.processes.length - 1;
    if (others > 0) {
      throw new WctrError(
        'unsupported',
        `the container has ${others} other processes, which cannot be frozen with it`,
        {
          hint: 'wait for its execs and the programs it started to end',
        },
      );
    }
    const wasEnding = this.#stopsNext;
    this.#stopsNext ||= !leaveRunning;
    try {
      await this.#host.fs.rename(await init.freeze(leaveRunning), path);
    } catch (error) {
      this.#stopsNext = wasEnding;
      throw error;
    }
  }

  /** Gives what counts from the next start only. */
  update(resources: Resources, restartPolicy: RestartPolicy | undefined): readonly ('memoryBytes' | 'cpus')[] {
    if (restartPolicy !== undefined) this.#policy = restartPolicy;
    const limits = sandboxLimits(resources);
    this.#limits = { ...this.#limits, ...limits };
    if (this.#run === undefined) return [];
    if (limits.memoryBytes !== undefined) this.#watchdog.start(limits.memoryBytes);
    return this.#run.container.update(limits);
  }

  async updateNetwork(plan: NetworkPlan): Promise<void> {
    if (this.#network === undefined) throw new WctrError('unsupported', 'this container has no network to change');
    await this.#network.update(plan);
    await this.#change((record) => ({ ...record, ports: this.#network?.ports ?? {} }));
  }

  networkStats() {
    return this.#network?.stats() ?? {};
  }

  #running(): Run {
    if (this.#run !== undefined) return this.#run;
    const { id } = this.#document;
    throw new WctrError('conflict', `container ${id} is not running`, { hint: 'start it first' });
  }

  /** False when it could not be started; that is recorded and reported. */
  async #start(): Promise<boolean> {
    try {
      const { network } = this.#document;
      this.#network = await this.#host.openNetwork?.(network);
      await this.#startGuest();
    } catch (error) {
      await this.#startFailed(error);
      return false;
    }
    this.#host.report({ report: 'started' });
    return true;
  }

  async #startGuest(): Promise<void> {
    const { spec, journal, openStdin, health, freeze } = this.#document;
    const { process, deterministic } = spec;
    const checkpoint = this.#checkpoint;
    this.#checkpoint = undefined;
    const program = checkpoint === undefined ? spec.program : { ...spec.program, resume: { at: { path: checkpoint } } };
    const size = this.#size ?? process.consoleSize;
    const network = this.#network;
    await this.#host.fs.mkdir(parentOf(journal), { recursive: true, mode: 0o700 });
    const limited = { ...spec, resources: { ...spec.resources, ...this.#limits } };
    const container = await this.#host.guests.open(limited, {
      journal: { path: journal },
      checkpoints: checkpointsIn(parentOf(journal)),
      ...(network === undefined ? {} : { network }),
    });
    try {
      this.output.reset();
      this.#log ??= await this.#openLog();
      const init = await container.start({
        ...process,
        ...(size === undefined ? {} : { consoleSize: size }),
        program,
        stdin: openStdin,
        ...(deterministic === undefined ? {} : { deterministic }),
        ...(freeze === undefined ? {} : { freeze }),
      });
      const startedMs = Date.now();
      const command = health === undefined ? undefined : healthCommand(health);
      const monitor = command === undefined ? undefined : new HealthMonitor(health!, command, this.#healthPorts());
      this.#verdict = undefined;
      this.#stopsNext = false;
      this.#run = {
        container,
        init,
        startedMs,
        // Read from the first byte on, so that what is attached misses nothing and the guest never waits for a start.
        pumps: Promise.all([
          this.output.pump('stdout', init.stdout, this.#log),
          init.stderr === undefined ? undefined : this.output.pump('stderr', init.stderr, this.#log),
        ]),
        health: monitor,
        timeout: this.#limitTime(),
      };
      this.input.begin(init.stdin);
      // Told while it was being started.
      if (this.#stopped) this.#kill(this.#run);
      this.#watchdog.start(limited.resources.memoryBytes);
    } catch (error) {
      await container.close().catch(() => {});
      throw error;
    }
    const { pid, pidStartedAt } = this.#host;
    const monitor = this.#run.health;
    const record = await this.#change((before) => ({
      ...before,
      ports: network?.ports ?? {},
      state: {
        status: 'running',
        pid,
        ...(pidStartedAt === undefined ? {} : { pidStartedAt }),
        startedAt: new Date(this.#run?.startedMs ?? Date.now()).toISOString(),
        ...(before.state.finishedAt === undefined ? {} : { finishedAt: before.state.finishedAt }),
        ...(monitor === undefined ? {} : { health: monitor.health }),
      },
    }));
    if (record !== undefined) await this.#host.events.container(record, 'start');
    monitor?.start();
  }

  async #openLog(): Promise<LogDriver | undefined> {
    const { log, id } = this.#document;
    const { fs, now, records } = this.#host;
    const record = needsAttributes(log) ? await records.get(id) : undefined;
    const attributes = record === undefined ? {} : logAttributes(log, record);
    return createLogDriver({ fs, path: log.path, log, now, attributes });
  }

  #limitTime(): ReturnType<typeof setTimeout> | undefined {
    const { timeoutMs } = this.#document.spec.resources;
    if (timeoutMs === undefined) return undefined;
    const reason = `timed out after ${timeoutMs} ms`;
    return setTimeout(() => this.#end({ exitCode: EXIT_TIMED_OUT, oomKilled: false, reason }), timeoutMs);
  }

  async #untilEnded(): Promise<void> {
    let backOffMs = 0;
    for (;;) {
      const { exit, ranMs } = await this.#guestEnded();
      const record = await this.#host.records.get(this.#document.id).catch(() => undefined);
      // What was asked meanwhile (`update`, `stop`) is in the record.
      const policy = record?.hostConfig.RestartPolicy ?? this.#policy;
      const isOnce = this.#document.freeze !== undefined;
      const isStopped = isOnce || this.#stopped || this.#stopsNext || record === undefined || record.stoppedByUser;
      const restarting = shouldRestart(policy, exit.exitCode, record?.restartCount ?? 0, isStopped);
      await this.#recordExit(exit, ranMs, restarting);
      if (!restarting) return this.#settle(exit);
      backOffMs = nextBackOff(backOffMs, ranMs);
      this.#answerWaiters(exit);
      try {
        if (!(await this.#backOff(backOffMs))) {
          await this.#change((before) => exited(before, exit, before.state.finishedAt));
          return this.#settle(exit);
        }
        await this.#startGuest();
      } catch (error) {
        const failed = failedExit(error);
        await this.#change((before) => ({
          ...exited(before, failed, new Date().toISOString(), described(error).message),
        }));
        return this.#settle(failed);
      }
    }
  }

  /** Everything the guest wrote is in the log, and its writable layer on disk, when this resolves. */
  async #guestEnded(): Promise<{ exit: SandboxExit; ranMs: number }> {
    const { init, container, pumps, health, timeout, startedMs } = this.#running();
    const ended = await init.wait();
    const exit = this.#verdict ?? ended;
    const ranMs = Date.now() - startedMs;
    clearTimeout(timeout);
    health?.stop();
    this.#watchdog.stop();
    this.#run = undefined;
    this.input.finish();
    this.output.hurry();
    await Promise.race([pumps, pause(LAST_WORDS_MS)]);
    let failure: string | undefined;
    await container.close().catch((error: Error) => {
      failure = `the writable layer could not be written: ${error.message}`;
    });
    await this.#log?.close();
    return { exit: failure === undefined ? exit : { ...exit, reason: exit.reason ?? failure }, ranMs };
  }

  async #recordExit(exit: SandboxExit, ranMs: number, restarting: boolean): Promise<void> {
    const { pid, pidStartedAt, events } = this.#host;
    const finishedAt = new Date().toISOString();
    const record = await this.#change((before) => {
      const after = exited(before, exit, finishedAt);
      if (!restarting) return after;
      const process = { pid, ...(pidStartedAt === undefined ? {} : { pidStartedAt }) };
      const state = { ...after.state, ...process, status: 'restarting' as const };
      return { ...after, restartCount: before.restartCount + 1, state };
    });
    if (record === undefined) return;
    if (exit.oomKilled) await events.container(record, 'oom');
    await events.container(record, 'die', {
      exitCode: String(exit.exitCode),
      execDuration: String(Math.round(ranMs / 1000)),
    });
    if (!restarting) await this.#removeIfWanted(record);
  }

  async #removeIfWanted(record: ContainerRecord): Promise<void> {
    if (record.hostConfig.AutoRemove !== true || this.#stays) return;
    const { records, removeVolume, events } = this.#host;
    await removeContainer(record, { records, ...(removeVolume === undefined ? {} : { removeVolume }) }).catch(() => {});
    await events.container(record, 'destroy');
  }

  async #startFailed(error: unknown): Promise<void> {
    const exit = failedExit(error);
    const record = await this.#change((before) => ({
      ...before,
      ports: {},
      state: {
        ...before.state,
        // As docker has it: one that never ran stays `created`.
        status: before.state.startedAt === undefined ? 'created' : 'exited',
        exit,
        error: described(error).message,
      },
    })).catch(() => undefined);
    if (record !== undefined) await this.#removeIfWanted(record);
    this.#settle(exit);
    this.#host.report({ report: 'failed', error: described(error) });
  }

  /** False when it was stopped meanwhile. */
  async #backOff(ms: number): Promise<boolean> {
    if (this.#stopped) return false;
    const wait = deferred<boolean>();
    const timer = setTimeout(() => wait.resolve(true), ms);
    this.#cancelBackOff = () => wait.resolve(false);
    const isOver = await wait.promise;
    clearTimeout(timer);
    this.#cancelBackOff = () => {};
    return isOver;
  }

  #answerWaiters(exit: SandboxExit): void {
    const { resolve } = this.#exit;
    this.#exit = deferred();
    resolve(exit);
  }

  #settle(exit: SandboxExit): void {
    this.#exit.resolve(exit);
    this.#final.resolve(exit);
  }

  #end(exit: SandboxExit): void {
    if (this.#run === undefined) return;
    this.#verdict ??= exit;
    this.#kill(this.#run);
  }

  #kill({ init, container }: Run): void {
    for (const process of new Set([init, ...container.processes])) signalIfThere(process, 'SIGKILL');
  }

  #healthPorts() {
    return {
      probe: (args: readonly string[], timeoutMs: number) => this.execs.probe(args, timeoutMs),
      publish: async (health: HealthMonitor['health'], changed: boolean) => {
        const record = await this.#change((before) =>
          before.state.status === 'running' ? { ...before, state: { ...before.state, health } } : undefined,
        );
        if (changed && record !== undefined) {
          await this.#host.events.container(record, `health_status: ${health.Status}`);
        }
      },
    };
  }

  async #event(action: string, attributes: Readonly<Record<string, string>>): Promise<void> {
    const record = await this.#host.records.get(this.#document.id).catch(() => undefined);
    if (record !== undefined) await this.#host.events.container(record, action, attributes);
  }

  #change(change: (record: ContainerRecord) => ContainerRecord | undefined): Promise<ContainerRecord | undefined> {
    return this.#host.records.change(this.#document.id, change);
  }
}

/** One that has ended meanwhile needs no signal, and its container's process must not fall over it. */
function signalIfThere(process: GuestProcess, signal: string): void {
  try {
    process.signal(signal);
  } catch (error) {
    if (!isWctrError(error, 'conflict')) throw error;
  }
}

function exited(before: ContainerRecord, exit: SandboxExit, finishedAt?: string, error?: string): ContainerRecord {
  const { startedAt, health } = before.state;
  return {
    ...before,
    ports: {},
    state: {
      status: 'exited',
      exit,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(finishedAt === undefined ? {} : { finishedAt }),
      ...(health === undefined ? {} : { health }),
      ...(error === undefined ? {} : { error }),
    },
  };
}

function failedExit(error: unknown): SandboxExit {
  const code = isWctrError(error) ? error.code : 'internal';
  return { exitCode: ERROR_TABLE[code].exit, oomKilled: false, reason: described(error).message, errorCode: code };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    (setTimeout(resolve, ms) as { unref?(): void }).unref?.();
  });
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
