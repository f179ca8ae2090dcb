/**
 * One child process that will run, runs or ran one guest. It is started before it is needed (its boot takes most of the
 * time), told what to run by one frame, and answers with one frame; how it ends tells the rest.
 */
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Duplex, Readable, Writable } from 'node:stream';
import { WctrError } from '../../errors.ts';
import { decodeJson, encodeFrame, FrameReader } from '../frames.ts';
import { DIST } from '../node/package-files.ts';
import type { SandboxExit, SandboxSpec } from '../sandbox.ts';
import { encodeSpec, FRAME_EXIT, FRAME_READY, FRAME_SPEC } from './frames.ts';

/** What the child's first three descriptors are. The caller's own, or pipes. */
export type ChildStdio = SandboxSpec['stdio'];

export const INHERIT: ChildStdio = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' };

/** How a child ended: by its own report, or by what the operating system says. */
export interface ChildEnd {
  readonly report?: SandboxExit;
  readonly code: number | null;
  readonly signal: string | null;
}

export class ContainerProcess {
  readonly stdio: ChildStdio;
  /** Resolves when the child has its spec: from here on time is the guest's. */
  readonly ready: Promise<void>;
  /** Resolves at the report or, without one, when the process is gone. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #started: Promise<void>;
  #gone = false;
  #assigned = false;

  constructor(stdio: ChildStdio) {
    this.stdio = stdio;
    const { command, args, env } = childCommand();
    const options: StdioOptions = [stdio.stdin === 'null' ? 'ignore' : stdio.stdin, stdio.stdout, stdio.stderr, 'pipe'];
    this.#child = spawn(command, args, { stdio: options, env });
    this.#channel = this.#child.stdio[3] as Duplex;
    this.#started = new Promise((resolve, reject) => {
      this.#child.once('spawn', resolve);
      this.#child.once('error', (cause) => {
        reject(new WctrError('sandbox-failed', `cannot start a container process: ${cause.message}`, { cause }));
      });
    });
    this.#started.catch(() => {});
    let isReady: () => void = () => {};
    this.ready = new Promise((resolve) => {
      isReady = resolve;
    });
    this.ended = new Promise((resolve) => {
      const frames = new FrameReader();
      this.#channel.on('data', (chunk: Uint8Array) => {
        for (const frame of frames.push(chunk)) {
          if (frame.kind === FRAME_READY) isReady();
          if (frame.kind === FRAME_EXIT) resolve({ report: decodeJson(frame.payload), code: 0, signal: null });
        }
      });
      this.#channel.on('error', () => {});
      const drained = new Promise<void>((done) => this.#channel.once('close', done));
      this.#child.once('error', () => {
        this.#gone = true;
        resolve({ code: 1, signal: null });
      });
      this.#child.once('exit', (code, signal) => {
        this.#gone = true;
        // A report may still be in the channel.
        drained.then(() => resolve({ code, signal }));
      });
    });
    // Until it has work it must not keep its parent from ending; it ends itself when the channel closes.
    this.#reference('unref');
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isGone(): boolean {
    return this.#gone || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get isIdle(): boolean {
    return !this.#assigned && !this.isGone && this.pid !== undefined;
  }

  get stdin(): Writable | null {
    return this.#child.stdin;
  }

  get stdout(): Readable | null {
    return this.#child.stdout;
  }

  get stderr(): Readable | null {
    return this.#child.stderr;
  }

  /** Called back once the operating system has taken the process away. */
  onGone(callback: () => void): void {
    if (this.#gone) callback();
    else this.#child.once('exit', callback);
  }

  /** Throws 'sandbox-failed' when the process could not be started, 'unsupported' for a spec that cannot travel. */
  async run(spec: SandboxSpec): Promise<void> {
    const frame = encodeFrame(FRAME_SPEC, encodeSpec(spec));
    this.#assigned = true;
    this.#reference('ref');
    this.#channel.write(frame);
    await this.#started;
  }

  /** False when it is gone already. */
  kill(signal: NodeJS.Signals): boolean {
    return this.#child.kill(signal);
  }

  #reference(how: 'ref' | 'unref'): void {
    this.#child[how]();
    for (const stream of [this.#channel, this.#child.stdin, this.#child.stdout, this.#child.stderr]) {
      (stream as { ref?(): void; unref?(): void } | null)?.[how]?.();
    }
  }
}

/** The child's program and how the runtime at hand is started with it. Its environment is empty but for needs of the runtime. */
function childCommand(): { command: string; args: string[]; env: Record<string, string> } {
  const program = childProgram();
  const env: Record<string, string> = {};
  // Windows loads its socket library from there; Deno and Bun keep caches under HOME.
  for (const name of ['SystemRoot', ...('Deno' in globalThis || process.versions.bun ? ['HOME', 'DENO_DIR'] : [])]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  if ('Deno' in globalThis) {
    // Mounts go through /proc/self/fd, which Deno gives to --allow-all alone.
    return {
      command: process.execPath,
      args: ['run', '--quiet', '--no-prompt', '--no-config', '--no-lock', '--allow-all', program],
      env,
    };
  }
  if (process.versions.bun) return { command: process.execPath, args: [program], env };
  return { command: process.execPath, args: ['--no-warnings', '--preserve-symlinks-main', program], env };
}

/** The bundled program starts faster; the plain one is what `tsc` leaves. */
function childProgram(): string {
  const bundle = `${DIST}bin/container.cjs`;
  return existsSync(bundle) ? bundle : `${DIST}host/process/child.js`;
}
