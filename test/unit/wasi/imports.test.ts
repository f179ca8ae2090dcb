import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as kernel from '../../../src/core/abi/kernel.ts';
import { encode, high, low, stringBlock } from '../../../src/host/wasi/context.ts';
import { deterministicHost } from '../../../src/host/wasi/defaults.ts';
import { toErrno } from '../../../src/host/wasi/errno.ts';
import { WasiProcess } from '../../../src/host/wasi/run.ts';
import * as w from '../../../src/spec/wasi-preview1.ts';
import { TestKernel } from '../../support/wasi-kernel.ts';

/** wasi_snapshot_preview1.witx, in its order. */
const PREVIEW1 =
  'args_get args_sizes_get environ_get environ_sizes_get clock_res_get clock_time_get fd_advise fd_allocate fd_close ' +
  'fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size ' +
  'fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek ' +
  'fd_sync fd_tell fd_write path_create_directory path_filestat_get path_filestat_set_times path_link path_open ' +
  'path_readlink path_remove_directory path_rename path_symlink path_unlink_file poll_oneoff proc_exit proc_raise ' +
  'sched_yield random_get sock_accept sock_recv sock_send sock_shutdown';

describe('the import modules', () => {
  const { imports } = new WasiProcess(new TestKernel());

  it('have every function of the specification', () => {
    const all = PREVIEW1.split(' ').sort();
    const given = Object.keys(imports.wasi_snapshot_preview1);
    expect(all.filter((name) => !given.includes(name))).toEqual([]);
    expect(Object.keys(imports.wasi_unstable).sort()).toEqual(all.filter((name) => name !== 'sock_accept'));
  });

  it('have besides only what is refused by answer', () => {
    const extra = Object.keys(imports.wasi_snapshot_preview1).filter((name) => !PREVIEW1.split(' ').includes(name));
    for (const name of extra) {
      const call = imports.wasi_snapshot_preview1[name] as () => number;
      // Accepting works on listeners the guest was given, whatever generation of the call it uses.
      const answer = name === 'sock_accept_v2' ? w.ERRNO_BADF : w.ERRNO_NOTSUP;
      expect(`${name} ${call()}`).toBe(`${name} ${answer}`);
    }
  });
});

describe('errno', () => {
  const wasi = w as unknown as Record<string, number>;
  const linux = Object.entries(kernel).filter(([name]) => /^E[A-Z]/.test(name) && name !== 'EHOSTIO');

  it.each(linux)('%s keeps its name', (name, number) => {
    const renamed: Record<string, string> = { EOPNOTSUPP: 'NOTSUP', ENODATA: 'IO' };
    expect(toErrno(-number)).toBe(wasi[`ERRNO_${renamed[name] ?? name.slice(1)}`]);
  });

  it('every kernel result is some errno', () => {
    fc.assert(
      fc.property(fc.integer(), (result) => {
        const errno = toErrno(result);
        expect(errno === 0).toBe(result >= 0);
        expect(errno).toBeLessThanOrEqual(w.ERRNO_NOTCAPABLE);
      }),
    );
  });
});

describe('strings', () => {
  it('are laid out one after the other, each with its end', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (strings) => {
        const clean = strings.map((string) => string.replaceAll('\0', ''));
        const { bytes, offsets } = stringBlock(strings);
        const decoder = new TextDecoder();
        expect(offsets.length).toBe(strings.length);
        expect(offsets.map((at) => decoder.decode(bytes.subarray(at, bytes.indexOf(0, at))))).toEqual(clean);
        expect(bytes.length).toBe(clean.reduce((sum, string) => sum + new TextEncoder().encode(string).length + 1, 0));
      }),
    );
  });

  it('encode as the encoder does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        expect([...encode(text)]).toEqual([...new TextEncoder().encode(text)]);
      }),
    );
  });

  it('a 64-bit argument falls into two halves', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        expect(BigInt(low(value)) + (BigInt(high(value)) << 32n)).toBe(BigInt.asUintN(64, value));
      }),
    );
  });
});

describe('a deterministic host', () => {
  it('gives the same times and bytes twice, and sleeps without waiting', () => {
    const look = () => {
      const host = deterministicHost(7);
      const bytes = new Uint8Array(21);
      host.random.fill(bytes);
      const before = host.clock.monotonicMs();
      host.sleep(3_600_000);
      return [...bytes, before, host.clock.monotonicMs(), host.clock.realtimeMs()];
    };
    expect(look()).toEqual(look());
    const [before, after] = look().slice(21);
    expect(after! - before!).toBeGreaterThanOrEqual(3_600_000);
  });
});
