/** For files that need many names of it: `import * as` copies them all into an object of the bundle's own, slowly. */
export const nodeFs = process.getBuiltinModule('node:fs');

/**
 * Node's modules that take milliseconds to load, taken when they are first used instead of when a file that might use
 * them is loaded: a short command loads almost none. (Deno and Bun have the same call.)
 */
export const builtin = {
  get crypto() {
    return process.getBuiltinModule('node:crypto');
  },
  get dgram() {
    return process.getBuiltinModule('node:dgram');
  },
  get dns() {
    return process.getBuiltinModule('node:dns/promises');
  },
  get fs() {
    return process.getBuiltinModule('node:fs/promises');
  },
  get os() {
    return process.getBuiltinModule('node:os');
  },
  get threads() {
    return process.getBuiltinModule('node:worker_threads');
  },
};
