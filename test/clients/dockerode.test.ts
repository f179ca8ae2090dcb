/** dockerode and testcontainers (npm), unchanged, against `wctr daemon`. */

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon, type TestDaemon } from '../support/daemon.ts';
import { peer, peerPackage } from '../support/peers.ts';

const dockerode = peerPackage('dockerode');
const testcontainers = peerPackage('testcontainers');

/** As much of dockerode as is used here. */
interface Docker {
  ping(): Promise<Buffer>;
  info(): Promise<{ Containers: number }>;
  run(image: string, args: string[], out: NodeJS.WritableStream, options: object): Promise<[{ StatusCode: number }]>;
  createContainer(options: object): Promise<DockerContainer>;
  getContainer(id: string): DockerContainer;
  listContainers(options: object): Promise<{ Names: string[] }[]>;
  getEvents(options: object): Promise<NodeJS.ReadableStream>;
  loadImage(file: NodeJS.ReadableStream): Promise<NodeJS.ReadableStream>;
  modem: { demuxStream(stream: NodeJS.ReadableStream, out: NodeJS.WritableStream, err: NodeJS.WritableStream): void };
}

interface DockerContainer {
  readonly id: string;
  start(): Promise<unknown>;
  stop(options?: object): Promise<unknown>;
  wait(): Promise<{ StatusCode: number }>;
  remove(options?: object): Promise<unknown>;
  inspect(): Promise<{
    State: { Running: boolean };
    NetworkSettings: { Ports: Record<string, { HostPort: string }[]> };
  }>;
  attach(options: object): Promise<NodeJS.ReadWriteStream>;
  logs(options: object): Promise<Buffer>;
  exec(options: object): Promise<{
    start(options: object): Promise<NodeJS.ReadWriteStream>;
    inspect(): Promise<{ ExitCode: number }>;
  }>;
  putArchive(tar: Buffer, options: object): Promise<unknown>;
  getArchive(options: object): Promise<NodeJS.ReadableStream>;
}

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await startDaemon();
}, 60_000);
afterAll(() => daemon?.stop(), 60_000);

describe.skipIf(dockerode === undefined)('dockerode', () => {
  let docker: Docker;
  beforeAll(() => {
    const Dockerode = createRequire(import.meta.url)(dockerode!) as new (options: object) => Docker;
    docker = new Dockerode({ socketPath: daemon.socket });
  });

  it('pings, and runs with the output demultiplexed', { timeout: 30_000 }, async () => {
    expect(String(await docker.ping())).toBe('OK');
    const out = new PassThrough();
    const said = text(out);
    const [{ StatusCode }] = await docker.run('box', ['args', 'node'], out, {
      Tty: false,
      HostConfig: { AutoRemove: true },
    });
    out.end();
    expect(StatusCode).toBe(0);
    expect(await said).toContain('node\n');
  });

  it('starts, types into, execs, reads logs, stops', { timeout: 30_000 }, async () => {
    const container = await docker.createContainer({
      Image: 'box',
      Cmd: ['cat'],
      OpenStdin: true,
      StdinOnce: true,
      name: 'node1',
    });
    const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    await container.start();
    await expect(container.start()).rejects.toMatchObject({ statusCode: 304 });
    stream.end('typed\n');
    const out = new PassThrough();
    docker.modem.demuxStream(stream, out, new PassThrough());
    stream.once('end', () => out.end());
    expect(await text(out)).toBe('typed\n');
    expect((await container.wait()).StatusCode).toBe(0);
    expect((await docker.listContainers({ all: true, filters: { name: ['node1'] } }))[0]!.Names).toEqual(['/node1']);
    await container.remove();
    await expect(docker.getContainer('node1').inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('execs without an upgrade', { timeout: 30_000 }, async () => {
    const container = await docker.createContainer({ Image: 'box', Cmd: ['sleep', '1000000'] });
    await container.start();
    const exec = await container.exec({ Cmd: ['/busybox.wasm', 'exit', '6'], AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({ hijack: false, stdin: false });
    stream.resume();
    await new Promise((resolve) => stream.once('end', resolve));
    expect((await exec.inspect()).ExitCode).toBe(6);
    expect(await text(await container.getArchive({ path: '/etc/hostname' }))).toContain('hostname');
    await container.stop({ t: 0 });
    expect((await container.inspect()).State.Running).toBe(false);
    await container.remove({ force: true });
  });
});

/** Its wait for listening ports looks through a shell of the image, which there is none; over HTTP it is the same. */
const PROGRAM = `
import { GenericContainer, Wait } from 'testcontainers';
const container = await new GenericContainer('web')
  .withCommand(['tested'])
  .withExposedPorts(80)
  .withWaitStrategy(Wait.forAll([Wait.forHttp('/', 80), Wait.forLogMessage('listening')]))
  .start();
const answer = await fetch(\`http://\${container.getHost()}:\${container.getMappedPort(80)}/\`);
console.log((await answer.text()).trim());
console.log((await container.exec(['/nope'])).exitCode);
// Its log stream alone does not keep a program alive.
const alive = setInterval(() => {}, 1000);
const logs = await container.logs();
let text = '';
for await (const chunk of logs) { text += chunk; if (text.includes('listening')) break; }
console.log(text.trim());
await container.stop();
console.log('stopped');
process.exit(0);
`;

describe.skipIf(testcontainers === undefined)('testcontainers', () => {
  it('starts a server, waits for it, asks it, execs, reads logs, stops it', { timeout: 90_000 }, async () => {
    const program = join(daemon.dir, 'program.mjs');
    writeFileSync(
      program,
      PROGRAM.replace("'testcontainers'", JSON.stringify(import.meta.resolve(`${testcontainers}/build/index.js`))),
    );
    const node = peer('node')!;
    // Inside a container of docker's it would look for the daemon's host on a bridge.
    const line = `TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1 TESTCONTAINERS_RYUK_DISABLED=true "${node}" "${program}"`;
    const { code, stdout, stderr } = await daemon.shell(line, { timeoutMs: 80_000 });
    expect({ code, stderr, lines: stdout.trim().split('\n') }).toEqual({
      code: 0,
      stderr: '',
      lines: ['tested', '127', 'listening', 'stopped'],
    });
  });
});
