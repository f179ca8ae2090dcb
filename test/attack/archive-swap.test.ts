/** `cp` into and out of a container while its links are swapped, by its guests and by others on the host. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelFiles } from '../../src/containers/files/kernel-files.ts';
import { readTar } from '../../src/containers/files/tar-reader.ts';
import * as abi from '../../src/core/abi/kernel.ts';
import { withMemoryKind } from '../../src/core/load.ts';
import { HostDirectory } from '../../src/host/mounts/host-directory.ts';
import { openBlockSource, readBytes } from '../../src/host/node/block-source.ts';
import { hostAnchors, syncFileSystem } from '../../src/host/node/sync-file-system.ts';
import { Machine } from '../../src/host/runner/machine.ts';
import { hostClock, hostRandom } from '../../src/host/wasi/defaults.ts';
import { accessOf, collect, pieces } from '../support/container-files.ts';
import { bootGuest } from '../support/guest.ts';
import { startJob } from '../support/kernel-threads.ts';
import { removeTree } from '../support/remove-tree.ts';
import { entry, join } from '../support/tar-builder.ts';
import { kernelBytes } from '../support/wasm.ts';

const SECRET = 'canary of the host';
const END = new Uint8Array(1024);
const ROUNDS = 300;

let root: string;
beforeEach(() => {
  root = mkdtempSync(joinPath(tmpdir(), 'wctr-swap-'));
});
afterEach(() => removeTree(root));

/** Swaps `door` between a directory and a link out of the mount until told to stop. */
const SWAPPER = `
  const fs = require('node:fs');
  const { workerData, parentPort } = require('node:worker_threads');
  const { mount, target, done } = workerData;
  const flag = new Int32Array(done);
  let swaps = 0;
  while (Atomics.load(flag, 0) === 0) {
    try {
      fs.renameSync(mount + '/door', mount + '/aside');
      fs.renameSync(mount + '/link', mount + '/door');
      swaps++;
      fs.renameSync(mount + '/door', mount + '/link');
      fs.renameSync(mount + '/aside', mount + '/door');
    } catch (error) {
      // What is extracted takes names away: they are put back, unless that is overtaken, too.
      try {
        for (const name of ['door', 'aside', 'link']) fs.rmSync(mount + '/' + name, { recursive: true, force: true });
        fs.mkdirSync(mount + '/door', { recursive: true });
        fs.symlinkSync(target, mount + '/link');
      } catch {}
    }
  }
  parentPort.postMessage(swaps);
`;

function machineOver(mount: string): Machine {
  const kernel = new WebAssembly.Module(withMemoryKind(kernelBytes(), false));
  return new Machine(
    {
      id: 'c'.repeat(64),
      hostname: 'c',
      process: { args: [''], env: [], cwd: '/', user: { uid: 0, gid: 0, additionalGids: [] }, terminal: false },
      root: { readonly: false, layers: [] },
      program: {},
      mounts: [{ type: 'bind', source: mount, destination: '/data' }],
      resources: {},
      stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
    },
    {
      kernelModule: () => kernel,
      clock: hostClock,
      random: hostRandom,
      openBlock: openBlockSource,
      readBytes,
      openMount: ({ source }) => new HostDirectory(syncFileSystem, hostAnchors(), source),
    },
  );
}

