// Builds the base image from its Dockerfile into dist/images/base, an OCI layout, with the builder of this package. Needs
// `npm run build:ts` and `build:wasm` done. The same sources make the same bytes, so the image has one digest wherever it
// is built.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { boxPath } from './compile.mjs';
import { rootTree } from './root-tree.mjs';

const DIST = new URL('../../dist/', import.meta.url);
const NAME = 'docker.io/wctr/base:latest';

const { Wctr } = await import(new URL('node.js', DIST).href);

const path = await boxPath();
const work = await mkdtemp(join(tmpdir(), 'wctr-base-'));
try {
  const wctr = await Wctr.open({ dataRoot: join(work, 'data'), isolation: 'inline' });
  const target = fileURLToPath(new URL('images/base', DIST));
  await rm(target, { recursive: true, force: true });
  await wctr.build(
    { tree: rootTree(await readFile(path), await programNames(path)) },
    {
      dockerfile: {
        text: await readFile(new URL('Dockerfile', import.meta.url), 'utf8'),
        name: 'assembly/base/Dockerfile',
      },
      tags: [NAME],
      outputs: [{ type: 'oci', write: (tar) => unpack(tar, target) }],
    },
  );
  await wctr.close();
} finally {
  await rm(work, { recursive: true, force: true });
}

/** Every name it answers to, as it says itself. */
async function programNames(path) {
  const { createInlineSandbox } = await import(new URL('host/node/sandboxes.js', DIST).href);
  const handle = await createInlineSandbox().start({
    id: 'box'.padEnd(64, '0'),
    hostname: 'box',
    process: {
      args: ['box', '--names'],
      env: [],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [] },
      terminal: false,
    },
    root: { readonly: true, layers: [] },
    program: { module: { path }, unknownImports: 'trap' },
    mounts: [],
    resources: {},
    stdio: { stdin: 'null', stdout: 'pipe', stderr: 'pipe' },
  });
  const [out, exit] = await Promise.all([new Response(handle.stdout).text(), handle.wait()]);
  if (exit.exitCode !== 0) throw new Error(`the box does not run: ${exit.reason ?? exit.exitCode}`);
  return out.trim().split('\n').sort();
}

/** The plain tar of an OCI layout: files with short names. */
async function unpack(tar, target) {
  const chunks = [];
  for await (const chunk of tar) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const text = (at, length) => bytes.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const name = text(at, 100);
    const size = Number.parseInt(text(at + 124, 12), 8);
    if (text(at + 156, 1) === '0') {
      const path = join(target, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes.subarray(at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
