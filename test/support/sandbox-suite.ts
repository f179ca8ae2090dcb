/** What every adapter of the Sandbox port must do; an adapter's test is a call of this. */
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memfs } from 'memfs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SyncFileSystem } from '../../src/host/ports.ts';
import type { Sandbox, SandboxExit, SandboxHandle, SandboxSpec } from '../../src/host/sandbox.ts';
import { guestPath } from './guests.ts';
import { TABLE_GROWER } from './hostile-modules.ts';
import { removeTree } from './remove-tree.ts';

export interface SandboxAdapter {
  readonly name: string;
  open(): Promise<Sandbox> | Sandbox;
  close?(sandbox: Sandbox): Promise<void> | void;
  /** A running guest can be signalled and fed. */
  readonly concurrent: boolean;
  /** Objects shaped like Node's fs can be mounted. */
  readonly mountsObjects: boolean;
}

/** A spec that runs the test guest with `args`; the rest as a bare container has it. */
export function guestSpec(args: readonly string[], changes: SpecChanges = {}): SandboxSpec {
  return {
    id: 'c0ffee'.padEnd(64, '0'),
    hostname: 'c0ffee000000',
    process: {
      args: ['busybox', ...args],
      env: ['PATH=/usr/bin:/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      terminal: false,
      ...changes.process,
    },
    root: { readonly: false, layers: [], ...changes.root },
    program: changes.program ?? { module: { path: guestPath('busybox') } },
    mounts: changes.mounts ?? [],
    resources: changes.resources ?? {},
    stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe', ...changes.stdio },
    ...(changes.deterministic === undefined ? {} : { deterministic: changes.deterministic }),
  };
}

export interface SpecChanges {
  readonly process?: Partial<SandboxSpec['process']>;
  readonly root?: Partial<SandboxSpec['root']>;
  readonly program?: SandboxSpec['program'];
  readonly mounts?: SandboxSpec['mounts'];
  readonly resources?: SandboxSpec['resources'];
  readonly stdio?: Partial<SandboxSpec['stdio']>;
  readonly deterministic?: boolean;
}

export interface Outcome extends SandboxExit {
  readonly out: string;
  readonly err: string;
}

export async function text(stream: ReadableStream<Uint8Array> | undefined): Promise<string> {
  if (stream === undefined) return '';
  let all = '';
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    all += decoder.decode(part.value, { stream: true });
  }
  return all;
}

export async function outcome(handle: SandboxHandle): Promise<Outcome> {
  const [out, err, exit] = await Promise.all([text(handle.stdout), text(handle.stderr), handle.wait()]);
  return { ...exit, out, err };
}

export async function run(sandbox: Sandbox, args: readonly string[], changes?: SpecChanges): Promise<Outcome> {
  return outcome(await sandbox.start(guestSpec(args, changes)));
}

/** Reads until the text has come; leaves the stream open. */
async function until(stream: ReadableStream<Uint8Array>, wanted: string): Promise<void> {
  const reader = stream.getReader();
  let seen = '';
  while (!seen.includes(wanted)) {
    const part = await reader.read();
    if (part.done) throw new Error(`the stream ended after ${JSON.stringify(seen)}`);
    seen += new TextDecoder().decode(part.value);
  }
  reader.releaseLock();
}

const FINE = { exitCode: 0, oomKilled: false };
const MIB = 1024 * 1024;

