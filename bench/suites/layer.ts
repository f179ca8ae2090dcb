/**
 * Layers: one pass from compressed bytes to digests, index and plain tar on disk, against the same work in Node's own
 * parts with tar-stream (which keeps nothing); and from a blob to a root file system a guest can start in, against
 * programs that unpack. Both sides get the blob from memory or from the page cache, and write to the same disk.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { createCoreModules } from '../../src/core/core-modules.ts';
import { createLayerPass } from '../../src/core/layer-pass.ts';
import { MemoryLocks } from '../../src/host/memory-locks.ts';
import { nodeFileSystem } from '../../src/host/node/file-system.ts';
import { nodeHasher } from '../../src/host/node/hasher.ts';
import { createLayerThread } from '../../src/host/node/layer-thread.ts';
import type { Digest } from '../../src/images/contracts.ts';
import { Layers } from '../../src/images/layers.ts';
import { BlobStore } from '../../src/images/store/blob-store.ts';
import { StoreLayout } from '../../src/images/store/layout.ts';
import type { Contender, Row, Suite } from '../harness.ts';
import { debianLayer, manySmallFiles } from '../inputs.ts';

const ROOT = process.cwd();
const CACHE = join(ROOT, '.cache', 'bench');
const TMPFS = '/dev/shm/wctr-bench';
const PIECE_BYTES = 256 * 1024;
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
const require = createRequire(join(ROOT, 'bench', 'package.json'));

const core = createCoreModules(readFileSync(join(ROOT, 'dist', 'wasm', 'core.wasm')));

export const suite: Suite = {
  name: 'layer',
  async rows() {
    const missing: string[] = [];
    const sharedCore = await core.module(true);
    const rows: Row[] = [];
    for (const [what, input] of [
      ['200 MB Debian layer', debianLayer()],
      ['22,500 small files', manySmallFiles()],
    ] as const) {
      const blob = readFileSync(input.gzip);
      const work = { amount: statSync(input.plain).size, unit: 'bytes' as const };
      const peers = [nodeParts(blob)];
      rows.push(
        {
          title: `whole pass, all Wasm, ${what}`,
          work,
          ours: { name: 'wctr, two threads', run: () => wholePass(blob, { thread: sharedCore }) },
          peers: [...peers, { name: 'wctr, one thread', run: () => wholePass(blob, {}) }],
          bars: { 'node:zlib + node:crypto + tar-stream': 1.1 },
        },
        {
          title: `whole pass, host SHA-256, ${what}`,
          work,
          ours: { name: 'wctr, two threads', run: () => wholePass(blob, { thread: 'host', hostHash: true }) },
          peers: [...peers, { name: 'wctr, one thread', run: () => wholePass(blob, { hostHash: true }) }],
          bars: { 'node:zlib + node:crypto + tar-stream': 2 },
        },
      );
    }
    rows.push(...(await rootRows(missing)));
    const done = (): void => {
      for (const path of [TMPFS, join(CACHE, 'layer-work')]) rmSync(path, { recursive: true, force: true });
    };
    return { rows, missing, done };
  },
};

/** Decode, both digests, tar index, plain tar on disk. */
async function wholePass(
  blob: Uint8Array,
  how: { hostHash?: boolean; thread?: WebAssembly.Module | 'host' },
): Promise<undefined> {
  const path = join(CACHE, 'pass.tar');
  writeFileSync(path, '');
  const file = openSync(path, 'r+');
  const thread =
    how.thread === undefined
      ? undefined
      : createLayerThread(path, { maxThreads: 1, ...(how.thread === 'host' ? {} : { core: how.thread }) });
  if (how.thread !== undefined && thread === undefined) throw new Error('no second thread to be had');
  const pass = await createLayerPass({
    core,
    ...(how.hostHash ? { createHasher: () => nodeHasher('sha256') } : {}),
    ...(thread === undefined ? { onTar: (chunk: Uint8Array) => void writeSync(file, chunk) } : { thread }),
  });
  for (let at = 0; at < blob.length; at += PIECE_BYTES) await pass.push(blob.subarray(at, at + PIECE_BYTES));
  await pass.finish();
  closeSync(file);
  rmSync(path);
}

interface TarStream {
  extract(): Writable & {
    on(event: 'entry', take: (header: unknown, stream: Readable, next: () => void) => void): unknown;
  };
}

