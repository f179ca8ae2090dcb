/**
 * Starts container processes that outlive whoever starts them. On POSIX each has a guard for a parent: a shell that waits
 * for it, and when it ended by a signal has the record put right (`wctr __reconcile`). The guard knows neither descriptor
 * of the container's, so their ends mean what they say.
 *
 * ```
 * launcher --0: data root, id--> guard (sh) --child--> container process <--4: LaunchDocument, `go`-- launcher
 *                                                            +--3: LaunchReports--> launcher
 * ```
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { WctrError } from '../../errors.ts';
import { DIST } from '../../host/node/package-files.ts';
import type { BuildRunDocument, LaunchDocument, LaunchReport } from '../launch.ts';
import type { LaunchedProcess } from '../processes.ts';

/** In the background a command's input is /dev/null; 3 and 4 it inherits. */
function guardScript(shim: readonly string[], reconcile: readonly string[]): string {
  return `${shim.map(quoted).join(' ')} &
exec 3>&- 4<&-
IFS= read -r root && IFS= read -r id || exit 0
exec </dev/null
wait $!
[ $? -le 128 ] || exec ${reconcile.map(quoted).join(' ')} __reconcile "$root" "$id"`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** A machine that is this slow does not start it at all. */
const READY_WITHIN_MS = 60_000;

export class ShimProcess {
  readonly #child: ChildProcess;
  readonly #guard: Writable | undefined;
  readonly #orders: Writable;
  readonly #reports: Readable;
  #text = '';
  #queue: (LaunchReport | undefined)[] = [];
  #wake: () => void = () => {};

  /** @param codeRoot directory for compiled code. */
  constructor(codeRoot: string) {
    const shim = runtimeCommand('bin/shim.cjs', [codeRoot]);
    const isGuarded = process.platform !== 'win32';
    const [command, ...args] = isGuarded
      ? ['/bin/sh', '-c', guardScript(shim, runtimeCommand('bin/wctr-main.cjs', []))]
      : shim;
    this.#child = spawn(command!, args, {
      stdio: [isGuarded ? 'pipe' : 'ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
      env: keptEnvironment(),
      cwd: '/',
    });
    this.#guard = this.#child.stdin ?? undefined;
    this.#reports = this.#child.stdio[3] as Readable;
    this.#orders = this.#child.stdio[4] as Writable;
    for (const stream of [this.#guard, this.#reports, this.#orders]) stream?.on('error', () => {});
    this.#child.once('error', () => this.#push(undefined));
    this.#reports.on('data', (chunk: Uint8Array) => this.#read(new TextDecoder().decode(chunk)));
    this.#reports.once('close', () => this.#push(undefined));
    this.#reference('unref');
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Rejects as ContainerProcesses.launch. */
  launch(document: LaunchDocument): Promise<LaunchedProcess> {
    return this.#launch(document, `${document.root}\n${document.id}\n`, false);
  }

  /** There is no record to put right: the guard goes at once. */
  launchRun(document: BuildRunDocument): Promise<LaunchedProcess> {
    return this.#launch(document, '', true);
  }

  /** `holds`: the process ends when this one does, so its orders stay open. */
  async #launch(
    document: LaunchDocument | BuildRunDocument,
    guarded: string,
    holds: boolean,
  ): Promise<LaunchedProcess> {
    this.#reference('ref');
    this.#guard?.end(guarded);
    this.#orders.write(`${JSON.stringify(document)}\n`);
    const late = setTimeout(() => this.#push(undefined), READY_WITHIN_MS);
    const ready = await this.#next().finally(() => clearTimeout(late));
    if (ready.report !== 'ready') throw this.#failure(ready);
    return {
      pid: ready.pid,
      go: async () => {
        this.#orders.write('go\n');
        try {
          const report = await this.#next();
          if (report.report !== 'started') throw this.#failure(report);
        } finally {
          if (!holds) this.#let();
        }
      },
      abandon: () => this.#let(),
    };
  }

  /** Before it has work. */
  end(): void {
    this.#guard?.end();
    this.#let();
  }

  #let(): void {
    this.#orders.end();
    this.#reports.destroy();
    this.#reference('unref');
  }

  #failure(report: LaunchReport): WctrError {
    if (report.report !== 'failed') return new WctrError('internal', `a container process reported ${report.report}`);
    const { code, message, hint } = report.error;
    return new WctrError(code, message, hint === undefined ? {} : { hint });
  }

  async #next(): Promise<LaunchReport> {
    while (this.#queue.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const report = this.#queue[0];
    if (report === undefined) {
      this.#let();
      throw new WctrError('sandbox-failed', "the container's process ended before it could say why", {
        hint: 'see whether the machine is out of memory or processes',
      });
    }
    this.#queue.shift();
    return report;
  }

  #read(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop()!;
    for (const line of lines) this.#push(JSON.parse(line) as LaunchReport);
  }

  #push(report: LaunchReport | undefined): void {
    this.#queue.push(report);
    this.#wake();
  }

  #reference(how: 'ref' | 'unref'): void {
    this.#child[how]();
    for (const stream of [this.#guard, this.#reports, this.#orders]) {
      (stream as { ref?(): void; unref?(): void } | undefined)?.[how]?.();
    }
  }
}

/** How the runtime at hand runs a program of the package. */
function runtimeCommand(program: string, args: readonly string[]): string[] {
  const path = `${DIST}${program}`;
  const { execPath } = process;
  if ('Deno' in globalThis) {
    const flags = ['--quiet', '--no-prompt', '--no-config', '--no-lock', '--allow-all'];
    return [execPath, 'run', ...flags, path, ...args];
  }
  if (process.versions.bun) return [execPath, path, ...args];
  return [execPath, '--no-warnings', '--preserve-symlinks-main', path, ...args];
}

const KEPT = /^(SystemRoot|PATH|HOME|TMPDIR|XDG_RUNTIME_DIR|DENO_DIR|WCTR_\w+)$/;

/** What the runtime needs, and what says where things are; guests see none of it. */
function keptEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && KEPT.test(name)) env[name] = value;
  return env;
}
