/**
 * Many containers: how fast a daemon starts them, what one that only waits holds, and how soon `wctr ps` has listed 200.
 * Beside podman with runc, whose containers run `sleep`; both are told to start four at a time, by their own clients'
 * way: the Engine API over a unix socket for ours, `podman run -d` for theirs (it has no daemon).
 */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Contender, Row, Suite } from '../harness.ts';

const WCTR = join(process.cwd(), 'dist', 'bin', 'wctr.cjs');
const AT_ONCE = 4;
const BATCH = 12;
const CROWD = 200;
const IDLE_PATH = '/idle.wasm';

/** (loop (call $poll_oneoff (clock 10^15 ns)) (br 0)): a container that waits. */
const IDLE = new Uint8Array([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 12, 2, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0],
  ...[2, 38, 1, 22, ...Buffer.from('wasi_snapshot_preview1'), 11, ...Buffer.from('poll_oneoff'), 0, 0],
  ...[3, 2, 1, 1, 5, 3, 1, 0, 1, 7, 19, 2, 6, ...Buffer.from('memory'), 2, 0, 6, ...Buffer.from('_start'), 0, 1],
  ...[10, 22, 1, 20, 0, 3, 0x40, 0x41, 0, 0x41, 0x80, 1, 0x41, 1, 0x41, 0xc0, 1, 0x10, 0, 0x1a, 0x0c, 0, 0x0b, 0x0b],
  ...[11, 22, 1, 0, 0x41, 16, 0x0b, 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0xc6, 0xa4, 0x7e, 0x8d, 3, 0],
]);

export const suite: Suite = {
  name: 'containers',
  async rows() {
    const work = mkdtempSync(join(tmpdir(), 'wctr-bench-'));
    const daemon = await Daemon.start(work);
    const podman = Podman.prepare(work);
    const rows: Row[] = [
      {
        title: `start ${BATCH} containers, ${AT_ONCE} at a time`,
        ours: startsOf('wctr daemon', daemon),
        peers: podman === undefined ? [] : [startsOf('podman run -d, runc', podman)],
        bars: { 'podman run -d, runc': 2 },
      },
      {
        title: `wctr ps with ${CROWD} containers running`,
        ours: listing(daemon),
        peers: [program('node -e 0', ['-e', '0'])],
        bars: { 'node -e 0': 1 / 1.5 },
        rounds: 15,
      },
    ];
    return {
      rows,
      ...(podman === undefined ? { missing: ['podman with runc'] } : {}),
      done: async () => {
        await daemon.stop();
        podman?.stop();
        rmSync(work, { recursive: true, force: true });
      },
    };
  },
};

interface Runtime {
  startOne(name: string): Promise<void>;
  removeAll(): Promise<void>;
}

/** Milliseconds for the batch; removing is not measured. */
function startsOf(name: string, runtime: Runtime): Contender {
  return {
    name,
    async run() {
      const names = Array.from({ length: BATCH }, (_, i) => `b${i}`);
      const start = performance.now();
      await inParallel(names, (each) => runtime.startOne(each));
      const elapsed = performance.now() - start;
      await runtime.removeAll();
      return elapsed;
    },
  };
}

/** The crowd is there from the first round on; its memory is told once. */
function listing(daemon: Daemon): Contender {
  let ready: Promise<void> | undefined;
  return {
    name: 'wctr ps',
    async run() {
      ready ??= daemon.gather(CROWD);
      await ready;
      const start = performance.now();
      const { stdout } = spawnSync(process.execPath, [WCTR, 'ps', '-q'], { env: daemon.env, encoding: 'utf8' });
      const elapsed = performance.now() - start;
      const listed = stdout.trim().split('\n').length;
      if (listed !== CROWD) throw new Error(`wctr ps lists ${listed} of ${CROWD}`);
      return elapsed;
    },
  };
}

function program(name: string, args: readonly string[]): Contender {
  return {
    name,
    run() {
      const start = performance.now();
      spawnSync(process.execPath, args, { stdio: 'ignore' });
      return performance.now() - start;
    },
  };
}

