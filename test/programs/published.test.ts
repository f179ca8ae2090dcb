/** What a published port stands: many at once, one after the other, those who leave early, read slowly or never. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, openCli } from '../support/cli.ts';
import { buildNetProgram, hasNetProgram } from '../support/net-program.ts';
import { peer } from '../support/peers.ts';

const HAS_PROC = process.platform === 'linux';
const MIB = 1024 * 1024;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.skipIf(!hasNetProgram || !HAS_PROC)('a published port', () => {
  let cli: Cli;
  let net: string;
  let port = 0;
  let pid = 0;
  beforeAll(() => {
    cli = openCli();
    net = buildNetProgram(cli.dir);
  });
  afterEach(() => cli.run(['rm', '-f', 'server']));
  afterAll(() => cli.remove());

  async function start(...args: string[]): Promise<void> {
    const flags = ['-d', '--name', 'server', '-p', '127.0.0.1::80', '--ulimit', 'nofile=600'];
    expect(await cli.run(['run', ...flags, net, ...args])).toMatchObject({ code: 0, stderr: '' });
    const told = async (...command: string[]) => (await cli.run(command)).stdout.trim();
    port = Number((await told('port', 'server', '80')).split(':').pop());
    pid = Number(await told('inspect', '-f', '{{.State.Pid}}', 'server'));
    while (!(await told('logs', 'server')).includes('listening'));
  }
  const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
  const residentBytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
  const opened = () =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(socket));
      socket.once('error', reject);
    });
  /** What comes until `wanted` bytes are there or the other side ends. */
  const answer = (socket: Socket, wanted = Number.POSITIVE_INFINITY) =>
    new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (bytes) => {
        text += `${bytes}`;
        if (text.length >= wanted) resolve(text);
      });
      socket.on('close', () => resolve(text));
      socket.on('error', () => resolve(text));
    });
  const REQUEST = 'GET / HTTP/1.1\r\n\r\n';
  const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n';

  it.skipIf(peer('wrk') === undefined)('serves 64 connections at once without an error', async () => {
    await start('serve', '80');
    const { stdout } = await promisify(execFile)(peer('wrk')!, ['-t1', '-c64', '-d2s', `http://127.0.0.1:${port}/`]);
    expect(stdout).not.toContain('Socket errors');
    expect(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)![1])).toBeGreaterThan(200);
  });

  it('answers who has sent all and waits, and outlives who goes in between', async () => {
    await start('serve', '80');
    const halfClosed = await opened();
    halfClosed.end(REQUEST);
    expect(await answer(halfClosed)).toBe(RESPONSE);
    const before = descriptors();
    for (let i = 0; i < 50; i++) {
      const rude = await opened();
      if (i % 2 === 0) rude.write(REQUEST.repeat(10));
      rude.resetAndDestroy();
    }
    const pipelined = await opened();
    pipelined.write(REQUEST.repeat(20));
    expect(await answer(pipelined, RESPONSE.length * 20)).toBe(RESPONSE.repeat(20));
    pipelined.destroy();
    await pause(300);
    expect(descriptors()).toBeLessThanOrEqual(before);
  });

  it('leaves nothing of 10,000 connections one after the other', async () => {
    await start('serve', '80');
    const once = async () => {
      const socket = await opened();
      socket.write(REQUEST);
      expect(await answer(socket, RESPONSE.length)).toBe(RESPONSE);
      socket.destroy();
    };
    for (let i = 0; i < 500; i++) await once();
    const [fds, bytes] = [descriptors(), residentBytes()];
    // A few beside each other: one at a time would wait for the machine more than for the port.
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 1250; i++) await once();
      }),
    );
    await pause(300);
    expect(descriptors()).toBeLessThanOrEqual(fds + 2);
    expect(residentBytes() - bytes).toBeLessThan(60 * MIB);
  });

  it('refuses more than its program may have, and goes on', async () => {
    await start('serve', '80');
    const before = descriptors();
    const flood = await Promise.all(Array.from({ length: 2500 }, () => opened().catch(() => undefined)));
    const answers = flood.map((socket) => {
      if (socket === undefined) return '';
      socket.on('error', () => {});
      socket.write(REQUEST);
      return Promise.race([answer(socket, RESPONSE.length), pause(4000).then(() => '')]);
    });
    const served = (await Promise.all(answers)).filter((text) => text === RESPONSE).length;
    expect(served).toBeGreaterThan(500);
    expect(served).toBeLessThan(2500);
    for (const socket of flood) socket?.destroy();
    await pause(1000);
    expect(descriptors()).toBeLessThanOrEqual(before + 2);
    const after = await opened();
    after.write(REQUEST);
    expect(await answer(after, RESPONSE.length)).toBe(RESPONSE);
    after.destroy();
  });

  it('waits for who reads slowly, and holds no more than a little for him', async () => {
    await start('source', '80', String(400 * MIB));
    const before = residentBytes();
    const slow = await opened();
    slow.pause();
    await pause(1500);
    expect(residentBytes() - before).toBeLessThan(40 * MIB);
    let bytes = 0;
    slow.on('data', (piece) => {
      bytes += piece.length;
    });
    slow.resume();
    await new Promise((resolve) => slow.on('end', resolve));
    expect(bytes).toBe(400 * MIB);
    slow.destroy();
  });

  it('holds no more than a little for a program that does not read', async () => {
    await start('source', '80', String(400 * MIB));
    const before = residentBytes();
    const pushing = await opened();
    pushing.pause();
    const piece = Buffer.alloc(MIB);
    let isFull = false;
    for (let i = 0; i < 64 && !isFull; i++) {
      isFull = !pushing.write(piece) && pushing.writableLength > 16 * MIB;
      await pause(10);
    }
    expect(isFull).toBe(true);
    expect(residentBytes() - before).toBeLessThan(40 * MIB);
    pushing.destroy();
  });
});
