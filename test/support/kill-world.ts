/**
 * A store, a daemon and the real programs for tests that kill -9 them: runs commands, finds the processes that belong to
 * the store, and tells what is left of it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxLayout, WCTR } from './cli.ts';
import { peer } from './peers.ts';
import { removeTree } from './remove-tree.ts';

export interface Ended {
  /** Undefined: by a signal. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** It did not end in time, and was killed for it. */
  readonly late: boolean;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Of the store's own processes. */
export interface OwnProcess {
  readonly pid: number;
  readonly parent: number;
  readonly kind: 'shim' | 'guard' | 'daemon' | 'other';
  readonly command: string;
}

/** What the record on disk says. */
export interface DiskRecord {
  readonly key: string;
  readonly name: string;
  readonly managed: boolean;
  readonly stoppedByUser: boolean;
  readonly hostConfig: { readonly AutoRemove?: boolean; readonly RestartPolicy?: { readonly Name: string } };
  readonly state: {
    readonly status: string;
    readonly pid?: number;
    readonly exit?: { readonly exitCode: number };
    readonly error?: string;
  };
}

export interface DaemonCalls {
  /** GET of the daemon's API. */
  get(path: string): Promise<unknown>;
  /** The answer's bytes. Rejects unless it is one of success. */
  call(method: string, path: string, body?: object): Promise<Buffer>;
}

export interface KillWorld extends DaemonCalls {
  readonly dir: string;
  readonly root: string;
  readonly runDirectory: string;
  readonly docker: string | undefined;
  wctr(args: readonly string[], timeoutMs?: number): Running;
  /** The stock client, at the daemon; `wctr -H` where it is not installed. */
  remote(args: readonly string[], timeoutMs?: number): Running;
  startDaemon(): Promise<void>;
  /** Beside the first one. */
  startAnotherDaemon(): Promise<DaemonCalls & { end(): Promise<void> }>;
  readonly daemonPid: number | undefined;
  processes(): OwnProcess[];
  records(): DiskRecord[];
  /** Locks that are held or waited for, and whose process does so, dead or alive. */
  locks(): { readonly name: string; readonly pid: number }[];
  /** Everything below the data root that is a file, a link or a socket, sorted. */
  files(): string[];
  close(): Promise<void>;
}

const COMMAND_MS = 60_000;

