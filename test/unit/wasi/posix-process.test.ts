/** proc_spawn, proc_wait, proc_kill and fd_pipe as calls: what is judged before anybody is asked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import type { ProcessPort, SpawnRequest } from '../../../src/host/wasi/ports.ts';
import type { WasiProcessOptions } from '../../../src/host/wasi/run.ts';
import * as w from '../../../src/spec/wasi-preview1.ts';
import * as p from '../../../src/spec/wctr-posix.ts';
import { TestGuest, type WasiCall } from '../../support/wasi-guest.ts';
import { TestKernel } from '../../support/wasi-kernel.ts';

class Others implements ProcessPort {
  readonly asked: SpawnRequest[] = [];
  readonly killed: (readonly [pid: number, signal: number])[] = [];
  broken = 0;
  answer = 7;

  spawn(request: SpawnRequest): number {
    this.asked.push(request);
    return this.answer;
  }

  kill(pid: number, signal: number): number {
    this.killed.push([pid, signal]);
    return 0;
  }

  brokenPipe(): void {
    this.broken++;
  }
}

function open(options: Partial<WasiProcessOptions> = {}) {
  const kernel = new TestKernel();
  kernel.write({ 'bin/tool': 'x', 'work/dir/file': 'y', link: { link: 'bin/tool' } });
  const others = new Others();
  const guest = new TestGuest(kernel, { processes: others, ...options });
  const calls = guest.process.imports[p.MODULE_POSIX] as unknown as Record<string, WasiCall>;
  const result = guest.room(8);
  const spawn = (
    path: string | Uint8Array,
    { args = 'p\0', env = '', cwd = '/', fds = [0, 1, 2] as readonly number[] } = {},
  ) =>
    calls.proc_spawn!(
      ...guest.put(path),
      ...guest.put(args),
      ...guest.put(env),
      ...guest.put(cwd),
      guest.put(new Uint8Array(Uint32Array.from(fds).buffer))[0],
      fds.length,
      result,
    );
  return { kernel, others, guest, calls, result, spawn };
}

const decoder = new TextDecoder();

describe('proc_spawn', () => {
  it('asks for a file that is there, with strings as they are', () => {
    const { others, guest, result, spawn } = open({ cwd: '/work' });
    expect(spawn('/bin/tool', { args: 'tool\0an argument\0\0', env: 'A=\0B=2\0', cwd: '/work/dir' })).toBe(0);
    expect(guest.view.getUint32(result, true)).toBe(7);
    const [first] = others.asked;
    expect(first).toMatchObject({ path: '/bin/tool', cwd: '/work/dir', fds: Int32Array.of(0, 1, 2) });
    expect([decoder.decode(first!.args.bytes), first!.args.offsets]).toEqual(['tool\0an argument\0\0', [0, 5, 17]]);
    expect(first!.env.offsets).toEqual([0, 3]);
    // Relative to the directory given; that one to where the caller was started.
    expect(spawn('../bin/tool', { cwd: '/work' })).toBe(0);
    expect(spawn('file', { cwd: 'dir' })).toBe(0);
    expect(spawn('dir/file', { cwd: '' })).toBe(0);
    expect(others.asked.slice(1).map(({ path, cwd }) => [path, cwd])).toEqual([
      ['/work/../bin/tool', '/work'],
      ['/work/dir/file', '/work/dir'],
      ['/work/dir/file', '/work'],
    ]);
  });

  it('knows a file by what it holds', () => {
    const { kernel, others, spawn } = open();
    const identity = () => {
      expect(spawn('/bin/tool')).toBe(0);
      return others.asked.at(-1)!.identity;
    };
    const first = identity();
    expect(first).toBeDefined();
    expect(identity()).toBe(first);
    expect(spawn('/link')).toBe(0);
    expect(others.asked.at(-1)!.identity).toBe(first);
    kernel.write({ 'bin/tool': 'z' });
    const second = identity();
    expect(second).not.toBe(first);
    kernel.write({ 'bin/tool': 'x' });
    expect([first, second]).not.toContain(identity());
  });

  it('refuses what is no program, no directory, no descriptor', () => {
    const { others, guest, spawn } = open();
    expect(spawn('/none')).toBe(w.ERRNO_NOENT);
    expect(spawn('')).toBe(w.ERRNO_NOENT);
    expect(spawn('/bin')).toBe(w.ERRNO_ACCES);
    expect(spawn('/bin/tool/x')).toBe(w.ERRNO_NOTDIR);
    expect(spawn('/bin/tool\0x')).toBe(w.ERRNO_ILSEQ);
    expect(spawn(Uint8Array.of(0x2f, 0xff))).toBe(w.ERRNO_ILSEQ);
    expect(spawn(`/${'a'.repeat(5000)}`)).toBe(w.ERRNO_NAMETOOLONG);
    expect(spawn('/bin/tool', { cwd: '/none' })).toBe(w.ERRNO_NOENT);
    expect(spawn('/bin/tool', { cwd: '/bin/tool' })).toBe(w.ERRNO_NOTDIR);
    expect(spawn('/bin/tool', { args: 'p' })).toBe(w.ERRNO_INVAL);
    expect(spawn('/bin/tool', { fds: [0, 99] })).toBe(w.ERRNO_BADF);
    expect(spawn('/bin/tool', { fds: [-2] })).toBe(w.ERRNO_BADF);
    expect(spawn('/bin/tool', { fds: Array.from({ length: 1025 }, () => p.FD_CLOSED) })).toBe(w.ERRNO_INVAL);
    const context = guest.process.context;
    const socket = context.openStream({}, abi.S_IFSOCK, abi.O_RDWR, w.RIGHTS_ALL);
    expect(spawn('/bin/tool', { fds: [socket] })).toBe(w.ERRNO_NOTSUP);
    expect(others.asked).toEqual([]);
    expect(spawn('/bin/tool', { fds: [p.FD_CLOSED, 3] })).toBe(0);
    others.answer = -abi.EAGAIN;
    expect(spawn('/bin/tool')).toBe(w.ERRNO_AGAIN);
  });

  it('takes so many strings and so long ones', () => {
    const { calls, guest, others, result } = open();
    const [tool, size] = guest.put('/bin/tool');
    const [root] = guest.put('/');
    guest.memory.grow(40);
    const at = guest.memory.buffer.byteLength - p.SPAWN_STRINGS_MAX;
    const spawn = (args: number, env: number) =>
      calls.proc_spawn!(tool, size, at, args, at, env, root, 1, 0, 0, result);
    expect(spawn(p.SPAWN_STRINGS_EACH, 0)).toBe(0);
    expect(spawn(p.SPAWN_STRINGS_EACH + 1, 0)).toBe(w.ERRNO_2BIG);
    expect(spawn(0, p.SPAWN_STRINGS_EACH + 1)).toBe(w.ERRNO_2BIG);
    new Uint8Array(guest.memory.buffer).fill(0x61, at, at + p.SPAWN_STRINGS_MAX - 1);
    expect(spawn(p.SPAWN_STRINGS_MAX, 0)).toBe(0);
    expect(spawn(p.SPAWN_STRINGS_MAX, 1)).toBe(w.ERRNO_2BIG);
    expect(others.asked.map(({ args }) => args.offsets.length)).toEqual([p.SPAWN_STRINGS_EACH, 1]);
  });
});

describe('proc_wait and proc_kill', () => {
  it('are about children, and about what there is', () => {
    const { kernel, calls, guest, others, result } = open();
    const wait = (pid: number, flags = 0) => calls.proc_wait!(pid, flags, result, result + 4);
    expect(wait(0)).toBe(w.ERRNO_CHILD);
    const { task } = guest.process.context;
    const child = kernel.exports.process_spawn!(task, 0);
    const pid = new DataView(kernel.memory.buffer).getUint32(child, true);
    const childPid = new DataView(kernel.memory.buffer).getUint32(pid, true);
    expect([wait(0, 1), guest.view.getUint32(result, true)]).toEqual([0, 0]);
    expect(wait(childPid + 1, 1)).toBe(w.ERRNO_CHILD);
    expect([calls.proc_kill!(childPid, 15), calls.proc_kill!(childPid, 0)]).toEqual([0, 0]);
    kernel.exports.process_exit!(child, 256 + 9);
    expect([wait(childPid), guest.view.getUint32(result, true), guest.view.getUint32(result + 4, true)]).toEqual([
      0,
      childPid,
      9,
    ]);
    expect(calls.proc_kill!(childPid, 15)).toBe(w.ERRNO_SRCH);
    for (const [target, signal] of [
      [0, 9],
      [-1, 9],
      [childPid, 32],
      [childPid, -1],
    ] as const) {
      expect(calls.proc_kill!(target, signal)).toBe(w.ERRNO_INVAL);
    }
    expect(wait(-1)).toBe(w.ERRNO_INVAL);
    expect(wait(0, 2)).toBe(w.ERRNO_INVAL);
    // The host's own are nobody's to see.
    kernel.exports.process_create!(0, 0, 0, abi.PROCESS_HOST);
    expect(calls.proc_kill!(abi.PROCESS_HOST_PIDS, 9)).toBe(w.ERRNO_SRCH);
    expect(others.killed).toEqual([[childPid, 15]]);
  });
});

describe('fd_pipe', () => {
  it('gives an end to read and an end to write, and tells when nobody reads', () => {
    const { calls, guest, others, result } = open();
    expect(calls.fd_pipe!(result)).toBe(0);
    const [reader, writer] = [guest.view.getUint32(result, true), guest.view.getUint32(result + 4, true)];
    expect(guest.write(writer, 'through')).toBe(0);
    expect(guest.read(reader)).toBe('through');
    expect(guest.write(reader, 'x')).toBe(w.ERRNO_NOTCAPABLE);
    expect(guest.read(writer)).toBe(w.ERRNO_NOTCAPABLE);
    guest.calls.fd_close!(reader);
    expect([guest.write(writer, 'x'), others.broken]).toEqual([w.ERRNO_PIPE, 1]);
  });
});

describe('where no program can start another one', () => {
  it('these calls say so', () => {
    const kernel = new TestKernel();
    const guest = new TestGuest(kernel);
    const calls = guest.process.imports[p.MODULE_POSIX] as unknown as Record<string, WasiCall>;
    for (const name of ['proc_spawn', 'proc_wait', 'proc_kill', 'fd_pipe']) {
      expect(calls[name]!(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), name).toBe(w.ERRNO_NOSYS);
    }
  });
});

describe('random calls', () => {
  it('answer an errno, whatever the arguments, and never throw into the guest', () => {
    const { kernel, guest, calls } = open({ deterministic: true });
    guest.put('bin/tool\0link\0../x\0');
    const numbers = fc.oneof(
      fc.integer({ min: -2, max: 12 }),
      fc.integer({ min: 1000, max: 1300 }),
      fc.integer(),
      fc.constantFrom(0x7fffffff, -0x80000000, 65535, 262143, 262144, 1024, 1023),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(calls)),
        fc.array(numbers, { minLength: 11, maxLength: 11 }),
        (name, values) => {
          const errno = calls[name]!(...values);
          expect(Number.isInteger(errno) && errno >= 0 && errno <= w.ERRNO_NOTCAPABLE, `${name}: ${errno}`).toBe(true);
        },
      ),
      { numRuns: 20_000 },
    );
    expect(kernel.exports.kernel_check!()).toBe(0);
  });
});
