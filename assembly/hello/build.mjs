// Builds the `hello` image into dist/images/hello, an OCI layout. Needs `npm run build:ts` done. The same sources make
// the same bytes, so the image has one digest wherever it is built.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Compiles the program: a WASI preview 1 command. */
export async function compileHello() {
  let module;
  const options = ['--runtime', 'stub', '-Oz', '--noAssert', '--converge', '--use', 'abort='];
  const { error, stderr } = await asc.main(['index.ts', '--baseDir', HERE, '-o', 'hello.wasm', ...options], {
    writeFile: (_name, contents) => {
      module = contents;
    },
  });
  if (error || module === undefined) throw new Error(`cannot compile hello: ${stderr.toString()}`, { cause: error });
  return module;
}

const createHasher = (algorithm) => {
  const hash = createHash(algorithm);
  return { update: (chunk) => void hash.update(chunk), digestHex: () => hash.digest('hex') };
};

if (argv[1] === fileURLToPath(import.meta.url)) {
  const { moduleLayout } = await import('../../dist/images/archive/module-layout.js');
  const { writeMembers } = await import('../../dist/images/archive/oci-layout.js');
  const { nodeFileSystem } = await import('../../dist/host/node/file-system.js');
  const target = fileURLToPath(new URL('../../dist/images/hello', import.meta.url));
  const members = await moduleLayout(await compileHello(), {
    fileName: 'hello.wasm',
    reference: 'docker.io/library/hello:latest',
    created: '2026-11-20T00:00:00Z',
    labels: { 'org.opencontainers.image.description': 'Says that wctr works' },
    createHasher,
  });
  await rm(target, { recursive: true, force: true });
  await writeMembers(nodeFileSystem, target, members);
}