async function inParallel(names: readonly string[], each: (name: string) => Promise<void>): Promise<void> {
  const rest = [...names];
  const worker = async () => {
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) await each(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

class Daemon implements Runtime {
  readonly env: NodeJS.ProcessEnv;
  readonly #socket: string;
  readonly #process: ChildProcess;
  #ids: string[] = [];

  private constructor(env: NodeJS.ProcessEnv, socket: string, process: ChildProcess) {
    this.env = env;
    this.#socket = socket;
    this.#process = process;
  }

  static async start(work: string): Promise<Daemon> {
    const env = { ...process.env, WCTR_DATA_ROOT: join(work, 'root'), XDG_RUNTIME_DIR: work };
    const rootfs = join(work, 'rootfs');
    mkdirSync(rootfs);
    writeFileSync(join(rootfs, IDLE_PATH), IDLE);
    execFileSync('tar', ['-C', rootfs, '-cf', join(work, 'idle.tar'), '.']);
    const change = `ENTRYPOINT ["${IDLE_PATH}"]`;
    execFileSync(process.execPath, [WCTR, 'import', '-c', change, join(work, 'idle.tar'), 'idle'], {
      env,
      stdio: 'pipe',
    });
    const socket = join(work, 'd.sock');
    const child = spawn(process.execPath, [WCTR, 'daemon', '--host', `unix://${socket}`], { env, stdio: 'ignore' });
    const daemon = new Daemon(env, socket, child);
    for (let tries = 0; ; tries++) {
      try {
        await daemon.#call('GET', '/_ping');
        return daemon;
      } catch (error) {
        if (tries > 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async startOne(name: string): Promise<void> {
    const { Id } = (await this.#call('POST', `/v1.51/containers/create?name=${name}`, { Image: 'idle' })) as {
      Id: string;
    };
    await this.#call('POST', `/v1.51/containers/${Id}/start`);
    this.#ids.push(Id);
  }

  async removeAll(): Promise<void> {
    const ids = this.#ids.splice(0);
    await inParallel(ids, async (id) => void (await this.#call('DELETE', `/v1.51/containers/${id}?force=1`)));
  }

  /** Starts the crowd and says what it holds. */
  async gather(count: number): Promise<void> {
    const start = performance.now();
    await inParallel(
      Array.from({ length: count }, (_, i) => `crowd${i}`),
      (name) => this.startOne(name),
    );
    const seconds = (performance.now() - start) / 1000;
    const shims = processes('shim.cjs').reduce((sum, pid) => sum + proportionalKiB(pid), 0);
    console.log(
      `${count} idle containers: started in ${seconds.toFixed(1)} s (${(count / seconds).toFixed(1)} a second), ` +
        `${(shims / count / 1024).toFixed(1)} MiB each (proportional set size)`,
    );
  }

  async stop(): Promise<void> {
    await this.removeAll();
    this.#process.kill('SIGTERM');
  }

  #call(method: string, path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const call = request({ socketPath: this.#socket, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
          else resolve(text.startsWith('{') ? JSON.parse(text) : text);
        });
      });
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

class Podman implements Runtime {
  readonly #flags: readonly string[];
  #names: string[] = [];

  private constructor(flags: readonly string[]) {
    this.#flags = flags;
  }

  /** Undefined where podman, runc or a static busybox is missing, or no container starts. */
  static prepare(work: string): Podman | undefined {
    const store = ['--root', join(work, 'pr'), '--runroot', join(work, 'prr'), '--storage-driver', 'vfs'];
    const flags = [...store, '--runtime', 'runc', '--cgroup-manager', 'cgroupfs'];
    const rootfs = join(work, 'busybox');
    try {
      mkdirSync(join(rootfs, 'bin'), { recursive: true });
      copyFileSync('/bin/busybox', join(rootfs, 'bin', 'busybox'));
      symlinkSync('busybox', join(rootfs, 'bin', 'sleep'));
      execFileSync('tar', ['-C', rootfs, '-cf', join(work, 'busybox.tar'), '.']);
      execFileSync('podman', [...flags, 'import', join(work, 'busybox.tar'), 'idle'], { stdio: 'pipe' });
      execFileSync('podman', [...flags, ...run('trial')], { stdio: 'pipe' });
      execFileSync('podman', [...flags, 'rm', '-f', '-t', '0', 'trial'], { stdio: 'pipe' });
      return new Podman(flags);
    } catch {
      return undefined;
    }
  }

  async startOne(name: string): Promise<void> {
    await promisify(execFile)('podman', [...this.#flags, ...run(name)]);
    this.#names.push(name);
  }

  async removeAll(): Promise<void> {
    const names = this.#names.splice(0);
    if (names.length > 0) await promisify(execFile)('podman', [...this.#flags, 'rm', '-f', '-t', '0', ...names]);
  }

  stop(): void {
    spawnSync('podman', [...this.#flags, 'rm', '-f', '-t', '0', '-a'], { stdio: 'ignore' });
  }
}

function run(name: string): string[] {
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=10000:10000'];
  return ['run', '-d', ...limits, '--network', 'none', '--name', name, 'idle', '/bin/sleep', '100000'];
}

function processes(word: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(word);
      } catch {
        return false;
      }
    });
}

function proportionalKiB(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
