/**
 * A second thread over a shared kernel, in plain JavaScript so that a Worker of any supported Node loads it. Runs one job
 * and posts what it counted. workerData: { module, memory, job, rounds, seed, fds }.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, job, rounds, seed, task } = workerData;
const AT_FDCWD = -100;
const PATH_A = 640;
const PATH_B = 4800;
const SEGMENT_COUNT = 8;
const IO_FLAGS = 12;
const SEGMENTS = 64;
const encoder = new TextEncoder();

const host = new Proxy({}, { get: (_, name) => (name === 'now' ? () => 1.7e12 : () => -38) });
const imports = { env: { memory }, host: {} };
for (const { module: from, name } of WebAssembly.Module.imports(module))
  if (from === 'host') imports.host[name] = host[name];
const calls = new WebAssembly.Instance(module, imports).exports;
calls.kernel_attach(1);
const t = task ?? calls.process_create(0, 0, 0, 0);

let state = seed >>> 0;
function random(n) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % n;
}

function path(text, area = PATH_A) {
  const bytes = encoder.encode(text);
  new Uint8Array(memory.buffer).set(bytes, t + area);
  return bytes.length;
}

/** Moves `n` bytes of the begun call: `visit(bytes, done)` sees each segment of kernel memory. */
function move(n, visit) {
  const view = new DataView(memory.buffer);
  const count = view.getUint32(t + SEGMENT_COUNT, true);
  let done = 0;
  for (let i = 0; i < count; i++) {
    const at = t + SEGMENTS + 24 * i;
    const length = view.getUint32(at + 8, true);
    if (view.getUint32(at, true) === 0)
      visit(new Uint8Array(memory.buffer, view.getUint32(at + 4, true), length), done);
    done += length;
  }
  if (view.getUint32(t + IO_FLAGS, true) & 1) calls.io_end(t, n);
}

const open = (name, flags, walk = 0) => calls.openat(t, AT_FDCWD, path(name), flags, 0o644, walk);
const rename = (from, to) => {
  const length = path(from);
  return calls.renameat(t, AT_FDCWD, length, AT_FDCWD, path(to, PATH_B), 0, 0);
};

const jobs = {
  /** Random name and data operations in a directory both threads use. */
  hammer() {
    let worked = 0;
    for (let i = 0; i < rounds; i++) {
      const name = `/shared/${random(8)}`;
      const other = `/shared/${random(8)}`;
      let result = 0;
      switch (random(6)) {
        case 0:
        case 1: {
          const fd = open(name, 0o102);
          result = fd;
          if (fd < 0) break;
          const value = 1 + random(255);
          const n = calls.write_begin(t, fd, 1 + random(9000));
          if (n > 0) move(n, (bytes) => bytes.fill(value));
          calls.close(t, fd);
          break;
        }
        case 2:
          result = rename(name, other);
          break;
        case 3:
          result = calls.unlinkat(t, AT_FDCWD, path(name), 0);
          break;
        case 4:
          result = calls.mkdirat(t, AT_FDCWD, path(`${name}-dir`), 0o755, 0);
          break;
        default:
          result = calls.rmdirat(t, AT_FDCWD, path(`${name}-dir`), 0);
      }
      if (result >= 0) worked++;
    }
    return { worked };
  },

  /** Swaps a directory and a symlink that leads out, over and over. */
  swap() {
    let swaps = 0;
    const done = new Int32Array(workerData.done);
    while (Atomics.load(done, 0) === 0) {
      if (rename('/jail/door', '/jail/dir-aside') === 0 && rename('/jail/link-aside', '/jail/door') === 0) swaps++;
      rename('/jail/door', '/jail/link-aside');
      rename('/jail/dir-aside', '/jail/door');
    }
    return { swaps };
  },

  /** Writes numbered records to a pipe; the reader checks that none is torn. */
  write() {
    for (let i = 0; i < rounds; i++) {
      const record = new Uint8Array(64).fill(1 + ((seed + i) % 250));
      const n = calls.write_begin(t, workerData.fd, 64);
      if (n !== 64) return { failed: n };
      move(n, (bytes, done) => bytes.set(record.subarray(done, done + bytes.length)));
    }
    calls.close(t, workerData.fd);
    return { written: rounds * 64 };
  },

  /** Writes `rounds` bytes of a known sequence in pieces of any size, and ends with how many went. */
  pour() {
    let written = 0;
    let n = 0;
    while (written < rounds) {
      n = calls.write_begin(t, workerData.fd, Math.min(rounds - written, 1 + random(20_000)));
      if (n < 0) break;
      const from = written;
      move(n, (bytes, done) => {
        for (let i = 0; i < bytes.length; i++) bytes[i] = ((from + done + i) * 31) & 255;
      });
      written += n;
    }
    calls.process_exit(t, n < 0 ? 32 : 0);
    return { written, last: n };
  },

  /** Reads up to `rounds` bytes of it in pieces of any size, and ends with how many were right. */
  drain() {
    let read = 0;
    let n = 1;
    let wrong = 0;
    while (read < rounds) {
      n = calls.read_begin(t, workerData.fd, Math.min(rounds - read, 1 + random(20_000)));
      if (n <= 0) break;
      const from = read;
      move(n, (bytes, done) => {
        for (let i = 0; i < bytes.length; i++) if (bytes[i] !== (((from + done + i) * 31) & 255)) wrong++;
      });
      read += n;
    }
    calls.process_exit(t, wrong === 0 ? 0 : 1);
    return { read, wrong, last: n };
  },

  /** Opens a path that comes and goes with a blocking read of a pipe in between, until killed by a signal. */
  block() {
    const n = calls.read_begin(t, workerData.fd, 64);
    return { result: n };
  },
};

const result = jobs[job]();
if (task === undefined) calls.process_exit(t, 0);
parentPort.postMessage(result);
