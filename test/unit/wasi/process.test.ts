import { beforeEach, describe, expect, it } from 'vitest';
import type { HostConnection, HostListener, HostStream } from '../../../src/host/wasi/ports.ts';
import { createProcess, runInline, WasiProcess } from '../../../src/host/wasi/run.ts';
import * as w from '../../../src/spec/wasi-preview1.ts';
import { TestGuest } from '../../support/wasi-guest.ts';
import { TestKernel } from '../../support/wasi-kernel.ts';

const EAGAIN = 11;
let kernel: TestKernel;

beforeEach(() => {
  kernel = new TestKernel();
});

describe('a process slot', () => {
  it('serves one process after the other and leaves nothing behind', () => {
    kernel.write({ file: 'x' });
    const process = new WasiProcess(kernel);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const { path_open } = process.imports.wasi_snapshot_preview1 as Record<string, (...v: unknown[]) => number>;
    const used: number[] = [];
    for (let i = 0; i < 50; i++) {
      process.open({ args: ['a'] });
      const end = process.run(memory, () => {
        new Uint8Array(memory.buffer).set(new TextEncoder().encode('file'), 0);
        expect(path_open!(3, 0, 0, 4, 0, 2n, 0n, 0, 16)).toBe(0);
        expect(new DataView(memory.buffer).getUint32(16, true)).toBe(4);
      });
      expect(end).toEqual({ kind: 'exit', exitCode: 0 });
      used.push(kernel.exports.kernel_used_bytes!());
    }
    expect(used.at(-1)).toBe(used[5]);
    expect(kernel.exports.kernel_check!()).toBe(0);
  });

  it('says what is missing', () => {
    expect(() => createProcess(kernel, { args: [], preopens: [{ name: '/', path: '/none' }] })).toThrow(
      'the directory /none of the container cannot be opened (errno 2)',
    );
    const empty = new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    expect(() => runInline(new WasiProcess(kernel), empty, { args: [] })).toThrow(
      'the module has no function export named _start',
    );
  });

  it('tells a trap from an exit', () => {
    const process = createProcess(kernel, { args: [] });
    const error = new RangeError('Maximum call stack size exceeded');
    const end = process.run(undefined, () => {
      throw error;
    });
    expect(end).toEqual({ kind: 'trap', exitCode: 134, error });
  });
});

describe('streams', () => {
  it('are closed with their last descriptor, or at the end', () => {
    const closed: string[] = [];
    const stream = (name: string): HostStream => ({
      read: () => 0,
      write: (b) => b.length,
      close: () => closed.push(name),
    });
    const options = {
      stdin: { stream: stream('in') },
      stdout: { stream: stream('out') },
      stderr: { stream: stream('err') },
    };
    const guest = new TestGuest(kernel, options);
    expect(guest.calls.fd_close!(1)).toBe(0);
    expect(closed).toEqual(['out']);
    expect(guest.calls.fd_renumber!(0, 2)).toBe(0);
    expect(closed).toEqual(['out', 'err']);
    guest.process.close(0);
    expect(closed).toEqual(['out', 'err', 'in']);
  });

  it('a terminal is a character device without seeking, anything else is not', () => {
    const guest = new TestGuest(kernel, { stdin: { stream: { read: () => 0 }, terminal: true } });
    const at = guest.room(24);
    expect(guest.calls.fd_fdstat_get!(0, at)).toBe(0);
    expect(guest.view.getUint8(at)).toBe(w.FILETYPE_CHARACTER_DEVICE);
    expect(guest.rights(0)[0] & (w.RIGHT_FD_SEEK | w.RIGHT_FD_TELL)).toBe(0);
    expect(guest.calls.fd_fdstat_get!(1, at)).toBe(0);
    expect(guest.view.getUint8(at)).toBe(w.FILETYPE_UNKNOWN);
  });

  it('gather what a vector scatters, and pass on what the host says', () => {
    const writes: string[] = [];
    let answer: number | undefined;
    const stdout: HostStream = {
      write(source) {
        writes.push(new TextDecoder().decode(source));
        return answer ?? source.length;
      },
    };
    const guest = new TestGuest(kernel, { stdout: { stream: stdout } });
    expect(guest.calls.fd_write!(1, ...guest.vector(guest.put('a'), guest.put('bc'), guest.put('')), 0)).toBe(0);
    expect(writes).toEqual(['abc']);
    answer = -EAGAIN;
    expect(guest.write(1, 'x')).toBe(w.ERRNO_AGAIN);
    answer = -32;
    expect(guest.write(1, 'x')).toBe(w.ERRNO_PIPE);
  });

  it('poll asks a stream until it is ready, sleeping in between', () => {
    let looks = 0;
    const sleeps: number[] = [];
    const stdin: HostStream = { read: () => 0, poll: () => (++looks < 4 ? 0 : 1), available: () => 12 };
    const guest = new TestGuest(kernel, { stdin: { stream: stdin }, sleep: (ms) => void sleeps.push(ms) });
    const subscription = guest.room(48);
    guest.view.setUint8(subscription + 8, w.EVENT_FD_READ);
    const event = guest.room(32);
    const count = guest.room(4);
    expect(guest.calls.poll_oneoff!(subscription, event, 1, count)).toBe(0);
    expect(guest.view.getUint32(count, true)).toBe(1);
    expect(guest.view.getUint32(event + 16, true)).toBe(12);
    expect(sleeps).toEqual([5, 5, 5]);
  });
});

