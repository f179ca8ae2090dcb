/**
 * A `wctr daemon` of a test's own: its data root, socket and home, with the images `box` (many
 * tools) and `web` (a server on its first listening socket) of test/support/guests loaded.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guestLayout, WCTR } from './cli.ts';
import { removeTree } from './remove-tree.ts';

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestDaemon {
  readonly dir: string;
  readonly socket: string;
  readonly url: string;
  /** What a client must have in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  /** A line for `sh`. */
  shell(line: string, options?: { input?: string; timeoutMs?: number }): Promise<Answer>;
  /** Ends it as a service manager would, or as nobody would, and starts another over the same state. */
  restart(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

/** @param runtime what runs `wctr`: a program and its arguments; default, the Node of the tests. */
export async function startDaemon(
  args: readonly string[] = [],
  runtime: readonly string[] = [process.execPath],
): Promise<TestDaemon> {
  const [program, ...flags] = [...runtime, WCTR] as unknown as [string, ...string[]];
  const dir = mkdtempSync(join(tmpdir(), 'wctr-d-'));
  const socket = join(dir, 'd.sock');
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: dir,
    WCTR_DATA_ROOT: join(dir, 'store'),
    XDG_RUNTIME_DIR: dir,
    DOCKER_CONFIG: join(dir, 'docker'),
    DOCKER_HOST: `unix://${socket}`,
  };
  const run = (file: string, line: readonly string[], input = '', timeoutMs = 20_000, vars: object = env) =>
    new Promise<Answer>((resolve) => {
      const options = { env: vars as NodeJS.ProcessEnv, cwd: dir, maxBuffer: 64 << 20, timeout: timeoutMs };
      const child = execFile(file, line, options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 128, stdout, stderr });
      });
      child.stdin!.on('error', () => {});
      child.stdin!.end(input);
    });
  let child: ChildProcess;
  const start = async () => {
    child = spawn(program, [...flags, 'daemon', '-H', `unix://${socket}`, ...args], {
      env: { ...env, DOCKER_HOST: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on('data', (chunk) => {
        said += String(chunk);
        if (said.includes('listens on')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`wctr daemon ended with ${code}: ${said}`)));
    });
  };
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  for (const [guest, name] of [
    ['busybox', 'box'],
    ['web', 'web'],
  ] as const) {
    const layout = await guestLayout(dir, guest, `docker.io/library/${name}:latest`);
    const loaded = await run(program, [...flags, 'load', '-i', layout], '', 20_000, { ...env, DOCKER_HOST: '' });
    if (loaded.code !== 0) throw new Error(`wctr load: ${loaded.stderr}`);
  }
  await start();
  return {
    dir,
    socket,
    url: env.DOCKER_HOST,
    env,
    get pid() {
      return child.pid!;
    },
    shell: (line, { input = '', timeoutMs = 20_000 } = {}) => run('/bin/sh', ['-c', line], input, timeoutMs),
    restart: async (signal = 'SIGTERM') => {
      await end(signal);
      await start();
    },
    stop: async () => {
      // Containers go on without their daemon: end them first.
      const wctr = [program, ...flags].map((word) => `"${word}"`).join(' ');
      await run('/bin/sh', ['-c', `${wctr} rm -f $(${wctr} ps -aq)`]);
      await end('SIGTERM');
      removeTree(dir);
    },
  };
}