describe('archives while links are swapped', () => {
  it('never touch the host beyond a mount that others swap links in', async () => {
    const mount = joinPath(root, 'mount');
    const outside = joinPath(root, 'outside');
    for (const dir of [mount, outside, joinPath(mount, 'door')]) mkdirSync(dir);
    writeFileSync(joinPath(outside, 'secret'), SECRET);
    writeFileSync(joinPath(mount, 'door', 'secret'), 'inside');
    symlinkSync('../outside', joinPath(mount, 'link'));
    const before = lstatSync(outside, { bigint: true });
    const machine = machineOver(mount);
    const files = new KernelFiles({
      port: machine.port,
      kernel: machine.kernel,
      memory: machine.memory,
      createTask: () => machine.kernel.process_create(0, 0, 0, 0),
      endTask: (task) => void machine.kernel.process_exit(task, 0),
    });
    const done = new SharedArrayBuffer(4);
    const worker = new Worker(SWAPPER, { eval: true, workerData: { mount, target: '../outside', done } });
    const swapped = new Promise<number>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const hostile = join([
      entry({ name: 'door/secret', data: 'overwritten' }),
      entry({ name: 'door/new', data: 'x' }),
      entry({ name: 'door/sub/', type: '5' }),
      entry({ name: 'door/hard', type: '1', link: 'door/secret' }),
      entry({ name: 'link/through', data: 'x' }),
      END,
    ]);
    let worked = 0;
    // At least one archive has to come through whole, on however busy a machine.
    for (let i = 0; i < ROUNDS || (worked === 0 && i < 20 * ROUNDS); i++) {
      try {
        await files.extract('/data', pieces(hostile), { copyUidGid: i % 2 === 0 });
        worked++;
      } catch {
        // Names come and go under it; what counts is below.
      }
      const archived = await collect(files.archive('/data')).catch(() => new Uint8Array());
      expect(Buffer.from(archived).includes(SECRET)).toBe(false);
    }
    Atomics.store(new Int32Array(done), 0, 1);
    expect(await swapped).toBeGreaterThan(10);
    expect(worked).toBeGreaterThan(0);
    machine.close();
    expect(readFileSync(joinPath(outside, 'secret'), 'utf8')).toBe(SECRET);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(lstatSync(outside, { bigint: true }).mtimeNs).toBe(before.mtimeNs);
  }, 30_000);

  it('show a link that a guest put in the way as a link, not as what it leads to', async () => {
    const guest = await bootGuest({ flags: abi.CONFIG_SHARED, maxPages: 2048 });
    guest.mkdir('/outside');
    guest.writeFile('/outside/secret', 'secret');
    guest.mkdir('/jail');
    guest.mkdir('/jail/door');
    guest.writeFile('/jail/door/secret', 'inside!');
    guest.symlink('../outside', '/jail/link-aside');
    const files = new KernelFiles(accessOf(guest.kernel));
    const done = new SharedArrayBuffer(4);
    const { result } = await startJob(guest.kernel, { job: 'swap', done });
    const seen = new Set<string>();
    const deadline = Date.now() + 10_000;
    for (let i = 0; i < 3000 && Date.now() < deadline; i++) {
      const tar = await collect(files.archive('/jail'));
      for await (const { name, type, data } of readTar(pieces(tar, 65_536))) {
        seen.add(`${type} ${name}`);
        if (name.endsWith('/secret')) expect(new TextDecoder().decode(await collect(data))).toBe('inside!');
      }
    }
    Atomics.store(new Int32Array(done), 0, 1);
    expect((await result).swaps).toBeGreaterThan(100);
    expect([...seen]).toEqual(expect.arrayContaining(['0 jail/door/secret', '2 jail/door']));
    expect(guest.check()).toBe(0);
  }, 30_000);

  it.each([
    [
      'an absolute link',
      [entry({ name: 'l', type: '2', link: '/etc' }), entry({ name: 'l/passwd', data: 'x' })],
      '/etc/passwd',
    ],
    [
      'a chain',
      [
        entry({ name: 'a', type: '2', link: '../..' }),
        entry({ name: 'b', type: '2', link: 'a/../../../etc' }),
        entry({ name: 'b/passwd', data: 'x' }),
      ],
      '/etc/passwd',
    ],
    ['an absolute name', [entry({ name: '/etc/shadow', data: 'x' })], '/to/etc/shadow'],
  ])('keep %s inside of the container', async (_what, members, where) => {
    const guest = await bootGuest({});
    for (const dir of ['/etc', '/to']) guest.mkdir(dir);
    const files = new KernelFiles(accessOf(guest.kernel));
    await files.extract('/to', pieces(join([...members, END])), {});
    expect(guest.readFile(where)).toBe('x');
  });
});