export function sandboxSuite(adapter: SandboxAdapter): void {
  describe(`the sandbox port: ${adapter.name}`, () => {
    let sandbox: Sandbox;
    let dir: string;

    beforeAll(async () => {
      guestPath('busybox');
      sandbox = await adapter.open();
      dir = mkdtempSync(join(tmpdir(), 'wctr-sandbox-'));
    });

    afterAll(async () => {
      await adapter.close?.(sandbox);
      removeTree(dir);
    });

    describe('a program', () => {
      it('says hello', async () => {
        expect(await run(sandbox, ['hello'])).toEqual({ ...FINE, out: 'Hello from the guest\n', err: '' });
      });

      it('sees its arguments', async () => {
        const { out } = await run(sandbox, ['args', 'a b', '', 'ü']);
        expect(out).toBe('busybox\nargs\na b\n\nü\n');
      });

      it('sees its environment and nothing of the host’s', async () => {
        const { out } = await run(sandbox, ['env'], { process: { env: ['PATH=/bin', 'GREETING=hi there'] } });
        expect(out).toBe('PATH=/bin\nGREETING=hi there\n');
      });

      it('keeps its streams apart', async () => {
        expect(await run(sandbox, ['err', 'oops'])).toEqual({ ...FINE, out: '', err: 'oops' });
      });

      it('reads its input to the end', async () => {
        const handle = await sandbox.start(guestSpec(['cat'], { stdio: { stdin: 'pipe' } }));
        const done = outcome(handle);
        const writer = handle.stdin!.getWriter();
        const block = 'x'.repeat(50_000);
        for (let i = 0; i < 10; i++) await writer.write(new TextEncoder().encode(block));
        await writer.close();
        const { out, exitCode } = await done;
        expect(exitCode).toBe(0);
        expect(out).toBe(block.repeat(10));
      });

      it('finds its input empty when it has none', async () => {
        expect(await run(sandbox, ['cat'])).toEqual({ ...FINE, out: '', err: '' });
      });

      it.each([0, 1, 7, 125, 126, 127, 255])('ends with exit code %i', async (code) => {
        expect((await run(sandbox, ['exit', `${code}`])).exitCode).toBe(code);
      });

      it('finds a working directory that the image lacks', async () => {
        const { out } = await run(sandbox, ['stat', '/work/deep'], { process: { cwd: '/work/deep' } });
        expect(out).toMatch(/^type 3 /);
      });

      it('runs the export it is told to', async () => {
        const path = { module: { path: guestPath('busybox') } };
        const missing = await run(sandbox, ['hello'], { program: { ...path, export: 'nothing' } });
        expect(missing).toMatchObject({ exitCode: 126, errorCode: 'exec-format' });
        expect(missing.reason).toContain('nothing');
      });
    });

    describe('the container’s tree', () => {
      it('has a name, hosts and a resolver file', async () => {
        expect((await run(sandbox, ['read', '/etc/hostname'])).out).toBe('c0ffee000000\n');
        expect((await run(sandbox, ['read', '/etc/hosts'])).out).toContain('127.0.0.1\tc0ffee000000');
        expect((await run(sandbox, ['read', '/etc/resolv.conf'])).exitCode).toBe(0);
      });

      it('has devices', async () => {
        const { out } = await run(sandbox, ['ls', '/dev']);
        expect(out.split('\n')).toEqual(expect.arrayContaining(['null', 'zero', 'random']));
      });

      it('can be written, by this container only', async () => {
        const written = await run(sandbox, ['write', '/file', 'text']);
        expect(written).toEqual({ ...FINE, out: '', err: '' });
        expect((await run(sandbox, ['read', '/file'])).err).toBe('errno 44\n');
      });

      it('has modes and owners, for their owner and for root', async () => {
        const program = { module: { path: guestPath('modes') } };
        const changed = await run(sandbox, ['etc/hostname'], { program });
        // No other programs here: NOSYS.
        const others = 'spawn 52 pipe 52\n';
        const first = `user 0 mask 18\nchmod 0\nchown 0\nstat 0\nmode ${0o100640} owner 7\n`;
        expect(changed).toEqual({ ...FINE, out: first + others, err: '' });
        const user = { uid: 1000, gid: 100, additionalGids: [] };
        const refused = await run(sandbox, ['etc/hostname'], { program, process: { user } });
        const second = `user 1000 mask 18\nchmod 63\nchown 63\nstat 0\nmode ${0o100644} owner 0\n`;
        expect(refused).toEqual({ ...FINE, out: second + others, err: '' });
      });

      it('refuses writes when read-only, but for its mounts', async () => {
        const changes: SpecChanges = { root: { readonly: true }, mounts: [{ type: 'tmpfs', destination: '/tmp' }] };
        expect(await run(sandbox, ['write', '/file', 'text'], changes)).toMatchObject({
          exitCode: 1,
          err: 'errno 69\n',
        });
        expect(await run(sandbox, ['mkdir', '/d'], changes)).toMatchObject({ exitCode: 1, err: 'errno 69\n' });
        expect(await run(sandbox, ['write', '/tmp/file', 'text'], changes)).toMatchObject(FINE);
      });
    });

    describe('a mount', () => {
      it('of a tmpfs takes as much as it may', async () => {
        const mounts: SpecChanges = { mounts: [{ type: 'tmpfs', destination: '/data/t', sizeBytes: MIB }] };
        expect(await run(sandbox, ['fill', '/data/t/a', `${MIB / 2}`], mounts)).toMatchObject(FINE);
        expect(await run(sandbox, ['fill', '/data/t/a', `${MIB * 2}`], mounts)).toMatchObject({
          exitCode: 1,
          err: expect.stringMatching(/^errno (51|19)\n$/),
        });
      });

      it('of a host directory is read and written', async () => {
        const source = join(dir, 'bind');
        mkdirSync(join(source, 'sub'), { recursive: true });
        writeFileSync(join(source, 'in'), 'from the host');
        const mounts: SpecChanges = { mounts: [{ type: 'bind', destination: '/mnt/x', source }] };
        expect((await run(sandbox, ['read', '/mnt/x/in'], mounts)).out).toBe('from the host');
        expect(await run(sandbox, ['write', '/mnt/x/sub/out', 'from the guest'], mounts)).toMatchObject(FINE);
        expect(readFileSync(join(source, 'sub', 'out'), 'utf8')).toBe('from the guest');
        expect((await run(sandbox, ['ls', '/mnt/x'], mounts)).out.trim().split('\n').sort()).toEqual(
          expect.arrayContaining(['in', 'sub']),
        );
        expect(await run(sandbox, ['rm', '/mnt/x/in'], mounts)).toMatchObject(FINE);
      });

      it('of a host directory can be read-only', async () => {
        const source = join(dir, 'ro');
        mkdirSync(source);
        writeFileSync(join(source, 'in'), 'kept');
        const mounts: SpecChanges = { mounts: [{ type: 'bind', destination: '/mnt', source, readonly: true }] };
        expect((await run(sandbox, ['read', '/mnt/in'], mounts)).out).toBe('kept');
        expect(await run(sandbox, ['write', '/mnt/in', 'x'], mounts)).toMatchObject({ exitCode: 1, err: 'errno 69\n' });
        expect(await run(sandbox, ['rm', '/mnt/in'], mounts)).toMatchObject({ exitCode: 1, err: 'errno 69\n' });
        expect(readFileSync(join(source, 'in'), 'utf8')).toBe('kept');
      });

      it('of a host directory does not lead out of it', async () => {
        const source = join(dir, 'links');
        mkdirSync(source);
        writeFileSync(join(dir, 'secret'), 'secret');
        symlinkSync(join(dir, 'secret'), join(source, 'absolute'));
        symlinkSync('../secret', join(source, 'relative'));
        const mounts: SpecChanges = { mounts: [{ type: 'bind', destination: '/mnt', source }] };
        for (const name of ['absolute', 'relative', '../../secret']) {
          const { exitCode, out } = await run(sandbox, ['read', `/mnt/${name}`], mounts);
          expect({ name, exitCode, out }).toEqual({ name, exitCode: 1, out: '' });
        }
      });

      it('of a single file of the host', async () => {
        const source = join(dir, 'one-file');
        writeFileSync(source, 'one');
        const mounts: SpecChanges = { mounts: [{ type: 'bind', destination: '/etc/one', source }] };
        expect((await run(sandbox, ['read', '/etc/one'], mounts)).out).toBe('one');
      });

      it('of what is not there says so', async () => {
        const source = join(dir, 'missing');
        const exit = await run(sandbox, ['hello'], { mounts: [{ type: 'bind', destination: '/m', source }] });
        expect(exit).toMatchObject({
          exitCode: 125,
          errorCode: 'invalid-argument',
          reason: `invalid mount: bind source path does not exist: ${source}`,
        });
      });

      it.runIf(adapter.mountsObjects)('of an object like node:fs', async () => {
        const { fs } = memfs({ '/data/in': 'from memory' });
        const mounts: SpecChanges = {
          mounts: [{ type: 'fs', destination: '/mnt', fs: fs as unknown as SyncFileSystem, source: '/data' }],
        };
        expect((await run(sandbox, ['read', '/mnt/in'], mounts)).out).toBe('from memory');
        expect(await run(sandbox, ['write', '/mnt/out', 'from the guest'], mounts)).toMatchObject(FINE);
        expect(fs.readFileSync('/data/out', 'utf8')).toBe('from the guest');
        expect((await run(sandbox, ['ls', '/mnt'], mounts)).out.trim().split('\n').sort()).toEqual(
          expect.arrayContaining(['in', 'out']),
        );
      });

      it.runIf(!adapter.mountsObjects)('of an object is refused where it cannot be shared', async () => {
        const { fs } = memfs({});
        const mount = { type: 'fs', destination: '/mnt', fs: fs as unknown as SyncFileSystem, source: '/' } as const;
        await expect(sandbox.start(guestSpec(['hello'], { mounts: [mount] }))).rejects.toMatchObject({
          code: 'unsupported',
        });
      });
    });

    describe('a program that cannot be run', () => {
      const notThere: [string, SandboxSpec['program'], number, string, RegExp][] = [
        [
          'a name',
          { path: 'nope' },
          127,
          'entrypoint-not-found',
          /^exec: "nope": executable file not found in \$PATH$/,
        ],
        ['a path', { path: '/bin/nope' }, 127, 'entrypoint-not-found', /^exec: "\/bin\/nope": stat .*: no such file/],
        ['a directory', { path: '/etc' }, 126, 'entrypoint-denied', /is a directory/],
        ['a text file', { path: '/etc/hosts' }, 126, 'exec-format', /^exec \/etc\/hosts: exec format error/],
      ];
      it.each(notThere)('%s', async (_what, program, exitCode, errorCode, reason) => {
        const exit = await run(sandbox, [], { program });
        expect(exit).toMatchObject({ exitCode, errorCode, oomKilled: false });
        expect(exit.reason).toMatch(reason);
      });

      it('an ELF file, which it names', async () => {
        const exit = await run(sandbox, [], {
          program: { module: { bytes: new Uint8Array([0x7f, 0x45, 0x4c, 0x46]) } },
        });
        expect(exit).toMatchObject({ exitCode: 126, errorCode: 'exec-format' });
        expect(exit.reason).toContain('ELF');
      });

      it('a damaged module', async () => {
        const bytes = new Uint8Array(readFileSync(guestPath('busybox')).subarray(0, 500));
        const exit = await run(sandbox, [], { program: { module: { bytes } } });
        expect(exit).toMatchObject({ exitCode: 126, errorCode: 'invalid-module' });
      });
    });

    describe('a program that fails', () => {
      const ends: [string, string[], number, RegExp][] = [
        ['aborts', ['trap'], 134, /^trap: .*unreachable/i],
        ['divides by zero', ['divide', '0'], 136, /^trap: .*(divi|zero)/i],
        ['leaves its memory', ['bounds'], 139, /^trap: .*out of bounds/i],
        ['recurses', ['recurse'], 139, /^stack overflow/],
      ];
      it.each(ends)('%s', async (_what, args, exitCode, reason) => {
        const exit = await run(sandbox, args);
        expect(exit).toMatchObject({ exitCode, oomKilled: false });
        expect(exit.reason).toMatch(reason);
        expect((await run(sandbox, ['hello'])).exitCode).toBe(0);
      });

      it('is told apart by the function it failed in', async () => {
        expect((await run(sandbox, ['recurse'])).reason).toMatch(/recurse|function \d+|stack overflow/);
      });
    });

    describe('limits', () => {
      it('memory: what the guest may have, and how it ends without more', async () => {
        const resources = { memoryBytes: 32 * MIB };
        const { out } = await run(sandbox, ['grow'], { resources });
        expect(Number(/grew (\d+)/.exec(out)?.[1]) * 65536).toBeLessThan(32 * MIB);
        expect(await run(sandbox, ['grow', 'abort'], { resources })).toMatchObject({ exitCode: 137, oomKilled: true });
      });

      it('memory: a module that starts with more', async () => {
        expect(await run(sandbox, ['hello'], { resources: { memoryBytes: 65536 } })).toMatchObject({
          exitCode: 137,
          oomKilled: true,
        });
      });

      it('tables', async () => {
        const program = { module: { bytes: TABLE_GROWER } };
        // It grows its table until that fails, and aborts when it had more than the limit.
        expect(await run(sandbox, [], { program, resources: { tableElements: 10_000 } })).toMatchObject(FINE);
      });

      it('open files', async () => {
        const { out } = await run(sandbox, ['fds'], { resources: { nofile: 20 } });
        expect(Number(/opened (\d+)/.exec(out)?.[1])).toBeLessThanOrEqual(17);
        expect(Number(/opened (\d+)/.exec(out)?.[1])).toBeGreaterThan(10);
      });

      it('storage', async () => {
        const resources = { storageBytes: MIB };
        expect(await run(sandbox, ['fill', '/big', `${3 * MIB}`], { resources })).toMatchObject({
          exitCode: 1,
          err: expect.stringMatching(/^errno (51|19)\n$/),
        });
        expect(await run(sandbox, ['fill', '/small', `${MIB / 2}`], { resources })).toMatchObject(FINE);
      });

      it('time', async () => {
        const start = performance.now();
        const exit = await run(sandbox, ['loop'], { resources: { timeoutMs: 300 } });
        expect(exit).toMatchObject({ exitCode: 124, oomKilled: false, reason: 'timed out after 300 ms' });
        expect(performance.now() - start).toBeLessThan(10_000);
      });

      it('time, of a guest that sleeps', async () => {
        if (!adapter.concurrent) return;
        const exit = await run(sandbox, ['sleep', '60000'], { resources: { timeoutMs: 300 } });
        expect(exit).toMatchObject({ exitCode: 124 });
      });

      it('CPU', async () => {
        const resources = { cpus: 0.5, timeoutMs: 400 };
        expect(await run(sandbox, ['loop'], { resources })).toMatchObject({ exitCode: 124 });
        expect(await run(sandbox, ['hello'], { resources: { cpus: 0.5 } })).toMatchObject(FINE);
      });
    });

    describe.runIf(adapter.concurrent)('a running guest', () => {
      const signals: ['SIGTERM' | 'SIGINT' | 'SIGKILL' | 'SIGHUP' | 'SIGUSR1', number][] = [
        ['SIGTERM', 143],
        ['SIGINT', 130],
        ['SIGKILL', 137],
        ['SIGHUP', 129],
        ['SIGUSR1', 138],
      ];
      it.each(signals)('ends at %s while it computes', async (signal, exitCode) => {
        const handle = await sandbox.start(guestSpec(['loop']));
        await until(handle.stdout!, 'looping');
        await handle.signal(signal);
        expect(await handle.wait()).toEqual({ exitCode, signal, oomKilled: false });
        await expect(handle.signal('SIGTERM')).rejects.toMatchObject({ code: 'conflict' });
        expect(await handle.wait()).toMatchObject({ exitCode });
      });

      it('ends at a signal while it waits for input', async () => {
        const handle = await sandbox.start(guestSpec(['cat'], { stdio: { stdin: 'pipe' } }));
        const writer = handle.stdin!.getWriter();
        await writer.write(new TextEncoder().encode('ping'));
        await until(handle.stdout!, 'ping');
        await handle.signal('SIGTERM');
        expect(await handle.wait()).toMatchObject({ exitCode: 143 });
      });

      it('answers while its input is still open', async () => {
        const handle = await sandbox.start(guestSpec(['cat'], { stdio: { stdin: 'pipe' } }));
        const writer = handle.stdin!.getWriter();
        for (const word of ['one', 'two', 'three']) {
          await writer.write(new TextEncoder().encode(word));
          await until(handle.stdout!, word);
        }
        await writer.close();
        expect(await handle.wait()).toEqual(FINE);
      });

      it('waits while nobody reads, and is stopped when nobody will', async () => {
        const handle = await sandbox.start(guestSpec(['flood', `${1e9}`]));
        const reader = handle.stdout!.getReader();
        await reader.read();
        const before = process.memoryUsage().rss;
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(process.memoryUsage().rss - before).toBeLessThan(32 * MIB);
        await reader.cancel();
        const exit = await handle.wait();
        expect(exit.exitCode).not.toBe(0);
      });
    });

    it('carries 100 MB of output without keeping it', async () => {
      if (!adapter.concurrent) return;
      const handle = await sandbox.start(guestSpec(['flood', '1e8']));
      let bytes = 0;
      let most = 0;
      const before = process.memoryUsage().rss;
      const reader = handle.stdout!.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        bytes += part.value.length;
        if (bytes % (MIB * 4) < 65536) most = Math.max(most, process.memoryUsage().rss - before);
      }
      expect(await handle.wait()).toEqual(FINE);
      expect(bytes).toBe(1e8);
      expect(most).toBeLessThan(64 * MIB);
    });

    it('gives the same output twice when deterministic', async () => {
      const twice = [];
      for (let i = 0; i < 2; i++) twice.push((await run(sandbox, ['chance'], { deterministic: true })).out);
      expect(twice[0]).toMatch(/^[0-9]+ [0-9]+\n$/);
      expect(twice[1]).toBe(twice[0]);
      expect((await run(sandbox, ['chance'])).out).not.toBe(twice[0]);
    });
  });
}