/** The same but for the index and the tar on disk: entries are read and dropped. */
function nodeParts(blob: Uint8Array): Contender {
  const { extract } = require('tar-stream') as TarStream;
  return {
    name: 'node:zlib + node:crypto + tar-stream',
    async run(): Promise<undefined> {
      const [digest, diffId] = [createHash('sha256'), createHash('sha256')];
      const tar = extract();
      tar.on('entry', (_, stream, next) => {
        stream.on('end', next);
        stream.resume();
      });
      const pieces = function* (): Generator<Uint8Array> {
        for (let at = 0; at < blob.length; at += PIECE_BYTES) {
          const piece = blob.subarray(at, at + PIECE_BYTES);
          digest.update(piece);
          yield piece;
        }
      };
      const tap = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of source) {
          diffId.update(chunk);
          yield chunk;
        }
      };
      await pipeline(Readable.from(pieces()), createGunzip({ chunkSize: PIECE_BYTES }), tap, tar);
      digest.digest('hex');
      diffId.digest('hex');
    },
  };
}

/** From a blob in the store to a merged index of verified, synced files; peers unpack the same blob. */
async function rootRows(missing: string[]): Promise<Row[]> {
  const { gzip } = manySmallFiles();
  const diskPeers: Contender[] = [];
  const tmpfsPeers: Contender[] = [];
  const work = join(CACHE, 'layer-work');
  if (canRun('umoci')) {
    const layout = ociLayout(join(work, 'layout'), gzip);
    const target = join(work, 'umoci');
    diskPeers.push(
      timed('umoci raw unpack', target, () => {
        execFileSync('umoci', ['raw', 'unpack', '--rootless', '--image', `${layout}:latest`, target], {
          stdio: 'ignore',
        });
      }),
    );
  } else missing.push('umoci');
  const hasTmpfs = existsSync('/dev/shm');
  if (hasTmpfs) {
    const target = join(TMPFS, 'tar');
    tmpfsPeers.push(
      timed('tar -xzf', target, () => {
        mkdirSync(target, { recursive: true });
        execFileSync('tar', ['-xzf', gzip, '-C', target], { stdio: 'ignore' });
      }),
    );
  } else missing.push('a tmpfs');
  const rows: Row[] = [];
  if (diskPeers.length > 0) {
    rows.push({
      title: 'blob to a root ready to start in, on disk and synced, 22,500 small files',
      ours: { name: 'wctr', run: () => prepareRoot(join(work, 'store'), gzip) },
      peers: diskPeers,
      bars: { 'umoci raw unpack': 12 },
    });
  }
  if (tmpfsPeers.length > 0) {
    rows.push({
      title: 'blob to a root ready to start in, on tmpfs, 22,500 small files',
      ours: { name: 'wctr', run: () => prepareRoot(join(TMPFS, 'store'), gzip) },
      peers: tmpfsPeers,
      bars: { 'tar -xzf': 2 },
    });
  }
  return rows;
}

async function prepareRoot(root: string, path: string): Promise<number> {
  rmSync(root, { recursive: true, force: true });
  const blob = readFileSync(path);
  const digest: Digest = `sha256:${createHash('sha256').update(blob).digest('hex')}`;
  const layout = new StoreLayout(root);
  const common = { fs: nodeFileSystem, layout, locks: new MemoryLocks(), createHasher: nodeHasher };
  const content = new BlobStore({ ...common, locateBy: 'path' });
  const layers = new Layers({
    ...common,
    content,
    core,
    locateBy: 'path',
    writesShared: true,
    createTarThread: (tar) => createLayerThread(tar, { maxThreads: 1 }),
  });
  await content.put(GZIP, blob);
  const started = performance.now();
  const { diffId } = await layers.unpack({ mediaType: GZIP, digest, size: blob.length }, undefined);
  await layers.rootfs([diffId]);
  const elapsed = performance.now() - started;
  rmSync(root, { recursive: true, force: true });
  return elapsed;
}

/** Wall time of `run` alone; what it left is removed before and after, unmeasured. */
function timed(name: string, target: string, run: () => void): Contender {
  return {
    name,
    run() {
      rmSync(target, { recursive: true, force: true });
      const started = performance.now();
      run();
      const elapsed = performance.now() - started;
      rmSync(target, { recursive: true, force: true });
      return elapsed;
    },
  };
}

function canRun(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** An OCI layout whose one image has this layer. */
function ociLayout(directory: string, layer: string): string {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(directory, 'blobs', 'sha256'), { recursive: true });
  const put = (bytes: Uint8Array): { digest: string; size: number } => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(directory, 'blobs', 'sha256', hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  const diffId = createHash('sha256').update(readFileSync(manySmallFiles().plain)).digest('hex');
  const config = put(
    json({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [`sha256:${diffId}`] },
    }),
  );
  const manifest = put(
    json({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      layers: [{ mediaType: GZIP, ...put(readFileSync(layer)) }],
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const manifests = [{ mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, annotations }];
  writeFileSync(join(directory, 'index.json'), json({ schemaVersion: 2, manifests }));
  writeFileSync(join(directory, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return directory;
}
