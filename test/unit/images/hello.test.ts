import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WASI } from 'node:wasi';
import { beforeAll, expect, it } from 'vitest';
// @ts-expect-error a build script, plain JavaScript
import { compileHello } from '../../../assembly/hello/build.mjs';
import { nodeFileSystem } from '../../../src/host/node/file-system.ts';
import { moduleLayout } from '../../../src/images/archive/module-layout.ts';
import { writeMembers } from '../../../src/images/archive/oci-layout.ts';
import { loadPath } from '../../../src/images/load.ts';
import { createNodeHasher, memoryStore, openImages, tempDir } from '../../support/image-store.ts';

let module: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  module = await compileHello();
});

it('imports nothing but the two functions it needs, and is small', async () => {
  const imports = WebAssembly.Module.imports(await WebAssembly.compile(module));
  expect(imports.map(({ module: from, name }) => `${from}.${name}`).sort()).toEqual([
    'wasi_snapshot_preview1.fd_write',
    'wasi_snapshot_preview1.proc_exit',
  ]);
  expect(module.length).toBeLessThan(8192);
});

it('says hello under a WASI that is not ours', async () => {
  using dir = tempDir();
  const out = openSync(join(dir.path, 'out'), 'w');
  const wasi = new WASI({ version: 'preview1', stdout: out, returnOnExit: true });
  const { instance } = await WebAssembly.instantiate(module, wasi.getImportObject() as WebAssembly.Imports);
  expect(wasi.start(instance)).toBe(0);
  const text = readFileSync(join(dir.path, 'out'), 'utf8');
  expect(text).toMatch(/^\nHello from wctr!\n/);
  expect(text).toMatch(/image\n\n$/);
});

it('makes the same layout each time, and the layout loads as hello', async () => {
  using dir = tempDir();
  const build = async (name: string) => {
    mkdirSync(join(dir.path, name));
    const members = await moduleLayout(await compileHello(), {
      fileName: 'hello.wasm',
      reference: 'docker.io/library/hello:latest',
      created: '2026-11-20T00:00:00Z',
      createHasher: createNodeHasher,
    });
    await writeMembers(nodeFileSystem, join(dir.path, name), members);
    return readFileSync(join(dir.path, name, 'index.json'), 'utf8');
  };
  expect(await build('a')).toBe(await build('b'));
  const store = openImages(memoryStore());
  await loadPath(store, nodeFileSystem, join(dir.path, 'a'));
  const image = await store.images.open('hello');
  expect(image.form).toEqual({ kind: 'rootfs', wasmBy: 'platform' });
  expect(image.config.process.Entrypoint).toEqual(['/hello.wasm']);
});
