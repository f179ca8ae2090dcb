/**
 * The process of a RUN: a container that is in no record. It is open before its program runs, so that its mounts can be
 * filled, and after it, so that its files can be read; then, or when its builder is gone, nothing of it is left.
 */
import { isWctrError, WctrError } from '../../errors.ts';
import type { GuestProcess, HostContainer } from '../../host/container/container.ts';
import type { ContainerNetwork } from '../../host/network/port.ts';
import type { SandboxExit } from '../../host/sandbox.ts';
import { FRAME_STDERR, FRAME_STDOUT } from '../control/protocol.ts';
import { type ControlExchange, described, serveControl } from '../control/server.ts';
import type { BuildRunDocument } from '../launch.ts';
import { OutputHub } from './output.ts';
import type { ShimHost } from './ports.ts';
import { send, unknown } from './requests.ts';
import { MemoryWatchdog } from './watchdog.ts';

/** For what the program left in its rings. */
const LAST_WORDS_MS = 5_000;
const STOPS_WITHIN_MS = 1_000;

export type BuildRunHost = Pick<ShimHost, 'guests' | 'sockets' | 'openNetwork' | 'residentBytes' | 'pid' | 'report'>;

export class BuildRun {
  readonly #document: BuildRunDocument;
  readonly #host: BuildRunHost;
  readonly #output = new OutputHub();
  readonly #watchdog: MemoryWatchdog;
  readonly #ended = deferred<SandboxExit>();
  readonly #left = deferred<void>();
  #container: HostContainer | undefined;
  #network: ContainerNetwork | undefined;
  #verdict: SandboxExit | undefined;

  constructor(document: BuildRunDocument, host: BuildRunHost) {
    this.#document = document;
    this.#host = host;
    this.#watchdog = new MemoryWatchdog(host.residentBytes, (limitBytes) => {
      const reason = `out of memory: the program held more than ${Math.round(limitBytes / 1048576)} MiB`;
      this.#verdict ??= { exitCode: 137, signal: 'SIGKILL', oomKilled: true, reason };
      for (const process of this.#container?.processes ?? []) kill(process);
    });
  }

  /** The whole life: until `leave`. Rejects when it cannot be opened. */
  async live(): Promise<void> {
    const { controlSocket, network, spec } = this.#document;
    const server = await this.#host.sockets.listen(controlSocket, (channel) => {
      serveControl(channel, (exchange) => this.#answer(exchange)).catch(() => channel.destroy());
    });
    try {
      this.#network = await this.#host.openNetwork?.(network);
      const joined = this.#network === undefined ? {} : { network: this.#network };
      this.#container = await this.#host.guests.open(spec, joined);
      this.#host.report({ report: 'ready', pid: this.#host.pid });
      await this.#left.promise;
    } finally {
      this.#watchdog.stop();
      await server.close();
      // Not every engine stops a thread that computes: that ends with its process.
      const stopped = this.#container?.close().catch(() => {});
      await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, STOPS_WITHIN_MS))]);
      await this.#network?.close().catch(() => {});
    }
  }

  /** Nobody wants it any more. */
  leave(): void {
    this.#left.resolve();
  }

  /** Starts the program and reports how that went. */
  async go(): Promise<void> {
    const { process, program, deterministic, clockStart, resources } = this.#document.spec;
    try {
      const container = this.#opened();
      const init = await container.start({
        ...process,
        program,
        stdin: false,
        ...(deterministic === undefined ? {} : { deterministic }),
        ...(clockStart === undefined ? {} : { clockStart }),
      });
      this.#watchdog.start(resources.memoryBytes);
      const pumps = Promise.all([
        this.#output.pump('stdout', init.stdout, undefined),
        init.stderr === undefined ? undefined : this.#output.pump('stderr', init.stderr, undefined),
      ]);
      void this.#end(init, pumps);
      this.#host.report({ report: 'started' });
    } catch (error) {
      this.#host.report({ report: 'failed', error: described(error) });
    }
  }

  async #end(init: GuestProcess, pumps: Promise<unknown>): Promise<void> {
    const exit = await init.wait();
    this.#watchdog.stop();
    // What it started and left behind ends with it, as everything in a container does with its first process.
    const others = this.#opened().processes;
    for (const process of others) kill(process);
    await Promise.all(others.map((process) => process.wait()));
    this.#output.hurry();
    await Promise.race([pumps, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
    this.#ended.resolve(this.#verdict ?? exit);
  }

  async #answer(exchange: ControlExchange): Promise<unknown> {
    const { request } = exchange;
    switch (request.op) {
      case 'attach':
        return this.#attach(exchange);
      case 'files.layer':
        return send(exchange, this.#opened().files.layer(request.except));
      case 'files.get':
        return send(exchange, this.#opened().files.archive(request.path));
      case 'files.put':
        return fill(exchange, (data) =>
          this.#opened().files.extract(request.path, data, { copyUidGid: request.copyUidGid }),
        );
      case 'files.write':
        return fill(exchange, (data) => this.#opened().files.write(request.path, data, request));
      case 'files.seal':
        return this.#opened().files.seal(request.path);
      default:
        throw unknown(request);
    }
  }

  /** Before `go`: whoever attaches misses nothing. */
  async #attach(exchange: ControlExchange): Promise<SandboxExit | undefined> {
    const listener = {
      stdout: true,
      stderr: true,
      write: (name: 'stdout' | 'stderr', bytes: Uint8Array) =>
        exchange.output(name === 'stdout' ? FRAME_STDOUT : FRAME_STDERR, bytes),
    };
    this.#output.add(listener);
    try {
      await exchange.reply();
      return (await Promise.race([this.#ended.promise, exchange.gone])) ?? undefined;
    } finally {
      this.#output.remove(listener);
    }
  }

  #opened(): HostContainer {
    if (this.#container === undefined) throw new WctrError('conflict', 'the container is not open');
    return this.#container;
  }
}

async function fill(
  exchange: ControlExchange,
  into: (data: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  await exchange.reply();
  await into(exchange.input());
}

/** One that has ended meanwhile needs no signal. */
function kill(process: GuestProcess): void {
  try {
    process.signal('SIGKILL');
  } catch (error) {
    if (!isWctrError(error, 'conflict')) throw error;
  }
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
