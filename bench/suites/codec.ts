/**
 * Decompression of a Debian layer, and packing a part of it again: the core against native libraries (in their own process, timed inside it), node:zlib
 * and what npm has. All get the compressed bytes in memory; ours and the streaming peers throw the output away chunk by
 * chunk, the others make one buffer.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { FORMAT_AUTO, RUN_DONE, RUN_NEED_INPUT, RUN_OUTPUT, WINDOW_LIMIT_DEFAULT } from '../../src/core/abi/codec.ts';
import { Core } from '../../src/core/core.ts';
import { createCoreModules } from '../../src/core/core-modules.ts';
import { gzip as packed } from '../../src/core/encode.ts';
import type { Contender, Row, Suite } from '../harness.ts';
import { debianLayer } from '../inputs.ts';

const ROOT = process.cwd();
const peerModule = createRequire(join(ROOT, 'bench', 'package.json'));
const PIECE_BYTES = 256 * 1024;
const PACKED_BYTES = 40 * 1024 * 1024;

export const suite: Suite = {
  name: 'codec',
  async rows() {
    const missing: string[] = [];
    const input = debianLayer();
    const plainBytes = statSync(input.plain).size;
    const gzip = readFileSync(input.gzip);
    const zstd = readFileSync(input.zstd);
    const core = await Core.create(
      createCoreModules(new Uint8Array(readFileSync(join(ROOT, 'dist', 'wasm', 'core.wasm')))),
    );
    const native = buildNative(missing);
    const gzipPeers: Contender[] = [];
    const zstdPeers: Contender[] = [];
    if (native) {
      gzipPeers.push(nativeContender('libdeflate', native, ['gzip', input.gzip, String(plainBytes)]));
      zstdPeers.push(nativeContender('libzstd', native, ['zstd', input.zstd, String(plainBytes)]));
    }
    gzipPeers.push({ name: 'node:zlib', run: () => void gunzipSync(gzip, { chunkSize: PIECE_BYTES }) });
    zstdPeers.push(...(await wasmPeers(zstd, plainBytes)));
    const work = { amount: plainBytes, unit: 'bytes' as const };
    const plain = readFileSync(input.plain).subarray(0, PACKED_BYTES);
    const fflate = peerModule('fflate') as { gzipSync(data: Uint8Array, options: { mtime: number }): Uint8Array };
    const rows: Row[] = [
      {
        title: 'gunzip, 200 MB Debian layer',
        work,
        ours: { name: 'wctr core', run: () => decodeAll(core, gzip, plainBytes) },
        peers: gzipPeers,
        bars: { libdeflate: 0.8, 'node:zlib': 2.2 },
      },
      {
        title: 'zstd, 200 MB Debian layer',
        work,
        ours: { name: 'wctr core', run: () => decodeAll(core, zstd, plainBytes) },
        peers: zstdPeers,
        bars: { libzstd: 0.7, '@bokuweb/zstd-wasm': 2, zstddec: 2 },
      },
    ];
    rows.push({
      title: 'gzip, 40 MB of it',
      work: { amount: plain.length, unit: 'bytes' },
      ours: { name: 'wctr core', run: () => packAll(core, plain) },
      peers: [
        { name: 'node:zlib', run: () => void gzipSync(plain) },
        { name: 'fflate', run: () => void fflate.gzipSync(plain, { mtime: 0 }) },
      ],
      bars: {},
    });
    return { rows, missing };
  },
};

/** Streams `data` through a fresh decoder; the output is looked at by nobody. */
function decodeAll(core: Core, data: Uint8Array, plainBytes: number): void {
  const { exports } = core;
  const decoder = exports.decoderNew(FORMAT_AUTO, WINDOW_LIMIT_DEFAULT, 1) >>> 0;
  let at = 0;
  let made = 0;
  for (;;) {
    const status = exports.decoderRun(decoder);
    if (status === RUN_OUTPUT) {
      made += exports.decoderOutputLength(decoder);
    } else if (status === RUN_NEED_INPUT) {
      if (at === data.length) {
        exports.decoderEnd(decoder);
        continue;
      }
      const address = exports.decoderInput(decoder) >>> 0;
      const length = Math.min(PIECE_BYTES, exports.decoderInputSpace(decoder), data.length - at);
      core.bytes.set(data.subarray(at, at + length), address);
      exports.decoderPush(decoder, length);
      at += length;
    } else {
      if (status !== RUN_DONE || made !== plainBytes) throw new Error(`status ${status} after ${made} bytes`);
      exports.decoderFree(decoder);
      return;
    }
  }
}

async function packAll(core: Core, data: Uint8Array): Promise<void> {
  let bytes = 0;
  for await (const chunk of packed(core, [data])) bytes += chunk.length;
  if (bytes < data.length / 100) throw new Error(`${bytes} bytes`);
}

/** Compiles the C program against Debian's libdeflate-dev and libzstd-dev; undefined when they are not there. */
function buildNative(missing: string[]): string | undefined {
  const program = join(ROOT, '.cache', 'bench', 'native-codec');
  const source = join(ROOT, 'bench', 'suites', 'native-codec.c');
  try {
    execFileSync('clang', ['-O3', '-o', program, source, '-ldeflate', '-lzstd'], { stdio: 'ignore' });
    return program;
  } catch {
    missing.push('libdeflate and libzstd (clang, libdeflate-dev, libzstd-dev)');
    return undefined;
  }
}

function nativeContender(name: string, program: string, args: string[]): Contender {
  return { name, run: () => Number(execFileSync(program, args, { encoding: 'utf8' })) };
}

async function wasmPeers(zstd: Uint8Array, plainBytes: number): Promise<Contender[]> {
  const bokuweb = peerModule('@bokuweb/zstd-wasm') as {
    init(): Promise<void>;
    decompress(data: Uint8Array, options: { defaultHeapSize: number }): Uint8Array;
  };
  await bokuweb.init();
  const { ZSTDDecoder } = (await import(pathToFileURL(peerModule.resolve('zstddec')).href)) as {
    ZSTDDecoder: new () => { init(): Promise<void>; decode(data: Uint8Array, size: number): Uint8Array };
  };
  const zstddec = new ZSTDDecoder();
  await zstddec.init();
  const check = (output: Uint8Array) => {
    if (output.length !== plainBytes) throw new Error(`${output.length} bytes`);
  };
  return [
    { name: '@bokuweb/zstd-wasm', run: () => check(bokuweb.decompress(zstd, { defaultHeapSize: plainBytes })) },
    { name: 'zstddec', run: () => check(zstddec.decode(zstd, plainBytes)) },
  ];
}
