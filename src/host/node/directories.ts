import { builtin } from './builtin.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where images and containers live: `WCTR_DATA_ROOT`, else `~/.local/share/wctr`. */
export function dataRoot(env: Env): string {
  return env.WCTR_DATA_ROOT || `${home(env)}/.local/share/wctr`;
}

/** Where `registries.json` is looked for: `WCTR_CONFIG_DIR`, else `~/.config/wctr`. */
export function configDirectory(env: Env): string {
  return env.WCTR_CONFIG_DIR || `${home(env)}/.config/wctr`;
}

/**
 * Where the sockets of a store's containers are: `$XDG_RUNTIME_DIR/wctr/<root>`, else `<tmpdir>/wctr-<uid>/<root>`, with 16
 * digits for the root. Short, because a Unix socket's path has 104 bytes at most.
 */
export function runDirectory(env: Env, root: string): string {
  const key = builtin.crypto.createHash('sha256').update(root).digest('hex').slice(0, 16);
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime !== undefined && runtime !== '' && runtime.length < 40) return `${runtime}/wctr/${key}`;
  const temp = builtin.os.tmpdir();
  return `${temp.length < 40 ? temp : '/tmp'}/wctr-${process.getuid?.() ?? 0}/${key}`;
}

function home(env: Env): string {
  return env.HOME || builtin.os.homedir();
}
