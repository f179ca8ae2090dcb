/**
 * THREATS.md, "links swapped during open": one process swaps a directory and a link to the outside as fast as it can,
 * another opens through the name from behind a fence. Both work on one shared memory, in two threads.
 */
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import * as abi from '../../src/core/abi/kernel.ts';
import { withMemoryKind } from '../../src/core/load.ts';
import * as w from '../../src/spec/wasi-preview1.ts';
import { TestGuest } from '../support/wasi-guest.ts';
import { TestKernel } from '../support/wasi-kernel.ts';
import { kernelBytes } from '../support/wasm.ts';

const OPENS = 1_000_000;
/** The machine may be slow: what is done by then counts. */
const LIMIT_MS = 15_000;

/** Exchanges jail/door between a directory (with an "inside" file) and a link to the root, over and over. */
const SWAPPER = `
  const { workerData, parentPort } = require('node:worker_threads');
  const { memory, module, stop, abi } = workerData;
  const none = () => -38;
  const host = new Proxy({ now: () => Date.now(), random: () => {} }, { get: (o, name) => o[name] ?? none });
  const imports = { env: { memory }, host: {} };
  for (const { module: from, name } of WebAssembly.Module.imports(module)) if (from === 'host') imports.host[name] = host[name];
  const kernel = new WebAssembly.Instance(module, imports).exports;
  kernel.kernel_attach(1);
  const task = kernel.process_create(0, 0, 0, 0);
  const put = (text, area) => {
    new Uint8Array(memory.buffer).set(new TextEncoder().encode(text), task + area);
    return text.length;
  };
  const rename = (from, to) => {
    const a = put(from, abi.TASK_PATH_A);
    const b = put(to, abi.TASK_PATH_B);
    const result = kernel.renameat(task, abi.AT_FDCWD, a, abi.AT_FDCWD, b, 0, 0);
    if (result < 0) throw new Error(from + ' -> ' + to + ': ' + result);
  };
  parentPort.postMessage('ready');
  let swaps = 0;
  while (Atomics.load(stop, 0) === 0) {
    rename('/jail/door', '/jail/dir');
    rename('/jail/link', '/jail/door');
    rename('/jail/door', '/jail/link');
    rename('/jail/dir', '/jail/door');
    swaps++;
  }
  parentPort.postMessage(swaps);
`;

it('no open leaves its fence while the way is swapped', { timeout: 60_000 }, async () => {
  const kernel = new TestKernel({ shared: true });
  kernel.write({
    file: 'outside',
    'jail/door/file': 'inside',
    'jail/link': { link: '..' },
  });
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(SWAPPER, {
    eval: true,
    workerData: {
      memory: kernel.memory,
      module: new WebAssembly.Module(withMemoryKind(kernelBytes(), true)),
      stop,
      abi: { TASK_PATH_A: abi.TASK_PATH_A, TASK_PATH_B: abi.TASK_PATH_B, AT_FDCWD: abi.AT_FDCWD },
    },
  });
  try {
    await message(worker);
    const guest = new TestGuest(kernel);
    const jail = guest.open(3, 'jail', { rights: w.RIGHT_PATH_OPEN, inheriting: w.RIGHTS_ALL });
    expect(jail).toBeGreaterThan(3);
    const path = guest.put('door/file');
    const text = guest.room(16);
    const vector = guest.vector([text, 16]);
    const result = guest.room(4);
    const { path_open, fd_read, fd_close } = guest.calls;
    const answers = new Map<number, number>();
    const read: Record<string, number> = {};
    const until = performance.now() + LIMIT_MS;
    let opens = 0;
    for (; opens < OPENS && (opens % 1000 !== 0 || performance.now() < until); opens++) {
      const errno = path_open!(jail, 1, ...path, 0, 2n, 0n, 0, result);
      answers.set(errno, (answers.get(errno) ?? 0) + 1);
      if (errno !== 0) continue;
      const fd = guest.view.getUint32(result, true);
      fd_read!(fd, ...vector, result);
      const content = new TextDecoder().decode(
        new Uint8Array(guest.memory.buffer, text, guest.view.getUint32(result, true)).slice(),
      );
      read[content] = (read[content] ?? 0) + 1;
      fd_close!(fd);
    }
    Atomics.store(stop, 0, 1);
    const swaps = await message(worker);
    expect(Object.keys(read)).toEqual(['inside']);
    // The race was one: the name was seen as a directory, as a link out, and as nothing.
    expect([...answers.keys()].sort((a, b) => a - b)).toEqual([0, w.ERRNO_NOENT, w.ERRNO_NOTCAPABLE]);
    expect(swaps).toBeGreaterThan(1000);
    expect(opens).toBeGreaterThan(10_000);
    expect(kernel.exports.kernel_check!()).toBe(0);
  } finally {
    Atomics.store(stop, 0, 1);
    await worker.terminate();
  }
});

function message(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
