/** SHA-256 of 64 MiB in pieces of 128 KiB: the core, hash-wasm, node:crypto (which has the processor's SHA instructions). */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Core } from '../../src/core/core.ts';
import { createCoreModules } from '../../src/core/core-modules.ts';
import { createHasher } from '../../src/core/hash.ts';
import type { Suite } from '../harness.ts';
import { debianLayer } from '../inputs.ts';

const ROOT = process.cwd();
const peerModule = createRequire(join(ROOT, 'bench', 'package.json'));
const TOTAL_BYTES = 64 << 20;
const PIECE_BYTES = 128 << 10;

/** The part of hash-wasm that is used; bench/package.json is installed apart, so its types are not at hand. */
interface HashWasm {
  createSHA256(): Promise<{ init(): void; update(data: Uint8Array): void; digest(kind: 'hex'): string }>;
}

export const suite: Suite = {
  name: 'hash',
  async rows() {
    const pieces = cut(readHead(debianLayer().plain, TOTAL_BYTES));
    const core = await Core.create(
      createCoreModules(new Uint8Array(readFileSync(join(ROOT, 'dist', 'wasm', 'core.wasm')))),
    );
    const { createSHA256 } = peerModule('hash-wasm') as HashWasm;
    const peer = await createSHA256();
    const expected = createHash('sha256');
    for (const piece of pieces) expected.update(piece);
    const digest = expected.digest('hex');
    const check = (hex: string) => {
      if (hex !== digest) throw new Error('wrong digest');
    };
    return {
      rows: [
        {
          title: 'SHA-256, 64 MiB',
          work: { amount: TOTAL_BYTES, unit: 'bytes' },
          ours: {
            name: 'wctr core',
            run() {
              const hasher = createHasher(core);
              for (const piece of pieces) hasher.update(piece);
              check(hasher.digestHex());
            },
          },
          peers: [
            {
              name: 'hash-wasm',
              run() {
                peer.init();
                for (const piece of pieces) peer.update(piece);
                check(peer.digest('hex'));
              },
            },
            {
              name: 'node:crypto',
              run() {
                const hash = createHash('sha256');
                for (const piece of pieces) hash.update(piece);
                check(hash.digest('hex'));
              },
            },
          ],
          bars: { 'hash-wasm': 1.5, 'node:crypto': 0.35 },
        },
      ],
    };
  },
};

function readHead(path: string, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  const file = openSync(path, 'r');
  const got = readSync(file, bytes, 0, length, 0);
  closeSync(file);
  if (got !== length) throw new Error(`${path} is shorter than ${length} bytes`);
  return bytes;
}

function cut(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / PIECE_BYTES }, (_, i) =>
    bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES),
  );
}
