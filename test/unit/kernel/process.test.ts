import { describe, expect, it } from 'vitest';
import * as abi from '../../../src/core/abi/kernel.ts';
import { bootGuest, Guest, ok } from '../../support/guest.ts';

const pidOf = (guest: Guest) => guest.view.getUint32(guest.view.getUint32(guest.t, true) + abi.PROCESS_PID, true);
const fork = (guest: Guest) => new Guest(guest.kernel, ok(guest.call('process_fork')), guest.layers);

describe('processes', () => {
  it('inherit fds, directory and umask, and go their own way', async () => {
    const parent = await bootGuest();
    parent.mkdir('/d');
    parent.writeFile('/d/f', 'abcdef');
    parent.call('chdir', parent.path('/d'));
    parent.call('umask', 0o077);
    const fd = ok(parent.open('f'));
    parent.read(fd, 2);
    const child = fork(parent);
    expect(Buffer.from(child.read(fd, 2) as Uint8Array).toString()).toBe('cd');
    expect(Buffer.from(parent.read(fd, 2) as Uint8Array).toString()).toBe('ef');
    child.close(fd);
    expect(parent.fstat(fd)).toMatchObject({ size: 6 });
    child.writeFile('new', '');
    expect(child.stat('/d/new')).toMatchObject({ mode: abi.S_IFREG | 0o600 });
    child.call('chdir', child.path('/'));
    expect(parent.stat('f')).toMatchObject({ size: 6 });
    expect(child.call('umask', 0o022)).toBe(0o077);
    expect(parent.check()).toBe(0);
  });

  it('are waited for once, with their status', async () => {
    const parent = await bootGuest();
    const [one, two] = [fork(parent), fork(parent)];
    const [a, b] = [pidOf(one), pidOf(two)];
    expect(parent.call('process_wait', -1, abi.WNOHANG)).toBe(0);
    expect(parent.call('process_wait', -1, 0)).toBe(-abi.EAGAIN);
    two.call('process_exit', 7);
    expect(parent.call('process_wait', a, abi.WNOHANG)).toBe(0);
    expect(parent.call('process_wait', -1, 0)).toBe(b);
    expect(parent.r(0)).toBe(7);
    expect(parent.call('process_wait', b, 0)).toBe(-abi.ECHILD);
    one.call('process_exit', 0);
    expect(parent.call('process_wait', a, 0)).toBe(a);
    expect(parent.call('process_wait', -1, 0)).toBe(-abi.ECHILD);
    expect(parent.check()).toBe(0);
  });

  it('are bounded, zombies included, and leave nothing behind', async () => {
    const parent = await bootGuest({ pidQuota: 4 });
    const children = [1, 2, 3].map(() => fork(parent));
    expect(parent.call('process_fork')).toBe(-abi.EAGAIN);
    for (const child of children) child.call('process_exit', 0);
    expect(parent.call('process_fork')).toBe(-abi.EAGAIN);
    for (const _ of children) expect(parent.call('process_wait', -1, 0)).toBeGreaterThan(0);
    const before = parent.kernel.calls.kernel_used_bytes!();
    for (let i = 0; i < 5000; i++) {
      const child = fork(parent);
      ok(child.open('/', abi.O_DIRECTORY));
      child.call('process_exit', i & 255);
      parent.call('process_wait', -1, 0);
    }
    expect(parent.kernel.calls.kernel_used_bytes!()).toBeLessThanOrEqual(before + 2 * 4096);
    expect(parent.check()).toBe(0);
  });

  it('of a parent that ends first are nobody else to wait for', async () => {
    const first = await bootGuest();
    const middle = fork(first);
    const [zombie, alive] = [fork(middle), fork(middle)];
    zombie.call('process_exit', 1);
    middle.call('process_exit', 0);
    alive.call('process_exit', 0);
    expect(first.call('process_wait', -1, 0)).toBeGreaterThan(0);
    expect(first.call('process_wait', -1, 0)).toBe(-abi.ECHILD);
    expect(first.check()).toBe(0);
  });

  it('collect signals until they are taken', async () => {
    const guest = await bootGuest();
    const { process_kill: kill, signals_take: take, process_by_pid: byPid } = guest.kernel.calls;
    const pid = pidOf(guest);
    expect(byPid!(pid)).toBe(guest.t);
    expect([kill!(pid, 15), kill!(pid, 2), kill!(pid, 0)]).toEqual([0, 0, 0]);
    expect(take!(guest.t)).toBe((1 << 14) | (1 << 1));
    expect(take!(guest.t)).toBe(0);
    expect([kill!(pid, 40), kill!(9999, 9), byPid!(9999)]).toEqual([-abi.EINVAL, -abi.ESRCH, -abi.ESRCH]);
  });

  it('have tasks that share all but the call areas', async () => {
    const guest = await bootGuest();
    const thread = new Guest(guest.kernel, ok(guest.call('task_create')));
    const fd = ok(guest.open('/', abi.O_DIRECTORY));
    expect(thread.fstat(fd)).toMatchObject({ nlink: expect.any(Number) });
    thread.path('/somewhere');
    guest.path('/elsewhere');
    expect(thread.text(abi.TASK_PATH_A, 10)).toBe('/somewhere');
    expect(thread.call('task_destroy')).toBe(0);
  });
});

