/**
 * Loads a program's bundled chunks with V8's compiled code beside them, so that a command need not parse and compile
 * what it compiled last time: a third of the time of a short run. Node 22 does this itself (module.enableCompileCache);
 * for Node 20 this is a loader of its own, which also spares the chunks Node's search for modules. The cache is a
 * directory of the data root, one file per chunk, and may be deleted at any time.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { makeDirectories } from './make-directories.ts';

type Require = (id: string) => unknown;
interface NodeModule {
  createRequire(path: string): Require;
  enableCompileCache?(directory: string): unknown;
}
type Wrapped = (exports: unknown, require: Require, module: unknown, filename: string, directory: string) => void;

/** Runs `entry`, a CommonJS file of `directory`; its chunks lie beside it and are required as `./name.cjs`. */
export function runCached(directory: string, entry: string, cacheRoot: string): void {
  const cacheDirectory = join(cacheRoot, `${process.version}-${process.arch}`);
  const { createRequire, enableCompileCache } = process.getBuiltinModule('node:module') as NodeModule;
  if (enableCompileCache !== undefined) {
    enableCompileCache(cacheDirectory);
    createRequire(join(directory, entry))(`./${entry}`);
    return;
  }
  let usual: Require | undefined;
  const loaded = new Map<string, { exports: unknown }>();
  const fresh = new Map<string, Script>();
  const load: Require = (id) => {
    if (id.startsWith('node:')) return process.getBuiltinModule(id);
    if (!id.startsWith('./')) {
      usual ??= createRequire(join(directory, entry));
      return usual(id);
    }
    const known = loaded.get(id);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as unknown };
    loaded.set(id, module);
    const filename = join(directory, id);
    const { script, cachePath } = compile(filename, cacheDirectory);
    if (script.cachedDataRejected !== false) fresh.set(cachePath, script);
    (script.runInThisContext() as Wrapped)(module.exports, load, module, filename, directory);
    return module.exports;
  };
  // At the end the functions that ran are compiled, and go into the cache with the rest.
  process.once('exit', () => {
    for (const [path, script] of fresh) store(path, script.createCachedData());
  });
  load(`./${entry}`);
}

function compile(filename: string, cacheDirectory: string): { script: Script; cachePath: string } {
  // V8 compares no more than the length of the source, so the name has to say which file it was.
  const { mtimeMs, size } = statSync(filename);
  const name = filename.slice(filename.lastIndexOf('/') + 1).replace(/^.*\\/, '');
  const cachePath = join(cacheDirectory, `${name}-${mtimeMs}-${size}.bin`);
  const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(filename, 'latin1')}\n})`;
  const cachedData = readIfThere(cachePath);
  const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
  return { script, cachePath };
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Without a cache the next run is as slow as this one: no reason to fail. */
function store(path: string, data: Buffer): void {
  try {
    makeDirectories(join(path, '..'), 0o700);
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, data, { mode: 0o600 });
    renameSync(unfinished, path);
  } catch {}
}
