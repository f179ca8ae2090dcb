/**
 * A published port: a C program in a container behind it, beside Node's own servers on the machine itself. Each round
 * asks ours and the peer's by the same client: wrk for requests, a socket that reads for a stream.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Contender, Row, Suite } from '../harness.ts';

const WCTR = join(process.cwd(), 'dist', 'bin', 'wctr.cjs');
const SOURCE = join(process.cwd(), 'test', 'programs', 'sockets', 'net.c');
const C_FLAGS = ['--target=wasm32-wasi', '--sysroot=/usr', '-O2'];
const CLIENT = 'wrk';
const REQUESTS = 10_000;
const STREAM_BYTES = 256 * 1024 * 1024;

const HTTP_SERVER = `require('http').createServer((_, response) => {
  response.setHeader('content-length', 6);
  response.end('hello\\n');
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

const STREAM_SERVER = `const piece = Buffer.alloc(65536);
require('net').createServer((socket) => {
  let left = ${STREAM_BYTES};
  const more = () => {
    while (left > 0) {
      left -= piece.length;
      if (!socket.write(piece)) return socket.once('drain', more);
    }
    socket.end();
  };
  more();
}).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

export const suite: Suite = {
  name: 'network',
  async rows() {
    const missing = [CLIENT, 'clang'].filter((program) => spawnSync('which', [program]).status !== 0);
    if (missing.length > 0 || !existsSync('/usr/include/wasm32-wasi/stdio.h')) {
      return { rows: [], missing: [...missing, 'clang with wasi-libc'] };
    }
    const machine = await Servers.start();
    const rows: Row[] = [
      ...[1, 64].map(
        (connections): Row => ({
          title: `${REQUESTS} HTTP requests, ${connections} at a time`,
          ours: requests('a container, published', machine.http, connections),
          peers: [requests('node http', machine.nodeHttp, connections)],
          // One at a time is two changes of thread a request, which the machine's load decides.
          bars: connections === 1 ? {} : { 'node http': 0.5 },
        }),
      ),
      {
        title: 'a stream of 256 MiB',
        work: { amount: STREAM_BYTES, unit: 'bytes' },
        ours: stream('a container, published', machine.stream),
        peers: [stream('node net', machine.nodeStream)],
        bars: { 'node net': 0.25 },
      },
    ];
    return { rows, done: () => machine.stop() };
  },
};

/** Milliseconds that so many requests take at the rate measured. */
function requests(name: string, port: number, connections: number): Contender {
  return {
    name,
    run() {
      const args = ['-t1', `-c${connections}`, '-d1s', `http://127.0.0.1:${port}/`];
      const { stdout } = spawnSync(CLIENT, args, { encoding: 'utf8' });
      const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
      if (!(rate > 0) || stdout.includes('Socket errors')) throw new Error(`${CLIENT} ${args.join(' ')}: ${stdout}`);
      return (REQUESTS / rate) * 1000;
    },
  };
}

function stream(name: string, port: number): Contender {
  return {
    name,
    run: () =>
      new Promise<number>((resolve, reject) => {
        const start = performance.now();
        let bytes = 0;
        const socket = connect(port, '127.0.0.1');
        socket.on('data', (piece) => {
          bytes += piece.length;
        });
        socket.on('error', reject);
        socket.on('end', () => {
          if (bytes === STREAM_BYTES) resolve(performance.now() - start);
          else reject(new Error(`${bytes} of ${STREAM_BYTES} bytes came`));
        });
      }),
  };
}

class Servers {
  readonly http: number;
  readonly stream: number;
  nodeHttp = 0;
  nodeStream = 0;
  readonly #work: string;
  readonly #programs: ChildProcess[] = [];

  private constructor(work: string) {
    this.#work = work;
    const program = join(work, 'net.wasm');
    execFileSync('clang', [...C_FLAGS, '-o', program, SOURCE]);
    this.http = this.#publish('http', program, 'serve', '80');
    this.stream = this.#publish('stream', program, 'source', '80', String(STREAM_BYTES));
  }

  static async start(): Promise<Servers> {
    const servers = new Servers(mkdtempSync(join(tmpdir(), 'wctr-bench-')));
    servers.nodeHttp = await servers.#node(HTTP_SERVER);
    servers.nodeStream = await servers.#node(STREAM_SERVER);
    await promisify(setTimeout)(500);
    return servers;
  }

  stop(): void {
    for (const program of this.#programs) program.kill();
    this.#wctr('rm', '-f', 'http', 'stream');
    rmSync(this.#work, { recursive: true, force: true });
  }

  #wctr(...args: string[]): string {
    const env = { PATH: process.env.PATH, HOME: this.#work, WCTR_DATA_ROOT: join(this.#work, 'store') };
    return execFileSync(process.execPath, [WCTR, ...args], { env, encoding: 'utf8' }).trim();
  }

  #publish(name: string, ...command: string[]): number {
    this.#wctr('run', '-d', '--name', name, '-p', '127.0.0.1::80', ...command);
    return Number(this.#wctr('port', name, '80').split(':').pop());
  }

  #node(script: string): Promise<number> {
    const program = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#programs.push(program);
    return new Promise((resolve) => program.stdout.once('data', (text) => resolve(Number(String(text)))));
  }
}