describe('sockets', () => {
  function connection(log: string[], input: string): HostConnection {
    let rest = new TextEncoder().encode(input);
    const take = (target: Uint8Array) => {
      const piece = rest.subarray(0, target.length);
      target.set(piece);
      rest = rest.subarray(piece.length);
      return piece.length;
    };
    const give = (source: Uint8Array) => {
      log.push(`send ${new TextDecoder().decode(source)}`);
      return source.length;
    };
    return {
      receive: take,
      send: give,
      read: take,
      write: give,
      shutdown(how) {
        log.push(`shutdown ${how}`);
        return 0;
      },
      close: () => log.push('close'),
    };
  }

  it('a listener is preopened after the directories; its connections carry data', () => {
    const log: string[] = [];
    const waiting = [connection(log, 'hello there')];
    const listener: HostListener = { accept: () => waiting.shift() ?? -EAGAIN };
    const guest = new TestGuest(kernel, { listeners: [listener] });
    const result = guest.room(4);
    const flags = guest.room(4);
    expect(guest.calls.sock_accept!(3, 0, result)).toBe(w.ERRNO_NOTSOCK);
    expect(guest.calls.sock_accept!(4, 0, result)).toBe(0);
    const fd = guest.view.getUint32(result, true);
    expect(fd).toBe(5);
    expect(guest.calls.sock_accept!(4, 0, result)).toBe(w.ERRNO_AGAIN);
    const [a, b] = [guest.room(5), guest.room(6)];
    expect(guest.calls.sock_recv!(fd, ...guest.vector([a, 5], [b, 6]), 0, result, flags)).toBe(0);
    expect(guest.view.getUint32(result, true)).toBe(11);
    expect(new TextDecoder().decode(new Uint8Array(guest.memory.buffer, b, 6))).toBe(' there');
    expect(guest.calls.sock_send!(fd, ...guest.vector(guest.put('x'), guest.put('yz')), 0, result)).toBe(0);
    expect(guest.calls.sock_send!(fd, ...guest.vector(guest.put('x')), 1, result)).toBe(w.ERRNO_INVAL);
    expect(guest.write(fd, 'plain')).toBe(0);
    expect(guest.calls.sock_recv!(4, ...guest.vector([a, 5]), 0, result, flags)).toBe(w.ERRNO_NOTCONN);
    expect(guest.calls.sock_shutdown!(fd, 0)).toBe(w.ERRNO_INVAL);
    expect(guest.calls.sock_shutdown!(fd, w.SD_RD | w.SD_WR)).toBe(0);
    expect(guest.calls.fd_close!(fd)).toBe(0);
    expect(log).toEqual(['send xyz', 'send plain', 'shutdown 3', 'close']);
  });
});