export async function openKillWorld(): Promise<KillWorld> {
  const dir = mkdtempSync(join(tmpdir(), 'wctr-k-'));
  const root = join(dir, 'store');
  const socket = join(dir, 'd.sock');
  const docker = peer('docker');
  const env = { PATH: process.env.PATH, HOME: dir, WCTR_DATA_ROOT: root, XDG_RUNTIME_DIR: dir };
  let daemon: ChildProcess | undefined;

  const run = (file: string, args: readonly string[], vars: object, timeoutMs = COMMAND_MS): Running => {
    const child = spawn(file, args, {
      env: vars as NodeJS.ProcessEnv,
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]!.on('data', (chunk) => {
        texts[name] += String(chunk);
      });
    }
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, timeoutMs);
    const ended = new Promise<Ended>((resolve) => {
      // Not `close`: a process that was left behind with its outputs must not hold the test.
      child.once('exit', (code) => {
        clearTimeout(timer);
        setTimeout(() => resolve({ code: code ?? undefined, ...texts, late }), 5);
      });
      child.once('error', (error) => resolve({ code: undefined, stdout: '', stderr: error.message, late }));
    });
    return { child, ended };
  };
  const spawnDaemon = async (path: string): Promise<ChildProcess> => {
    const child = spawn(process.execPath, [WCTR, 'daemon', '-H', `unix://${path}`], {
      env,
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk) => {
        said += String(chunk);
        if (said.includes('listens on')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`wctr daemon ended with ${code}: ${said}`)));
    });
    return child;
  };
  const world: KillWorld = {
    dir,
    root,
    docker,
    get runDirectory() {
      return join(dir, 'wctr');
    },
    get daemonPid() {
      return daemon?.exitCode === null && daemon.signalCode === null ? daemon.pid : undefined;
    },
    wctr: (args, timeoutMs) => run(process.execPath, [WCTR, ...args], env, timeoutMs),
    remote: (args, timeoutMs) => {
      const vars = { ...env, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(dir, 'docker') };
      if (docker !== undefined) return run(docker, args, vars, timeoutMs);
      return run(process.execPath, [WCTR, ...args], vars, timeoutMs);
    },
    ...callsOf(socket),
    async startDaemon() {
      daemon = await spawnDaemon(socket);
    },
    async startAnotherDaemon() {
      const other = join(dir, 'other.sock');
      const child = await spawnDaemon(other);
      return {
        ...callsOf(other),
        async end() {
          const ended = new Promise((resolve) => child.once('exit', resolve));
          child.kill('SIGTERM');
          await ended;
        },
      };
    },
    processes: () => ownProcesses(root),
    records: () => {
      const directory = join(root, 'containers');
      return names(directory)
        .filter((name) => name.endsWith('.json'))
        .flatMap((name) => {
          try {
            return [(JSON.parse(readFileSync(join(directory, name), 'utf8')) as { record: DiskRecord }).record];
          } catch {
            return [];
          }
        });
    },
    locks: () =>
      names(join(root, 'locks')).map((name) => ({
        name,
        pid: Number(/@(?:c|t\.\d+\.[xs])\.(\d+)-/.exec(name)?.[1] ?? 0),
      })),
    files: () => tree(root).sort(),
    async close() {
      for (const { pid } of world.processes()) kill(pid);
      for (let tries = 0; tries < 50 && world.processes().length > 0; tries += 1) {
        for (const { pid } of world.processes()) kill(pid);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      removeTree(dir);
    },
  };
  const loaded = await world.wctr(['load', '-q', '-i', await busyboxLayout(dir)]).ended;
  if (loaded.code !== 0) throw new Error(`wctr load: ${loaded.stderr}`);
  await world.startDaemon();
  return world;
}

function callsOf(socketPath: string): DaemonCalls {
  const call: DaemonCalls['call'] = (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const asked = request({ socketPath, method, path, headers, timeout: COMMAND_MS }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const answer = Buffer.concat(chunks);
          if ((response.statusCode ?? 500) < 300) resolve(answer);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        });
      });
      asked.once('timeout', () => asked.destroy(new Error(`${path}: no answer`)));
      asked.once('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return { call, get: async (path) => JSON.parse(String(await call('GET', path))) };
}

/** True when there was such a process. */
export function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Told by the environment that is handed down from the command to the container's process and its guard. */
function ownProcesses(root: string): OwnProcess[] {
  const found: OwnProcess[] = [];
  for (const name of names('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (!`\0${readFileSync(`/proc/${name}/environ`, 'latin1')}`.includes(`\0WCTR_DATA_ROOT=${root}\0`)) continue;
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') continue;
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      found.push({ pid: Number(name), parent: Number(fields[1]), kind: kindOf(words), command: words.join(' ') });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

function kindOf(words: readonly string[]): OwnProcess['kind'] {
  if (words.some((word) => word.endsWith('/bin/shim.cjs'))) return 'shim';
  if (words[1] === '-c' && words[2]?.includes('/bin/shim.cjs') === true) return 'guard';
  return words.includes('daemon') ? 'daemon' : 'other';
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Paths of everything below that is no directory; links are not followed. */
export function tree(directory: string): string[] {
  const entries = readdirIfThere(directory);
  return entries.flatMap((entry) =>
    entry.isDirectory() ? tree(join(directory, entry.name)).map((path) => `${entry.name}/${path}`) : [entry.name],
  );
}

function readdirIfThere(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}
