/** Health checks: a program run in the container every so often, and what its exit codes make of the container. */
import type { Health, HealthConfig, HealthcheckResult } from '../spec/engine-api.ts';

export interface HealthPorts {
  /** Runs a program in the container; it is killed when `timeoutMs` are over: exitCode -1 then. */
  probe(args: readonly string[], timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Told after every probe. `changed`: the status is another one than before. */
  publish(health: Health, changed: boolean): Promise<void>;
}

const NS_PER_MS = 1e6;
const DEFAULTS = { intervalMs: 30_000, timeoutMs: 30_000, startIntervalMs: 5_000, retries: 3 };
const KEPT = 5;

/** The program of a check; undefined for none. */
export function healthCommand({ Test = [] }: HealthConfig): readonly string[] | undefined {
  const [kind, ...rest] = Test;
  if (kind === 'CMD' && rest.length > 0) return rest;
  if (kind === 'CMD-SHELL' && rest.length > 0) return ['/bin/sh', '-c', rest.join(' ')];
  return undefined;
}

export class HealthMonitor {
  readonly #config: HealthConfig;
  readonly #command: readonly string[];
  readonly #ports: HealthPorts;
  readonly #startedAt = Date.now();
  #health: Health = { Status: 'starting', FailingStreak: 0, Log: [] };
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(config: HealthConfig, command: readonly string[], ports: HealthPorts) {
    this.#config = config;
    this.#command = command;
    this.#ports = ports;
  }

  get health(): Health {
    return this.#health;
  }

  start(): void {
    this.#next();
  }

  /** A probe that runs ends with the container. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #next(): void {
    if (this.#stopped) return;
    const interval = this.#isStarting()
      ? milliseconds(this.#config.StartInterval, DEFAULTS.startIntervalMs)
      : milliseconds(this.#config.Interval, DEFAULTS.intervalMs);
    this.#timer = setTimeout(() => void this.#check().then(() => this.#next()), interval);
  }

  /** Within the start period failures do not count, until the first success. */
  #isStarting(): boolean {
    const period = milliseconds(this.#config.StartPeriod, 0);
    return this.#health.Status === 'starting' && Date.now() - this.#startedAt < period;
  }

  async #check(): Promise<void> {
    const timeoutMs = milliseconds(this.#config.Timeout, DEFAULTS.timeoutMs);
    const Start = new Date().toISOString();
    const { exitCode, output } = await this.#ports
      .probe(this.#command, timeoutMs)
      .catch((error: Error) => ({ exitCode: -1, output: error.message }));
    if (this.#stopped) return;
    const result = { Start, End: new Date().toISOString(), ExitCode: exitCode, Output: output };
    const before = this.#health.Status;
    this.#health = this.#judge(result);
    await this.#ports.publish(this.#health, this.#health.Status !== before).catch(() => {});
  }

  #judge(result: HealthcheckResult): Health {
    const Log = [...this.#health.Log, result].slice(-KEPT);
    if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
    if (this.#isStarting()) return { ...this.#health, Log };
    const FailingStreak = this.#health.FailingStreak + 1;
    const retries = this.#config.Retries || DEFAULTS.retries;
    return { Status: FailingStreak >= retries ? 'unhealthy' : this.#health.Status, FailingStreak, Log };
  }
}

/** Docker's zero means "as usual". */
function milliseconds(nanoseconds: number | undefined, usual: number): number {
  // Clients send null where they mean nothing.
  return nanoseconds ? Math.max(1, nanoseconds / NS_PER_MS) : usual;
}
