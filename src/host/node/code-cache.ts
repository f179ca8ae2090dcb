/**
 * Loads the bundled chunks of a program with V8's compiled code beside them, so that a command need not parse and
 * compile what it compiled last time: a third of the time of a short run. Node 22 and later do this themselves
 * (module.enableCompileCache); Node 20 is taught by a loader for `.cjs`. The cache is a directory of the data root, one
 * file per chunk, and may be deleted at any time.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import Module from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';

type Loader = (module: NodeJS.Module, filename: string) => void;
type Wrapped = (...values: unknown[]) => void;

/** Chunks of `directory` that are required from now on come with their code from `cacheRoot`. */
export function cacheCode(directory: string, cacheRoot: string): void {
  const cacheDirectory = join(cacheRoot, `${process.version}-${process.arch}`);
  const { enableCompileCache } = Module as unknown as { enableCompileCache?(directory: string): unknown };
  if (enableCompileCache !== undefined) {
    enableCompileCache(cacheDirectory);
    return;
  }
  const extensions = (Module as unknown as { _extensions: Record<string, Loader> })._extensions;
  const usual = extensions['.js']!;
  const fresh = new Map<string, Script>();
  extensions['.cjs'] = (module, filename) => {
    if (dirname(filename) !== directory) {
      usual(module, filename);
      return;
    }
    // V8 compares no more than the length of the source, so the name has to say which file it was.
    const { mtimeMs, size } = statSync(filename);
    const cachePath = join(cacheDirectory, `${basename(filename)}-${mtimeMs}-${size}.bin`);
    const source = `(function(exports,require,module,__filename,__dirname){${readFileSync(filename, 'utf8')}\n})`;
    const cachedData = readIfThere(cachePath);
    const script = new Script(source, { filename, ...(cachedData === undefined ? {} : { cachedData }) });
    if (cachedData === undefined || script.cachedDataRejected === true) fresh.set(cachePath, script);
    const requireFrom = (id: string): unknown => module.require(id);
    (script.runInThisContext() as Wrapped)(module.exports, requireFrom, module, filename, directory);
  };
  // At the end the functions that ran are compiled, and go into the cache with the rest.
  process.once('exit', () => {
    for (const [path, script] of fresh) store(path, script.createCachedData());
  });
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
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, data, { mode: 0o600 });
    renameSync(unfinished, path);
  } catch {}
}
