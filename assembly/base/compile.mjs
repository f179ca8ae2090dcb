// Compiles the box, the one program of the base image. It takes a while, so what came of the same sources is kept.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc, { version } from 'assemblyscript/asc';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const KEPT = fileURLToPath(new URL('../../.build/box/', import.meta.url));

/** What recursion in a script, a pattern or a tree of files may take of the program's own stack. */
const STACK_BYTES = 4 * 1024 * 1024;
const OPTIONS = ['--runtime', 'incremental', '--stackSize', `${STACK_BYTES}`, '--use', 'abort=wasi/abort/abort'];

/** Path of the module: a WASI preview 1 command that also imports `wctr_posix_v1`. `optimize`: `-O3`, for tests `-O1`. */
export async function boxPath(optimize = '-O3') {
  const options = [...OPTIONS, optimize];
  const hash = createHash('sha256').update(JSON.stringify([version, options]));
  const names = await readdir(HERE, { recursive: true });
  for (const name of names.filter((each) => each.endsWith('.ts')).sort()) {
    hash.update(`\0${name}\0`).update(await readFile(join(HERE, name)));
  }
  const path = join(KEPT, `${hash.digest('hex').slice(0, 24)}.wasm`);
  const known = await readFile(path).catch(() => undefined);
  if (known !== undefined) return path;
  await mkdir(KEPT, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  await writeFile(unfinished, await compile(options));
  await rename(unfinished, path);
  return path;
}

async function compile(options) {
  let module;
  const { error, stderr } = await asc.main(['index.ts', '--baseDir', HERE, '-o', 'box.wasm', ...options], {
    writeFile: (_name, contents) => {
      module = contents;
    },
  });
  if (error || module === undefined) throw new Error(`cannot compile the box: ${stderr.toString()}`, { cause: error });
  return module;
}