describe('pipes', () => {
  async function open(flags = 0) {
    const guest = await bootGuest();
    expect(guest.call('pipe', flags)).toBe(0);
    return { guest, reader: guest.r(0), writer: guest.r(1) };
  }

  it('carry bytes in order around their ring', async () => {
    const { guest, reader, writer } = await open();
    for (let i = 0; i < 50; i++) {
      const data = new Uint8Array(5000).map((_, k) => (i + k) & 255);
      expect(guest.write(writer, data)).toBe(5000);
      expect(guest.read(reader, 6000)).toEqual(data);
    }
    expect(guest.check()).toBe(0);
  });

  it('are ended by their last writer and broken by their last reader', async () => {
    const { guest, reader, writer } = await open();
    const copy = guest.call('dup', writer, 0);
    guest.write(writer, 'last');
    guest.close(writer);
    expect(guest.read(reader, 10)).toHaveLength(4);
    expect(guest.read(reader, 10)).toBe(-abi.EAGAIN);
    guest.close(copy);
    expect(guest.read(reader, 10)).toHaveLength(0);
    expect(guest.call('poll_query', reader, abi.POLLIN)).toBe(abi.POLLHUP);
    const second = await open();
    second.guest.close(second.reader);
    expect(second.guest.write(second.writer, 'x')).toBe(-abi.EPIPE);
    expect(second.guest.call('poll_query', second.writer, abi.POLLOUT)).toBe(abi.POLLERR);
  });

  it('take PIPE_BUF whole or not at all', async () => {
    const { guest, reader, writer } = await open(abi.O_NONBLOCK);
    expect(guest.write(writer, new Uint8Array(abi.PIPE_BYTES - 100))).toBe(abi.PIPE_BYTES - 100);
    expect(guest.write(writer, new Uint8Array(200))).toBe(-abi.EAGAIN);
    expect(guest.call('poll_query', writer, abi.POLLOUT)).toBe(0);
    expect(guest.call('poll_query', reader, abi.POLLIN)).toBe(abi.POLLIN);
    expect(guest.r(0)).toBe(abi.PIPE_BYTES - 100);
    expect(guest.write(writer, new Uint8Array(100))).toBe(100);
    guest.read(reader, 5000);
    expect(guest.write(writer, new Uint8Array(9000))).toBe(5000);
    expect(guest.call('lseek', reader, 0, 0, abi.SEEK_SET)).toBe(-abi.ESPIPE);
    expect(guest.read(reader, 1, 0)).toBe(-abi.ESPIPE);
  });

  it('have names as FIFOs', async () => {
    const { guest } = await open();
    guest.call('mknodat', abi.AT_FDCWD, guest.path('/fifo'), abi.S_IFIFO | 0o600, 0, 0);
    expect(guest.open('/fifo', abi.O_WRONLY | abi.O_NONBLOCK)).toBe(-abi.ENXIO);
    expect(guest.open('/fifo', abi.O_RDONLY)).toBe(-abi.EAGAIN);
    const reader = ok(guest.open('/fifo', abi.O_RDONLY | abi.O_NONBLOCK));
    const writer = ok(guest.open('/fifo', abi.O_WRONLY));
    guest.write(writer, 'hi');
    expect(guest.read(reader, 9)).toHaveLength(2);
    guest.unlink('/fifo');
    guest.close(reader);
    guest.close(writer);
    expect(guest.check()).toBe(0);
  });

  it('are bounded and leave nothing behind', async () => {
    const guest = await bootGuest({ pipeQuota: 3 });
    const round = () => {
      ok(guest.call('pipe', 0));
      const [reader, writer] = [guest.r(0), guest.r(1)];
      guest.write(writer, 'x');
      guest.close(reader);
      guest.close(writer);
    };
    round();
    const before = guest.kernel.calls.kernel_used_bytes!();
    for (let i = 0; i < 2000; i++) round();
    expect(guest.kernel.calls.kernel_used_bytes!()).toBe(before);
    for (let i = 0; i < 3; i++) ok(guest.call('pipe', 0));
    expect(guest.call('pipe', 0)).toBe(-abi.ENFILE);
  });
});

describe('poll', () => {
  it('finds files always ready and refuses what is not open', async () => {
    const guest = await bootGuest();
    guest.writeFile('/f', 'abc');
    const fd = ok(guest.open('/f', abi.O_RDWR));
    expect(guest.call('poll_query', fd, abi.POLLIN | abi.POLLOUT)).toBe(abi.POLLIN | abi.POLLOUT);
    expect(guest.r(0)).toBe(3);
    expect(guest.call('poll_query', 50, abi.POLLIN)).toBe(-abi.EBADF);
    expect(guest.call('event_wait', 0, 10)).toBe(-abi.EAGAIN);
  });

  it('waits for events where memory is shared', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    const word = guest.kernel.calls.event_word!();
    const seen = guest.view.getInt32(word, true);
    const start = performance.now();
    expect(guest.call('event_wait', seen, 50)).toBe(-abi.ETIMEDOUT);
    expect(performance.now() - start).toBeGreaterThan(40);
    guest.call('pipe', 0);
    expect(guest.call('event_wait', seen, 5000)).toBe(0);
    guest.kernel.calls.process_kill!(pidOf(guest), 2);
    expect(guest.call('event_wait', guest.view.getInt32(word, true), 5000)).toBe(-abi.EINTR);
  });
});
