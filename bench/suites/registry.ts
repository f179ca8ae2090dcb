/**
 * Our registry beside docker-registry, both on loopback with their files in one temp directory: pushing and pulling a blob of
 * 100 MB, and small manifests by tag. Each is measured twice: by the clock, and by the processor time its process took,
 * which is what counts per core.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Contender, Row, Suite } from '../harness.ts';

const WCTR = join(process.cwd(), 'dist', 'bin', 'wctr.cjs');
const BLOB_BYTES = 100_000_000;
const WRK_SECONDS = 3;
const TICK_MS = 10;
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const PEER = 'docker-registry';

export const suite: Suite = {
  name: 'registry',
  async rows() {
    const work = mkdtempSync(join(tmpdir(), 'wctr-bench-registry-'));
    const blob = join(work, 'blob');
    writeFileSync(blob, randomFillSync(Buffer.alloc(BLOB_BYTES)));
    const digest = `sha256:${createHash('sha256').update(readFileSync(blob)).digest('hex')}`;
    const missing = [PEER, 'wrk'].filter((name) => spawnSync('which', [name]).status !== 0);
    const ours = await Server.start('wctr', process.execPath, [
      ...[WCTR, 'registry', 'serve', '--listen', '127.0.0.1:0', '--root', join(work, 'ours'), '--gc-interval', '0'],
    ]);
    const peer = missing.includes(PEER) ? undefined : await startPeer(work);
    const servers = peer === undefined ? [ours] : [ours, peer];
    for (const server of servers) await server.prepare(blob, digest);
    const row = (title: string, amount: number, unit: 'bytes' | 'calls', run: (server: Server) => unknown): Row => {
      const contender = (server: Server): Contender => ({ name: server.name, run: () => run(server) });
      return {
        title,
        work: { amount, unit },
        ours: contender(ours),
        peers: peer === undefined ? [] : [contender(peer)],
        bars: peer === undefined ? {} : { [PEER]: 1 },
      };
    };
    const rows = [
      row('push a blob of 100 MB', BLOB_BYTES, 'bytes', (server) => server.push(blob, digest)),
      row('push a blob of 100 MB, processor time', BLOB_BYTES, 'bytes', (server) =>
        server.processorMs(() => server.push(blob, digest)),
      ),
      row('pull a blob of 100 MB', BLOB_BYTES, 'bytes', (server) => server.pull(digest)),
      row('pull a blob of 100 MB, processor time', BLOB_BYTES, 'bytes', (server) =>
        server.processorMs(() => server.pull(digest)),
      ),
    ];
    if (!missing.includes('wrk')) {
      const title = 'GET a manifest by tag, 1,000 times';
      rows.push(
        row(title, 1000, 'calls', async (server) => (await server.wrk()).wallMs),
        row(`${title}, processor time`, 1000, 'calls', async (server) => (await server.wrk()).processorMs),
      );
    }
    return {
      rows,
      missing,
      done: () => {
        for (const server of servers) server.stop();
        rmSync(work, { recursive: true, force: true });
      },
    };
  },
};

async function startPeer(work: string): Promise<Server> {
  mkdirSync(join(work, 'theirs'));
  const config = {
    version: '0.1',
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(work, 'theirs') }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0', secret: 'bench' },
  };
  // JSON is YAML.
  writeFileSync(join(work, 'config.yml'), JSON.stringify(config));
  return Server.start(PEER, PEER, ['serve', join(work, 'config.yml')]);
}

class Server {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #port: number;

  private constructor(name: string, child: ChildProcess, port: number) {
    this.name = name;
    this.#child = child;
    this.#port = port;
  }

  static async start(name: string, program: string, args: readonly string[]): Promise<Server> {
    const env = { ...process.env, OTEL_TRACES_EXPORTER: 'none' };
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const port = await new Promise<number>((resolve, reject) => {
      createInterface({ input: child.stderr! }).on('line', (line) => {
        const found = /listen(?:s|ing) on (?:http:\/\/)?127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      child.once('exit', () => reject(new Error(`${name} ended`)));
    });
    return new Server(name, child, port);
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  /** The blob is there, and an image with a small manifest. */
  async prepare(blob: string, digest: string): Promise<void> {
    await this.push(blob, digest);
    const config = `${blob}.json`;
    writeFileSync(config, '{}');
    const configDigest = `sha256:${createHash('sha256').update('{}').digest('hex')}`;
    await this.push(config, configDigest);
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: configDigest, size: 2 },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: BLOB_BYTES }],
    });
    const headers = { 'content-type': OCI_MANIFEST, 'content-length': `${manifest.length}` };
    const { status } = await this.#ask('PUT', '/v2/bench/manifests/1', headers, manifest);
    if (status !== 201) throw new Error(`${this.name}: manifest ${status}`);
  }

  async push(file: string, digest: string): Promise<void> {
    const begun = await this.#ask('POST', '/v2/bench/blobs/uploads/', { 'content-length': '0' });
    const location = new URL(begun.headers.location!, 'http://x');
    location.searchParams.set('digest', digest);
    const length = `${statSync(file).size}`;
    const headers = { 'content-type': 'application/octet-stream', 'content-length': length };
    const { status } = await this.#ask(
      'PUT',
      `${location.pathname}${location.search}`,
      headers,
      createReadStream(file),
    );
    if (status !== 201) throw new Error(`${this.name}: push ${status}`);
  }

  async pull(digest: string): Promise<void> {
    const { status, bytes } = await this.#ask('GET', `/v2/bench/blobs/${digest}`);
    if (status !== 200 || bytes !== BLOB_BYTES) throw new Error(`${this.name}: pull ${status}, ${bytes} bytes`);
  }

  /** What the server's process took of all processors while `work` ran. */
  async processorMs(work: () => Promise<unknown>): Promise<number> {
    const before = this.#ticks();
    await work();
    return Math.max(TICK_MS, (this.#ticks() - before) * TICK_MS);
  }

  /** For 1,000 requests, by sixteen connections. */
  async wrk(): Promise<{ wallMs: number; processorMs: number }> {
    const url = `http://127.0.0.1:${this.#port}/v2/bench/manifests/1`;
    const args = ['-t1', '-c16', `-d${WRK_SECONDS}s`, '-H', `Accept: ${OCI_MANIFEST}`, url];
    const before = this.#ticks();
    const { stdout } = await promisify(execFile)('wrk', args);
    const processorMs = (this.#ticks() - before) * TICK_MS;
    const count = Number(/(\d+) requests in/.exec(stdout)?.[1]);
    if (!(count > 0) || /Non-2xx/.test(stdout)) throw new Error(`${this.name}: ${stdout}`);
    return { wallMs: (WRK_SECONDS * 1000 * 1000) / count, processorMs: (processorMs * 1000) / count };
  }

  #ticks(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  #ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | ReturnType<typeof createReadStream>,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; bytes: number }> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: this.#port, method, path, headers }, (answer) => {
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
        });
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes }));
        answer.once('error', reject);
      });
      sent.once('error', reject);
      if (body === undefined || typeof body === 'string') sent.end(body);
      else body.pipe(sent);
    });
  }
}
