/**
 * Modules that loop, recurse, grow and allocate without end, against the default isolation: each is ended within its
 * limits, the process that started it and a neighbour container live on, and nothing of them stays.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProcessSandbox, createWorkerSandbox } from '../../src/host/node/sandboxes.ts';
import type { Sandbox, SandboxExit, SandboxHandle } from '../../src/host/sandbox.ts';
import { type HostileModule, hostileModules } from '../support/hostile-modules.ts';
import { guestSpec } from '../support/sandbox-suite.ts';

const MIB = 1024 * 1024;
const TIMEOUT_MS = 500;
const AT_ONCE = 3;
/** More by hand: WCTR_SOAK=1000. */
const KILLED = Number(process.env.WCTR_SOAK ?? 40);

const LIMITS = {
  memoryBytes: 64 * MIB,
  storageBytes: MIB,
  tableElements: 100_000,
  nofile: 64,
  timeoutMs: TIMEOUT_MS,
};

/** A container that answers what it is told, for as long as it lives. */
class Neighbour {
  readonly #handle: SandboxHandle;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<Uint8Array>;

  constructor(handle: SandboxHandle) {
    this.#handle = handle;
    this.#input = handle.stdin!.getWriter();
    this.#output = handle.stdout!.getReader();
  }

  async says(word: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(word));
    let heard = '';
    while (heard.length < word.length) {
      const part = await this.#output.read();
      if (part.done) break;
      heard += new TextDecoder().decode(part.value);
    }
    return heard;
  }

  async end(): Promise<SandboxExit> {
    await this.#input.close();
    return this.#handle.wait();
  }
}

async function drain(stream: ReadableStream<Uint8Array> | undefined): Promise<void> {
  const reader = stream!.getReader();
  while (!(await reader.read()).done);
}

interface Ending {
  readonly name: string;
  readonly exit: SandboxExit;
  readonly elapsedMs: number;
  readonly peakBytes: number;
}

async function endure(sandbox: Sandbox, { name, bytes }: HostileModule): Promise<Ending> {
  const start = performance.now();
  const handle = await sandbox.start(guestSpec([name], { program: { module: { bytes } }, resources: LIMITS }));
  let peakBytes = 0;
  const sampler = setInterval(async () => {
    peakBytes = Math.max(peakBytes, (await handle.stats()).memoryBytes);
  }, 20);
  const [exit] = await Promise.all([handle.wait(), drain(handle.stdout), drain(handle.stderr)]);
  clearInterval(sampler);
  return { name, exit, elapsedMs: performance.now() - start, peakBytes };
}

describe('hostile modules in container processes', () => {
  const sandbox = createProcessSandbox();
  const modules = hostileModules();
  const endings: Ending[] = [];
  let neighbour: Neighbour;
  let ownBytes = 0;

  beforeAll(async () => {
    neighbour = new Neighbour(await sandbox.start(guestSpec(['cat'], { stdio: { stdin: 'pipe' } })));
    expect(await neighbour.says('before')).toBe('before');
    ownBytes = process.memoryUsage().rss;
    const waiting = [...modules];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          endings.push(await endure(sandbox, next));
        }
      }),
    );
  });

  afterAll(() => sandbox.close());

  it('all end, each for a reason', () => {
    expect(endings).toHaveLength(modules.length);
    expect(modules.length).toBeGreaterThanOrEqual(50);
    for (const { name, exit } of endings) {
      // Refused (126), out of time (124), out of memory (137), trapped (128 + n); never well, never by a crash of ours.
      expect({ name, code: exit.exitCode }).toEqual({ name, code: expect.toSatisfy(isEnding) });
      expect({ name, reason: exit.reason }).toEqual({ name, reason: expect.stringMatching(/^.{5,300}$/) });
      expect({ name, errorCode: exit.errorCode }).not.toEqual({ name, errorCode: 'sandbox-failed' });
      expect({ name, errorCode: exit.errorCode }).not.toEqual({ name, errorCode: 'internal' });
    }
  });

  it('end in time', () => {
    for (const { name, elapsedMs } of endings) {
      expect({ name, late: elapsedMs > TIMEOUT_MS + 8000 }).toEqual({ name, late: false });
    }
  });

  it('stay within their memory and what a runtime needs', () => {
    for (const { name, peakBytes } of endings) {
      expect({ name, over: peakBytes > LIMITS.memoryBytes + 512 * MIB }).toEqual({ name, over: false });
    }
  });

  it('leave the engine and the neighbour as they were', async () => {
    expect(await neighbour.says('after')).toBe('after');
    expect(await neighbour.end()).toEqual({ exitCode: 0, oomKilled: false });
    expect(process.memoryUsage().rss - ownBytes).toBeLessThan(128 * MIB);
  });
});

function isEnding(code: number): boolean {
  return code === 124 || code === 126 || code === 137 || (code > 128 && code < 160);
}

describe.skipIf(process.platform !== 'linux')(`${KILLED} killed loops`, () => {
  const isolations: [string, () => Sandbox & { close(): void | Promise<void> }][] = [
    ['process', () => createProcessSandbox()],
    ['worker', () => createWorkerSandbox()],
  ];

  it.each(isolations)(
    '%s: descriptors, threads and memory stay flat',
    async (_name, open) => {
      const sandbox = open();
      const killOne = async () => {
        const handle = await sandbox.start(guestSpec(['loop']));
        const reader = handle.stdout!.getReader();
        await reader.read();
        await handle.signal('SIGKILL');
        expect((await handle.wait()).exitCode).toBe(137);
        while (!(await reader.read()).done);
        await drain(handle.stderr);
      };
      for (let i = 0; i < 10; i++) await killOne();
      const before = await footprint();
      for (let i = 0; i < KILLED; i++) await killOne();
      const after = await footprint();
      await sandbox.close();
      expect(after.descriptors - before.descriptors).toBeLessThanOrEqual(3);
      expect(after.threads - before.threads).toBeLessThanOrEqual(2);
      expect(after.children - before.children).toBeLessThanOrEqual(1);
      expect(after.residentBytes - before.residentBytes).toBeLessThan(48 * MIB);
    },
    400_000,
  );
});

async function footprint() {
  // What is closed asynchronously gets its turn.
  await new Promise((resolve) => setTimeout(resolve, 100));
  (globalThis as { gc?(): void }).gc?.();
  const status = readFileSync('/proc/self/status', 'latin1');
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
    residentBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024,
    children: readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').length,
  };
}
